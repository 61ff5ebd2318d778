"""The network in containers, tried for real: images, compose file, kills, and an oracle."""
