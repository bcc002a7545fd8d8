"""What the user writes, read once: a config file and probe files in, frozen and checked values out."""

from canary.config.load import effective, load
from canary.config.model import Assignment, Config
from canary.config.probes import load_probes
from canary.config.schema import json_schema, probe_schema
from canary.config.settings import Budget, Console, Detect, Match, Retention, Store, Suite, Web, Webhook
from canary.config.starter import write_starter

__all__ = [
    "Assignment",
    "Budget",
    "Config",
    "Console",
    "Detect",
    "Match",
    "Retention",
    "Store",
    "Suite",
    "Web",
    "Webhook",
    "effective",
    "json_schema",
    "load",
    "load_probes",
    "probe_schema",
    "write_starter",
]
