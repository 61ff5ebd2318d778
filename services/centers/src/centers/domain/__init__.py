"""What centers, nodes and reports are and which rules they keep."""
