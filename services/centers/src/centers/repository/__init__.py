"""How centers, nodes and reports are stored and found."""
