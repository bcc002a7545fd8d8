"""The past again, from the store: why an alarm was raised, and what another config would have raised."""
