"""The drill: a network is backed up under load, lost, and put back elsewhere."""
