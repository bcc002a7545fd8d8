"""Incidents and changes."""

from canary.changes import scope
from canary.records import ChangeKind, Scope
from canary.web.api.fields import In, Kind, Line, Link, Moment, Out, Where


class ChangeIn(In):
    """What was changed, in a few words; see `canary change add --help`."""

    kind: Kind
    summary: Line
    scope: Where = "*"
    at: Moment | None = None
    until: Moment | None = None
    link: Link | None = None
    id: Line | None = None

    @property
    def place(self) -> Scope:
        return scope(self.scope)


class ScopeOut(Out):
    model: str | None
    platform: str | None
    pool: str | None
    region: str | None


class ChangeOut(Out):
    id: str
    kind: ChangeKind
    at: str
    finished_at: str | None
    summary: str
    scope: ScopeOut
    author: str
    link: str


class RecordedOut(ChangeOut):
    recorded: bool
    targets: list[str]


class IntervalOut(Out):
    low: str
    best: str
    high: str


class SizeOut(Out):
    share: float
    low: float
    high: float
    confidence: float
    answers: int


class FindingOut(Out):
    signal: str
    symptom: str
    group: str
    region: str
    alarms: int
    onset: IntervalOut
    worsened: IntervalOut | None
    size: SizeOut
    recovered_at: str | None
    where: dict[str, object] | None


class FactsOut(Out):
    id: str
    version: int
    state: str
    opened_at: str
    updated_at: str
    resolved_at: str | None
    acknowledged_by: str | None
    resolved_by: str | None
    reopened: int
    flapping: bool
    suppressed_by: str | None


class SuspectOut(Out):
    probability: float
    reason: str
    change: ChangeOut | None


class QuietOut(Out):
    """A silence or a maintenance window that holds; `matchers` say what it covers."""

    name: str
    until: str
    matchers: list[str]
    maintenance: bool
    reason: str
    author: str | None


class PartOut(Out):
    model: str
    platform: str
    pool: str


class PeakOut(Out):
    """The largest share that stands in some part, what it is a share of, and where."""

    share: float
    of: str
    place: str


class IncidentOut(Out):
    """As in notifications (`canary.incident/1`)."""

    summary: str
    incident: FactsOut
    target: PartOut
    symptoms: list[str]
    signals: list[str]
    regions: list[str]
    since: IntervalOut
    size: SizeOut
    size_of: str
    peak: PeakOut
    findings: list[FindingOut]
    findings_total: int
    evidence: list[str]
    suspects: list[SuspectOut]
    worsened: dict[str, object] | None
    replay: str
    text: list[str]
    silenced: QuietOut | None = None


class ShownOut(IncidentOut):
    exhibits: list[dict[str, object]]
    timeline: list[dict[str, str]]


class DecidedOut(IncidentOut):
    reason: str


class EvidenceOut(Out):
    """A run with its answer and scores."""

    slot_id: str
    probe: str
    target: str
    started_at: str
    duration_seconds: float
    replica: str
    failure: dict[str, object] | None
    answer: str | None
    tool_calls: list[dict[str, str]]
    finish: str | None
    completion_tokens: int | None
    logprobs: bool
    prompt_logprobs: bool
    scores: list[dict[str, object]]


class HeardOut(Out):
    """What a webhook came to."""

    recorded: int
    known: int
