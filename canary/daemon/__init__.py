"""The composition root: from a config to a running canary."""
