"""The fleet, its targets and its series."""

from typing import Annotated

from pydantic import Field

from canary.web.api.fields import Out
from canary.web.api.models import IncidentOut, QuietOut


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
    silenced: QuietOut | None


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


class RowOut(Out):
    """A target, as `canary status` shows it."""

    target: str
    state: str
    evidence_nats: float | None
    strongest: str | None
    trend_nats: list[float | None]
    touched_share: float | None
    armed: int
    series: int
    escalated: list[str]
    silenced: QuietOut | None
    golden: int | None
    golden_needed: int | None
    visible_share: float | None
    last_slot_at: str | None
    seen_seconds: float | None


class HeardAsWholeOut(Out):
    place: str
    signal: str
    evidence: float
    seen: float | None


class FleetBudgetOut(Out):
    false_alarms_per_week: float
    series_share: float
    levels: list[str]


class SurveyOut(Out):
    """The fleet at a glance."""

    targets: list[RowOut]
    parts: list[HeardAsWholeOut]
    incidents: list[IncidentOut]
    budget: FleetBudgetOut
    reach: list[dict[str, object]] | None = None
