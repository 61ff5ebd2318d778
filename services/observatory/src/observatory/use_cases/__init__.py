"""What the service does, one function for each thing that an rpc asks for."""
