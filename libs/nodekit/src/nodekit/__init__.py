"""What the hub and a node share, and nothing that only one of them needs."""
