"""The edge of the network: HTTP in front, calls to the services behind, no business rule."""
