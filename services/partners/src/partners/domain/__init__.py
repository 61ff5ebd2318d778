"""What partners are and agree on, and which rules hold; knows no database and no wire."""
