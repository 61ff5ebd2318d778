"""The headquarters' page: what it shows, how it stays live, and signing in on this machine."""
