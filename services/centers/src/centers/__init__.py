"""The service that owns the centers of the network."""
