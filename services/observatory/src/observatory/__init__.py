"""The service that shows the network as a whole, and keeps the national plan."""
