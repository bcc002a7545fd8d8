"""Which run is due when (plan), and the firing of it (scheduler)."""
