"""What the service does, one function for each rpc or exchange; each write is one transaction."""
