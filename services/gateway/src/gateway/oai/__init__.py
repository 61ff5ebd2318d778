"""OAI-PMH 2.0: what the network has in CERIF, for harvesters."""
