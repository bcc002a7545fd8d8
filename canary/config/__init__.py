"""What the user writes, read once: a config file and probe files in, frozen and checked values out."""

from canary.config.cost import Cost, cost
from canary.config.lint import Finding, lint
from canary.config.load import effective, load, probe_sources
from canary.config.match import Match
from canary.config.model import Assignment, Config
from canary.config.probes import load_probes
from canary.config.receivers import (
    Alertmanager,
    Console,
    Email,
    Grafana,
    PagerDuty,
    Receiver,
    Slack,
    Webhook,
)
from canary.config.routes import Links, Maintenance, Route
from canary.config.schema import json_schema, probe_schema
from canary.config.scorers import own_scorers
from canary.config.settings import Budget, Detect, Escalation, Heartbeat, Retention, Store, Suite
from canary.config.starter import write_starter
from canary.config.suites import builtin_suites
from canary.config.web import Web

__all__ = [
    "Alertmanager",
    "Assignment",
    "Budget",
    "Config",
    "Console",
    "Cost",
    "Detect",
    "Email",
    "Escalation",
    "Finding",
    "Grafana",
    "Heartbeat",
    "Links",
    "Maintenance",
    "Match",
    "PagerDuty",
    "Receiver",
    "Retention",
    "Route",
    "Slack",
    "Store",
    "Suite",
    "Web",
    "Webhook",
    "builtin_suites",
    "cost",
    "effective",
    "json_schema",
    "lint",
    "load",
    "load_probes",
    "own_scorers",
    "probe_schema",
    "probe_sources",
    "write_starter",
]
