"""What a Grafana lacks, and giving it just that. All is read, and every objection raised, before anything is written.

Nothing outside of one folder is touched: three dashboards by their uids, two rule groups by their names. The contact
points and the policy tree are the organisation's: a PUT there would replace them, so there is none here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from canary.errors import GrafanaError
from canary.observe.alerting import INTERVAL, rule_of
from canary.observe.dashboards import dashboards
from canary.observe.panels import Json
from canary.observe.provisioning import FOLDER, Site
from canary.observe.rules import GROUPS, RuleGroup

_OUR_PROVENANCE = {"", "api"}
"""What a rule may be marked with: made by hand or by this API. The other marks belong to files and other tools."""


class Grafana(Protocol):
    """Its API, below /api. Raises: GrafanaError."""

    def get(self, path: str) -> Json | None:
        """None where there is nothing."""
        ...

    def send(self, method: Literal["POST", "PUT"], path: str, body: Json) -> None: ...


class Act(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing of ours; how it gets there, unless it is kept."""

    act: Act
    what: str
    method: Literal["POST", "PUT"]
    path: str
    body: Json


def plan(grafana: Grafana, site: Site) -> Sequence[Step]:
    """All that we have, in the order in which it has to be made.

    Raises:
        GrafanaError: it cannot be asked, or what stands there is not ours to replace.
    """
    _require_grafana(grafana)
    folder = grafana.get(f"/folders/{site.folder_uid}")
    return (
        _folder(folder, site),
        *(_dashboard(grafana, made, site) for made in dashboards().values()),
        *(_group(grafana, group, site) for group in GROUPS),
    )


def carry_out(grafana: Grafana, steps: Sequence[Step]) -> Iterator[Step]:
    """Each step that changes something, after it was made. Raises: GrafanaError; a second push goes on from there."""
    for step in steps:
        if step.act is not Act.KEEP:
            grafana.send(step.method, step.path, step.body)
            yield step


def _require_grafana(grafana: Grafana) -> None:
    health = grafana.get("/health")
    if health is None or "database" not in health:
        raise GrafanaError("this is no Grafana: /api/health does not answer as one; a sub-path belongs into --url")
    if health["database"] != "ok":
        raise GrafanaError("Grafana has no database at present: try again later")


def _folder(found: Json | None, site: Site) -> Step:
    body = {"uid": site.folder_uid, "title": FOLDER}
    return Step(Act.CREATE if found is None else Act.KEEP, f'folder "{FOLDER}"', "POST", "/folders", body)


def _dashboard(grafana: Grafana, made: Json, site: Site) -> Step:
    """The version that was read goes with it, so that Grafana refuses it when another was saved meanwhile."""
    uid = made["uid"]
    found = grafana.get(f"/dashboards/uid/{uid}")
    before = {} if found is None else found["dashboard"]
    if found is not None:
        _require_ours(found["meta"], uid, site)
    identity = {key: before[key] for key in ("id", "version") if key in before}
    act = _act(found, same=_bare(before) == made)
    body = {"dashboard": {**made, **identity}, "folderUid": site.folder_uid, "message": "canary grafana push"}
    return Step(act, f'dashboard "{made["title"]}"', "POST", "/dashboards/db", body)


def _require_ours(meta: Json, uid: str, site: Site) -> None:
    if meta.get("provisioned"):
        raise GrafanaError(f"the dashboard {uid} comes from a provisioning file: use files or push, not both")
    if meta.get("folderUid", "") != site.folder_uid:
        raise GrafanaError(
            f"the dashboard {uid} is in the folder {meta.get('folderUid', '')!r}, not in '{site.folder_uid}': "
            "move it there, or name its folder with --folder-uid"
        )


def _bare(dashboard: Json) -> Json:
    return {key: value for key, value in dashboard.items() if key not in {"id", "version"}}


def _group(grafana: Grafana, group: RuleGroup, site: Site) -> Step:
    rules = [rule_of(rule, group, site.folder_uid, site.prometheus_uid, site.runbooks) for rule in group.rules]
    body = {"title": group.name, "folderUid": site.folder_uid, "interval": INTERVAL, "rules": rules}
    path = f"/v1/provisioning/folder/{site.folder_uid}/rule-groups/{group.name}"
    found = grafana.get(path)
    standing = [] if found is None else found.get("rules", [])
    _require_our_rules(standing, {rule["uid"] for rule in rules}, group)
    act = _act(found if standing else None, same=_holds(found, body))
    return Step(act, f'rule group "{group.name}"', "PUT", path, body)


def _require_our_rules(standing: Sequence[Json], ours: set[str], group: RuleGroup) -> None:
    """A PUT of a group replaces it: what is not ours would be gone."""
    foreign = [repr(rule.get("title")) for rule in standing if rule.get("uid") not in ours]
    if foreign:
        raise GrafanaError(
            f'the rule group "{group.name}" holds rules that are not Canary\'s ({", ".join(foreign)}): '
            "a push would delete them; move them to a group of their own"
        )
    marks = {str(rule.get("provenance") or "") for rule in standing} - _OUR_PROVENANCE
    if marks:
        raise GrafanaError(
            f'the rule group "{group.name}" is provisioned by {", ".join(map(repr, sorted(marks)))}: '
            "use files or push, not both"
        )


def _act(found: Json | None, *, same: bool) -> Act:
    if found is None:
        return Act.CREATE
    return Act.KEEP if same else Act.UPDATE


def _holds(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there as it is wanted; Grafana adds fields of its own."""
    match wanted:
        case dict():
            return isinstance(found, dict) and all(_holds(found.get(key), value) for key, value in wanted.items())
        case list():
            alike = isinstance(found, list) and len(found) == len(wanted)
            return alike and all(_holds(one, other) for one, other in zip(found, wanted, strict=True))
        case _:
            return bool(found == wanted)
