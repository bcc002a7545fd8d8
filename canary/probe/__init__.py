"""Fires probes: requests out, observations in."""
