"""The fleet, its targets and its series."""

from typing import Annotated

from pydantic import Field

from canary.web.api.fields import Out
from canary.web.api.models import IncidentOut


class TargetOut(Out):
    model: str
    platform: str
    pool: str
    state: str
    stale: bool
    last_result_at: str | None
    interval_seconds: float
    series: int
    armed: int
    escalated: list[str]


class StatusOut(Out):
    status_schema: Annotated[str, Field(alias="schema")]
    at: str
    version: str
    region: str
    targets: list[TargetOut]
    incidents: list[IncidentOut]


class EvidenceReached(Out):
    nats: float | None
    scores: int
    last_slot_at: str | None


class LearnedOut(Out):
    golden: int
    needed: int
    visible_share: float | None


class BudgetOut(Out):
    share: float
    false_alarms_per_week: float
    arl_seconds: float
    interval_seconds: float


class DelayOut(Out):
    share: float
    probes: int | None
    seconds: float | None
    golden_needed: int | None


class ReachOut(Out):
    not_below: float | None
    delays: list[DelayOut]


class SeriesOut(Out):
    target: str
    region: str
    group: str
    signal: str
    kind: str
    symptom: str
    armed: bool
    evidence: EvidenceReached | None
    learned: LearnedOut
    budget: BudgetOut | None
    reach: ReachOut | None


class SeriesPage(Out):
    """`next` is the `after` of the following page; null at the end."""

    series: list[SeriesOut]
    next: int | None
