"""The picture of the network and its timeline, made of events alone."""
