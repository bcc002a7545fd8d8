"""The frozen values that travel: what is probed, what came back, what it means.

They hold no behaviour beyond names and digests derived from their own fields. Times are aware UTC `datetime`s;
logprobs are natural logarithms (nats, <= 0).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal

TokenKey = int | bytes
"""A token's identity: its id where the server gives one, else its bytes. Never its text."""


class Dialect(StrEnum):
    """The API a target speaks."""

    OPENAI_CHAT = "openai_chat"
    OPENAI_COMPLETIONS = "openai_completions"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a target is reached. `headers` and `token` may hold secrets: they are never shown."""

    dialect: Dialect
    base_url: str
    model: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str | None = field(default=None, repr=False)
    affinity_header: str | None = None
    replica_header: str | None = None
    extra_body: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one target may be asked to bear, and what one answer may cost us."""

    concurrency: int = 8
    rate_per_second: float = 10.0
    timeout: timedelta = timedelta(seconds=60)
    max_bytes: int = 4_000_000
    tokens_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A model x platform x pool, with its endpoint."""

    model: str
    platform: str
    pool: str
    endpoint: Endpoint
    limits: Limits = Limits()

    @property
    def name(self) -> str:
        return f"{self.model}/{self.platform}/{self.pool}"


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the fleet. Each field is a name or a glob over names; None is any."""

    model: str | None = None
    platform: str | None = None
    pool: str | None = None
    region: str | None = None

    def covers(self, target: str, region: str) -> bool:
        """Whether a target (by its name), seen from a region, lies in it."""
        model, platform, pool = target.rsplit("/", 2)
        return all(_fits(name, part) for name, part in zip((model, platform, pool, region), self.parts, strict=True))

    def overlaps(self, other: "Scope") -> bool:
        """Whether something may lie in both. Of two globs one has to fit the other as it is written."""
        pairs = zip(self.parts, other.parts, strict=True)
        return all(a is None or b is None or _fits(a, b) or _fits(b, a) for a, b in pairs)

    def includes(self, other: "Scope") -> bool:
        """Whether all of the other lies in it."""
        return all(mine is None or mine == theirs for mine, theirs in zip(self.parts, other.parts, strict=True))

    @classmethod
    def of(cls, name: str) -> "Scope":
        """Of a target's name, in which "*" is any."""
        return cls(*(None if part == "*" else part for part in name.rsplit("/", 2)))

    @property
    def parts(self) -> tuple[str | None, str | None, str | None, str | None]:
        return (self.model, self.platform, self.pool, self.region)

    @property
    def name(self) -> str:
        """As people write it: "mid/api/*"; the region only where there is one."""
        return "/".join(part or "*" for part in (self.parts if self.region else self.parts[:3]))


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling parameters. `logprobs` is the top-k asked for with each token (None: none asked).

    `prompt_logprobs` is the same for the tokens of the prompt (teacher forcing), where the server offers it.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: int | None = None
    prompt_logprobs: int | None = None


@dataclass(frozen=True)
class Probe:
    """A fixed prompt with its sampling parameters and scorers. An edit that can change a score changes `digest`."""

    id: str
    family: str
    messages: tuple[Message, ...]
    sampling: Sampling
    scorers: tuple[str, ...]
    why: str
    language: str | None = None
    scripts: tuple[str, ...] = ()
    allow_scripts: tuple[str, ...] = ()
    code_language: str | None = None
    min_tokens: int = 1
    salts: tuple[str, ...] = ()
    answer: str | None = None  # the one right answer: a text to copy, a number, a word
    schema: str | None = None  # a JSON Schema (as JSON) that the answer, or the tool call's arguments, must satisfy
    tools: str | None = None  # what the request offers as tools (as JSON)

    @property
    def group(self) -> str:
        """The probe group: its golden data is pooled, its scores feed one detector per signal."""
        return self.family

    @cached_property
    def digest(self) -> str:
        facts = asdict(self)
        del facts["why"]
        return _digest({name: fact for name, fact in facts.items() if fact not in (None, ())})

    def prompt(self, salt: int) -> tuple[Message, ...]:
        """The messages of variant `salt`: the salt's line stands before the first message, past prompt caches."""
        if not self.salts:
            return self.messages
        first, *rest = self.messages
        return (Message(first.role, f"{self.salts[salt % len(self.salts)]}\n{first.content}"), *rest)


