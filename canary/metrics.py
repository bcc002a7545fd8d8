"""Every Prometheus name."""
