"""Which use case answers which rpc, one room for each service of the contract."""
