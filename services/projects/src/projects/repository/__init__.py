"""How the aggregates of this service are stored and found."""
