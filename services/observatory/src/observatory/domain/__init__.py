"""What people enter in the observatory, and the rules that it keeps."""
