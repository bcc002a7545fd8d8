"""The only rooms that know the whole sentence: probe, score, store, detect, alert."""
