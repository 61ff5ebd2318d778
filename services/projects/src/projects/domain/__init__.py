"""Projects on their pathways, decisions at gates, and companies; knows no database and no wire."""
