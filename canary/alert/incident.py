"""The incident machine."""
