"""What the command line and the HTTP API have in common: the same documents, the same acts, the same audit entries."""
