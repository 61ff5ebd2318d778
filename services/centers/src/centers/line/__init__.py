"""The line to the nodes: what they ask and tell over the broker, and what they are answered."""
