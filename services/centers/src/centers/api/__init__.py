"""Which use case answers which rpc."""
