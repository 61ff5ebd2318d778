"""What the network has, in CERIF XML after the OpenAIRE Guidelines for CRIS Managers 1.2."""
