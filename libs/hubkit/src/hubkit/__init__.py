"""What a hub is set up with, wherever it runs: keys, certificates, configuration, databases."""
