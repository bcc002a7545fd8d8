"""What `canary grafana render` writes: files for Grafana's provisioning, and the dashboards as JSON.

In provisioning files (YAML) Grafana puts environment variables where it reads `$`, so `$` is written `$$` there, but
for the password of the database, which is to come from the environment. Dashboards are read as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from canary.observe.alerting import INTERVAL, rule_of
from canary.observe.dashboards import dashboards
from canary.observe.files import json_text, yaml_text
from canary.observe.panels import POSTGRES, Json
from canary.observe.prometheus import RUNBOOKS
from canary.observe.rules import GROUPS

FOLDER, FOLDER_UID = "Canary", "canary"
MOUNT = "/var/lib/grafana/dashboards/canary"
"""Where the container finds the dashboards."""

_COMMAND = "canary grafana render"
_ROOT = PurePosixPath("grafana")


@dataclass(frozen=True, slots=True)
class Site:
    """What differs from one Grafana to the next."""

    prometheus_uid: str = "canary-prometheus"
    postgres_uid: str = "canary-postgres"
    folder_uid: str = FOLDER_UID
    runbooks: str = RUNBOOKS


def files(site: Site) -> Mapping[PurePosixPath, str]:
    """By path."""
    provisioning = _ROOT / "provisioning"
    return {
        provisioning / "datasources/canary.yaml": yaml_text(_datasources(site), _COMMAND),
        provisioning / "dashboards/canary.yaml": yaml_text(_provider(site), _COMMAND),
        provisioning / "alerting/canary.yaml": yaml_text(doubled(_alerting(site)), _COMMAND),
        **{_ROOT / f"dashboards/{uid}.json": json_text(made) for uid, made in dashboards().items()},
    }


def doubled(document: object) -> object:
    """With every `$` of its texts written `$$`.

    >>> doubled({"summary": ["{{ $labels.pool }}"]})
    {'summary': ['{{ $$labels.pool }}']}
    """
    match document:
        case str():
            return document.replace("$", "$$")
        case dict():
            return {key: doubled(value) for key, value in document.items()}
        case list():
            return [doubled(value) for value in document]
        case _:
            return document


def _datasources(site: Site) -> Json:
    prometheus = {
        "name": "Canary Prometheus",
        "uid": site.prometheus_uid,
        "type": "prometheus",
        "access": "proxy",
        "url": "http://prometheus:9090",
        "jsonData": {"timeInterval": "15s", "httpMethod": "POST"},
    }
    postgres = {
        "name": "Canary PostgreSQL",
        "uid": site.postgres_uid,
        "type": POSTGRES["type"],
        "access": "proxy",
        "url": "postgres:5432",
        "user": "canary_grafana",
        "jsonData": {"database": "canary", "sslmode": "require", "maxOpenConns": 5},
        "secureJsonData": {"password": "$CANARY_GRAFANA_PASSWORD"},
    }
    return {"apiVersion": 1, "datasources": [prometheus, postgres]}


def _provider(site: Site) -> Json:
    provider = {
        "name": "canary",
        "folder": FOLDER,
        "folderUid": site.folder_uid,
        "type": "file",
        "allowUiUpdates": False,
        "updateIntervalSeconds": 60,
        "options": {"path": MOUNT},
    }
    return {"apiVersion": 1, "providers": [provider]}


def _alerting(site: Site) -> Json:
    groups = [
        {
            "orgId": 1,
            "name": group.name,
            "folder": FOLDER,
            "interval": f"{INTERVAL}s",
            "rules": [
                _without_place(rule_of(rule, group, site.folder_uid, site.prometheus_uid, site.runbooks))
                for rule in group.rules
            ],
        }
        for group in GROUPS
    ]
    return {"apiVersion": 1, "groups": groups}


def _without_place(rule: Json) -> Json:
    """In a file, the group says where a rule is."""
    return {key: value for key, value in rule.items() if key not in {"folderUID", "ruleGroup"}}