class Purpose(StrEnum):
    """Why a run is fired; only scheduled runs feed detectors, only golden ones feed baselines."""

    SCHEDULED = "scheduled"
    GOLDEN = "golden"
    REPLAY = "replay"
    COMPARE = "compare"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class Run:
    """One probe fired at one target once, at a slot; `burst` runs of it are fired there at the same moment.

    The runs of a burst have consecutive ordinals, the first of which is a multiple of `burst`.
    """

    probe: Probe
    target: Target
    region: str
    slot_time: datetime
    ordinal: int = 0
    salt: int = 0
    purpose: Purpose = Purpose.SCHEDULED
    burst: int = 1

    @property
    def group(self) -> str:
        """The probe group that its scores belong to: each burst size has its own series and baseline."""
        return burst_group(self.probe.group, self.burst)

    @property
    def volley(self) -> "tuple[Run, ...]":
        """All runs of its burst, itself among them, by ordinal: same probe, same salt."""
        first = self.ordinal - self.ordinal % self.burst
        return tuple(replace(self, ordinal=first + nth) for nth in range(self.burst))

    @property
    def slot_id(self) -> str:
        when = self.slot_time.astimezone(UTC).isoformat(timespec="milliseconds")
        place = (self.ordinal,) if self.burst == 1 else (self.ordinal, self.burst)
        return _digest((self.purpose.value, self.probe.digest, self.target.name, self.region, when, *place))


