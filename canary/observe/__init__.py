"""What Prometheus and Grafana are given: alert rules and dashboards, as data; and the one adapter to Grafana's API."""
