"""Replay, compare, gate and explain share one sequential engine."""
