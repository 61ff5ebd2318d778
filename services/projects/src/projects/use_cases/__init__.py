"""What the service does, one function for each rpc; each write is one transaction."""
