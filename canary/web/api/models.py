"""What goes in, strictly, and what comes out. To what comes out, fields may be added within version 1."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from canary.changes import link, moment, one_line, scope
from canary.records import ChangeKind, Scope, UnscoredReason


class In(BaseModel):
    """Strict: all keys are known, nothing is taken for something else, nothing is quoted in errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Out(BaseModel):
    """As it is told; fields may be added."""


def _moment(value: object) -> object:
    return moment(value) if isinstance(value, str) else value


def _scope(text: str) -> str:
    scope(text)
    return text


def _line(text: str) -> str:
    line = one_line(text)
    if not line:
        raise ValueError("is empty: write one line")
    return line


def _made(kind: ChangeKind) -> ChangeKind:
    if kind is ChangeKind.GATE:
        raise ValueError("is recorded by gates themselves")
    return kind


Moment = Annotated[datetime, BeforeValidator(_moment)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=1_000), AfterValidator(_line)]
Link = Annotated[str, StringConstraints(max_length=500), AfterValidator(link)]
Person = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._@:+-]{1,80}$")]
Where = Annotated[
    str,
    StringConstraints(max_length=400, pattern=r"^(\*|[A-Za-z0-9._:@+*?\[\]!-]+(/[A-Za-z0-9._:@+*?\[\]!-]+){2,3})$"),
    AfterValidator(_scope),
]
Glob = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@+*?/\[\]!-]{1,240}$")]
TargetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@+-]{1,80}(/[A-Za-z0-9._:@+-]{1,80}){2}$")]
GateKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@+/-]{1,400}$")]
Identity = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$")]


class Misfit(Out):
    at: str
    what: str


class Problem(Out):
    """Why not."""

    error: str
    problems: list[Misfit] = []


class ActIn(In):
    """Who acts; by default the token, by its name."""

    by: Person | None = None


class ChangeIn(In):
    """What was changed, in a few words; see `canary change add --help`."""

    kind: Annotated[ChangeKind, Field(strict=False), AfterValidator(_made)]
    summary: Line
    scope: Where = "*"
    at: Moment | None = None
    until: Moment | None = None
    link: Link | None = None
    author: Line | None = None
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


class PartOut(Out):
    model: str
    platform: str
    pool: str


class IncidentOut(Out):
    """As in notifications (`canary.incident/1`)."""

    summary: str
    incident: FactsOut
    target: PartOut
    symptoms: list[str]
    signals: list[str]
    since: IntervalOut
    size: SizeOut
    findings: list[FindingOut]
    findings_total: int
    evidence: list[str]
    suspects: list[SuspectOut]
    worsened: dict[str, object] | None
    replay: str
    text: list[str]


class ShownOut(IncidentOut):
    exhibits: list[dict[str, object]]


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


class HeardOut(Out):
    """What a webhook came to."""

    recorded: int
    known: int


class GateIn(In):
    """What `canary gate` is asked; the same target and key is the same gate for an hour after its end."""

    target: TargetName
    key: GateKey
    against: TargetName | None = None
    suite: Person | None = None
    share: Annotated[float, Field(ge=0.001, le=0.99)] | None = None
    max_probes: Annotated[int, Field(ge=1, le=10_000)] = 400
    max_seconds: Annotated[int, Field(ge=10, le=3_600)] = 300
    wait: Annotated[float, Field(ge=0, le=25)] = 0.0


class FlaggerMetadata(In):
    """What the webhook says: all of it texts."""

    target: TargetName
    key: GateKey | None = None
    against: TargetName | None = None
    suite: Person | None = None
    share: Annotated[str, StringConstraints(pattern=r"^0\.[0-9]{1,4}$")] | None = None
    max_probes: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}$")] = "400"
    max_seconds: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{1,2}$")] = "300"
    wait: Annotated[str, StringConstraints(pattern=r"^(1?[0-9]|2[0-5])$")] = "8"


class FlaggerIn(BaseModel):
    """A Flagger webhook: one gate for each checksum of a canary, in each of its phases."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)

    name: Person
    namespace: Person
    phase: Person
    checksum: Person = "none"
    metadata: FlaggerMetadata

    @property
    def gate(self) -> GateIn:
        said = self.metadata
        key = said.key or f"{self.namespace}/{self.name}:{self.phase}:{self.checksum}"
        share = None if said.share is None else max(0.001, float(said.share))
        return GateIn(
            target=said.target,
            key=key,
            against=said.against,
            suite=said.suite,
            share=share,
            max_probes=int(said.max_probes),
            max_seconds=int(said.max_seconds),
            wait=float(said.wait),
        )


class GateOut(Out):
    """How a gate stands; `report` is what `canary gate --json` says."""

    target: str
    key: str
    phase: str
    value: int
    verdict: str | None
    trouble: str | None
    report: dict[str, object] | None


class WindowIn(In):
    """`count` complaints of a class among `exposure` requests, in the `seconds` until `at`."""

    model: Person
    platform: Person
    pool: Person
    kind: Annotated[Person, Field(alias="class")]
    at: Moment
    seconds: Annotated[int, Field(ge=1, le=604_800)]
    count: Annotated[int, Field(ge=0, le=1_000_000_000)]
    exposure: Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]


class FeedbackIn(In):
    """Numbers alone: there is no place for a text."""

    windows: Annotated[list[WindowIn], Field(min_length=1, max_length=1_000)]


class TakenOut(Out):
    """How many were new; those known already are left as they are."""

    new: int
    known: int


class MarkIn(In):
    """A value on an exposure, or the reason why there is none."""

    signal: Person
    version: Annotated[int, Field(ge=0, le=1_000_000)]
    value: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | None = None
    exposure: Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)] = 1.0
    unscored: Annotated[UnscoredReason, Field(strict=False)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.value is None) == (self.unscored is None):
            raise ValueError("has either a value or the reason why there is none")
        return self


class LineIn(In):
    """What `canary score` writes of one answer."""

    id: Person
    probe: Person
    digest: Identity
    at: Moment
    replica: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._@:+-]{0,80}$")] = ""
    scores: Annotated[list[MarkIn], Field(min_length=1, max_length=100)]