class Finish(StrEnum):
    """Why the answer ended."""

    STOP = "stop"
    LENGTH = "length"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Logprobs:
    """Logprobs of the chosen tokens and of the top-k at each position; all four tuples are equally long.

    Within a position `top` and `top_logprob` are equally long, most probable first; a position may be empty.
    """

    chosen: tuple[TokenKey, ...]
    chosen_logprob: tuple[float, ...]
    top: tuple[tuple[TokenKey, ...], ...]
    top_logprob: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, parsed and bounded."""

    text: str = field(repr=False)
    finish: Finish
    model: str = ""
    server: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    logprobs: Logprobs | None = field(default=None, repr=False)
    prompt_logprobs: Logprobs | None = field(default=None, repr=False)
    tool_calls: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # name and arguments (JSON text, as sent)


class FailureKind(StrEnum):
    """Why nothing usable came back."""

    TIMEOUT = "timeout"  # no whole answer within the limit
    UNREACHABLE = "unreachable"  # no connection: refused, DNS, TLS, reset
    REFUSED = "refused"  # the server will not serve us: 3xx, 400, 401, 403, 404, ...
    THROTTLED = "throttled"  # 429, or 503 with Retry-After
    FAILED = "failed"  # 5xx
    MALFORMED = "malformed"  # an answer that cannot be read: not JSON, too large, wrong shape


@dataclass(frozen=True, slots=True)
class Failure:
    """`detail` is ours, never the target's text, so that it may be logged."""

    kind: FailureKind
    detail: str
    status: int | None = None
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """The record of one run: exactly one of `response` and `failure` is set."""

    slot_id: str
    probe_id: str
    probe_digest: str
    group: str
    target: str
    region: str
    slot_time: datetime
    started_at: datetime
    duration: timedelta
    ordinal: int = 0
    salt: int = 0
    purpose: Purpose = Purpose.SCHEDULED
    affinity: str = ""
    replica: str = ""
    response: Response | None = None
    failure: Failure | None = None

    @property
    def burst(self) -> int:
        """How many equal runs were fired at once, this one among them."""
        return burst_size(self.group)

    @property
    def leads(self) -> bool:
        """Whether it is the first of its burst."""
        return self.ordinal % self.burst == 0

    @property
    def unit(self) -> tuple[object, ...]:
        """What the observations of one burst have in common, and no others: a burst is one unit."""
        place = self.purpose, self.target, self.region, self.group, self.probe_digest
        return (*place, self.slot_time, self.ordinal // self.burst)


class Symptom(StrEnum):
    """The family of fault that a signal speaks of."""

    CORRUPTION = "corruption"
    DEVIATION = "deviation"
    SELECTION = "selection"
    SHAPE = "shape"
    AVAILABILITY = "availability"


class SignalKind(StrEnum):
    """How a score feeds a detector.

    EVENT: the answer counts as one event when its value exceeds the probe's golden threshold; exposure matters.
    DISTANCE: the value is a distance from golden; judged by its calibration-conditional p-value.
    BOUNDED: the value is 0 or 1, and either is healthy; judged by its mean.
    """

    EVENT = "event"
    DISTANCE = "distance"
    BOUNDED = "bounded"


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that is scored. A change of `version` opens a new series."""

    name: str
    version: int
    kind: SignalKind
    symptom: Symptom
    unit: str
    exposure_unit: str


class UnscoredReason(StrEnum):
    """Why an answer could not be judged."""

    FAILED = "failed"  # there was no response
    EMPTY = "empty"  # nothing to scan
    TOO_SHORT = "too_short"  # fewer letters or tokens than the scorer needs
    TOO_LONG = "too_long"
    NO_LOGPROBS = "no_logprobs"
    BAD_LOGPROBS = "bad_logprobs"  # present but impossible (positive, NaN, sums above one)
    NO_REFERENCE = "no_reference"  # no golden answers of this probe on this target yet
    NO_CODE = "no_code"
    NOT_GREEDY = "not_greedy"  # sampled at a temperature above zero
    UNSUPPORTED = "unsupported"
    CRASHED = "crashed"  # the scorer raised: a fault of ours, not of the target


@dataclass(frozen=True, slots=True)
class Score:
    """A number with unit and range (see the signal). `note` places the worst finding without quoting the answer."""

    signal: str
    version: int
    value: float
    exposure: float = 1.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unscored:
    signal: str
    version: int
    reason: UnscoredReason


@dataclass(frozen=True, slots=True)
class Reference:
    """What golden answers of one probe (digest, salt) on one target look like: input of the scorers that compare.

    `answers` are the digests of the distinct texts with their counts, most frequent first; `prompt_tokens` the distinct
    counts; `lengths` the completion tokens of each answer, ascending. `prompt_logprobs` are of the prompt's own tokens.
    """

    probe_digest: str
    salt: int
    logprobs: tuple[Logprobs, ...] = ()
    prompt_logprobs: tuple[Logprobs, ...] = ()
    answers: tuple[tuple[str, int], ...] = ()
    prompt_tokens: tuple[int, ...] = ()
    lengths: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """A series: one signal on one (probe group, target), seen from one region.

    A part of the fleet that is watched as a whole has a series too: "*" stands for any model, platform, pool or group,
    and the group "*@name" for one replica of a pool.
    """

    target: str
    region: str
    group: str
    signal: str


class BaselineStatus(StrEnum):
    PROPOSED = "proposed"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class BaselinePart:
    """One probe's share of a baseline. An answer is an event when its value exceeds `threshold`.

    The other fields are those of the baseline, of this probe's answers alone.
    """

    probe_digest: str
    n: int
    threshold: float = 0.0
    events: int = 0
    calibration: tuple[float, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The golden, frozen, in-control reference of a series.

    `n` judged golden answers with total `exposure`, `events` of which were events. For a DISTANCE signal `calibration`
    holds their sorted values. In a probe group of bursts, a burst counts as one answer: its worst. `version` is that
    of the model, where somebody declared one.
    """

    id: str
    series: SeriesKey
    epoch: int
    status: BaselineStatus
    scorer_version: int
    created_at: datetime
    n: int
    exposure: float
    events: int
    parts: tuple[BaselinePart, ...]
    calibration: tuple[float, ...] = field(default=(), repr=False)
    version: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """A session of golden answers from one target: epoch `epoch`, `n` judged answers or bursts for each probe group."""

    id: str
    target: str
    region: str
    epoch: int
    n: int
    started_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A detector crossed its threshold on one series. `evidence` is ln R at the crossing (>= 0)."""

    id: str
    series: SeriesKey
    slot_id: str
    at: datetime
    evidence: float
    detector: str


class IncidentState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval of time with its best estimate."""

    low: datetime
    best: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class Size:
    """How many answers are touched: a share in [0, 1] with its confidence interval."""

    low: float
    best: float
    high: float
    confidence: float
    answers: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault is: a part of the fleet, perhaps in one probe group or on one replica alone ("": any)."""

    scope: Scope
    group: str = ""
    replica: str = ""

    @property
    def name(self) -> str:
        """As people write it: "mid/api/*", "mid/api/main, replica 7", "mid/api/main, probe group prose"."""
        replica = f", replica {self.replica}" if self.replica else ""
        return f"{self.scope.name}{replica}{f', probe group {self.group}' if self.group else ''}"


@dataclass(frozen=True, slots=True)
class Blame:
    """The smallest place that explains an alarm, the next best one, and by how many nats it explains it better.

    `target` is the one that shows the fault most.
    """

    place: Place
    target: str
    runner_up: Place | None = None
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one series of an incident shows. Where it `worsened` later, the size is that since then."""

    series: SeriesKey
    symptom: Symptom
    alarms: int
    onset: Interval
    size: Size
    evidence: tuple[str, ...]  # slot ids, strongest first
    recovered_at: datetime | None = None
    worsened: Interval | None = None
    blame: Blame | None = None

    @property
    def scope(self) -> Scope:
        """The part of the fleet that it speaks of."""
        return self.blame.place.scope if self.blame else Scope.of(self.series.target)

    @property
    def target(self) -> str:
        """The target that shows it most."""
        return self.blame.target if self.blame else self.series.target

    @property
    def group(self) -> str:
        """The probe group that it speaks of, "*" for any."""
        return self.blame.place.group or "*" if self.blame else self.series.group


@dataclass(frozen=True, slots=True)
class Incident:
    """Alarms judged one event, in the part of the fleet that is (model, platform, pool), where "*" is any."""

    id: str
    state: IncidentState
    model: str
    platform: str
    pool: str
    opened_at: datetime
    updated_at: datetime
    findings: tuple[Finding, ...]
    version: int = 1
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    reopened: int = 0
    flapping: bool = False
    suppressed_by: str | None = None

    @property
    def target(self) -> str:
        """The name of its part of the fleet: of one target, or with "*" of many."""
        return f"{self.model}/{self.platform}/{self.pool}"

    @property
    def scope(self) -> Scope:
        return Scope.of(self.target)

    def touches(self, target: str, region: str) -> bool:
        """Whether one of its findings speaks of this target."""
        return any(finding.scope.covers(target, region) for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What the answers of one series are judged by in a verdict.

    Against a baseline: a detector, by its digest, and the golden threshold of each probe by its digest. Against another
    target: `pairs` of answers, as events or as numbers; the series is then that of the target under judgement.
    """

    series: SeriesKey
    version: int  # of the scorer
    detector: str = ""
    thresholds: Mapping[str, float] = field(default_factory=dict, repr=False)
    pairs: Literal["", "event", "number"] = ""

    @property
    def name(self) -> str:
        """Within its verdict: "prose/script"."""
        return f"{self.series.group}/{self.series.signal}"


@dataclass(frozen=True, slots=True)
class KeptVerdict:
    """A verdict on demand as it is kept: what was said, and all that is needed to say it again from the same answers.

    `slots` are the runs that were judged, in the order of judging; the runs of a burst stand together, and those of a
    pair. `evidence`, `better` and `soundness` are in nats, as the engine says.
    """

    id: str
    kind: Purpose
    at: datetime
    target: str
    against: str | None  # another target; None: the baseline
    share: float
    alpha: float
    beta: float
    power: float
    yardsticks: tuple[Yardstick, ...] = field(repr=False)
    slots: tuple[str, ...] = field(repr=False)
    verdict: Literal["pass", "fail", "inconclusive"]
    evidence: float
    soundness: float
    signal: str
    visible: float
    answers: int
    better: float | None = None


class NotificationKind(StrEnum):
    TRIGGER = "trigger"
    UPDATE = "update"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Notification:
    """A message owed to a receiver. `id` is stable, so that a receiver can drop a repeat."""

    id: str
    incident_id: str
    kind: NotificationKind
    receiver: str
    body: str = field(repr=False)  # JSON
    created_at: datetime
    not_before: datetime
    attempts: int = 0


class ChangeKind(StrEnum):
    """What was changed."""

    DEPLOY = "deploy"  # other code on the servers: engine, sampler, kernels, compiler
    CONFIG = "config"  # other settings of the same code
    FLAG = "flag"
    ROUTING = "routing"  # weights, load balancing, rules
    ROLLOUT = "rollout"  # a deploy that reaches its scope step by step
    MODEL = "model"  # weights, quantisation, tokenizer, chat template
    SCALE = "scale"  # more or fewer servers of the same kind
    HARDWARE = "hardware"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that somebody changed. Between `at` and `finished_at` it took effect step by step."""

    id: str
    kind: ChangeKind
    at: datetime
    summary: str
    scope: Scope = Scope()
    link: str = ""
    author: str = ""
    finished_at: datetime | None = None


def _fits(name: str, glob: str | None) -> bool:
    return glob is None or fnmatchcase(name, glob)


def burst_group(group: str, burst: int) -> str:
    """The probe group of `burst` equal requests at once.

    >>> burst_group("onetoken", 8)
    'onetoken@8'
    """
    return group if burst == 1 else f"{group}@{burst}"


def burst_size(group: str) -> int:
    """How many equal requests at once make a run of this probe group.

    A replica's group is not one of bursts.

    >>> burst_size("onetoken@8"), burst_size("onetoken"), burst_size("*@server-8")
    (8, 1, 1)
    """
    _, at, size = group.rpartition("@")
    return int(size) if at and not group.startswith("*") else 1


def answer_digest(text: str) -> str:
    """An answer's identity, which tells nothing of its text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _digest(facts: object) -> str:
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
