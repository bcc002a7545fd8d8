"""The shape of the config file. What one value must be stands here; how they fit together, in `fleet` and `model`."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from canary.config.feedback import Feedback
from canary.config.fields import (
    Duration,
    Flag,
    HeaderName,
    HeaderSecret,
    Json,
    Name,
    Scalar,
    Secret,
    Some,
    Strict,
    Text,
    UrlSecret,
    between,
    folder,
    http_url,
)
from canary.config.match import Match
from canary.config.receivers import Receiver
from canary.config.routes import Links, Maintenance, Route
from canary.config.web import Web
from canary.records import Dialect

Names = Annotated[tuple[Name, ...], Field(max_length=1_000)]
Bursts = Annotated[tuple[Annotated[int, Field(ge=1, le=256), Scalar], ...], Field(max_length=8), Some]
_EVER = timedelta(days=36_500)
_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgresql+psycopg://")


class Retention(Strict):
    """How long things are kept."""

    healthy_bodies: Annotated[Duration, between(timedelta(hours=1), _EVER)] = timedelta(days=7)
    failure_bodies: Annotated[Duration, between(timedelta(hours=1), _EVER)] = timedelta(days=90)
    observations: Annotated[Duration, between(timedelta(days=1), _EVER)] = timedelta(days=400)


class Store(Strict):
    """Where everything is kept. A relative SQLite path starts at the folder of the config file."""

    url: Annotated[Secret, Field(validate_default=True)] = SecretStr(f"{_SQLITE}canary.db")
    retention: Retention = Retention()

    @field_validator("url")
    @classmethod
    def _anchored(cls, url: SecretStr, info: ValidationInfo) -> SecretStr:
        text = url.get_secret_value()
        if not text.startswith((_SQLITE, *_POSTGRES)):
            raise ValueError(f"should start with {_SQLITE} or {_POSTGRES[0]}")
        file = text.removeprefix(_SQLITE)
        relative = text.startswith(_SQLITE) and file and not file.startswith((":", "/"))
        return SecretStr(f"{_SQLITE}{folder(info) / file}") if relative else url


class Budget(Strict):
    """False alarms per week for the whole fleet; the probability, over all series, that a baseline bound is wrong.

    `weights` by signal say how the false alarms are shared out: a signal with 4 gets four times the part of one with 1,
    and is found a little sooner.
    """

    false_alarms_per_week: Annotated[float, Field(gt=0, le=1_000), Scalar] = 0.25
    delta: Annotated[float, Field(gt=0, le=0.1), Scalar] = 0.05
    weights: dict[Name, Annotated[float, Field(ge=0.01, le=100), Scalar]] = Field(default_factory=dict, max_length=100)


class Escalation(Strict):
    """What is past its warning is probed `factor` times as often, until the evidence falls back or an alarm tells.

    `warning` is evidence (ln R, as `canary status` shows it; an alarm is at 0). In any seven days all extra runs
    together cost at most `extra_share` of the tokens that the suites cost in a week; 0 turns escalation off.
    """

    factor: Annotated[int, Field(ge=2, le=20), Scalar] = 5
    warning: Annotated[float, Field(ge=-30, le=-0.5), Scalar] = -6.0
    extra_share: Annotated[float, Field(ge=0, le=1), Scalar] = 0.05


class Detect(Strict):
    """The smallest share of touched answers that has to be seen: a series is armed when its golden data allow it.

    With `replicas`, each replica of a pool is watched by itself: where all are alike, as golden data cannot tell.
    """

    smallest_share: Annotated[float, Field(ge=0.001, le=1), Scalar] = 0.05
    replicas: Flag = False
    escalation: Escalation = Escalation()


class TargetName(Strict):
    """One target that the matrix lacks. An `external` one is not fired at: its scores are handed in over the API."""

    model: Name
    platform: Name
    pool: Name
    external: Flag = False


class Limits(Strict):
    """What one target may be asked to bear, and what one answer may cost us."""

    concurrency: Annotated[int, Field(ge=1, le=256), Scalar] = 8
    rate_per_second: Annotated[float, Field(gt=0, le=1_000), Scalar] = 10.0
    timeout: Annotated[Duration, between(timedelta(milliseconds=100), timedelta(hours=1))] = timedelta(seconds=60)
    max_answer_bytes: Annotated[int, Field(ge=1_000, le=100_000_000), Scalar] = 4_000_000
    tokens_per_day: Annotated[int, Field(ge=1), Scalar] | None = None


class Endpoint(Strict):
    """How the targets that fit `match` are reached; {model}, {platform} and {pool} stand for the target's own."""

    match: Match = Match()
    dialect: Annotated[Dialect, Field(strict=False)] = Dialect.OPENAI_CHAT
    base_url: Text
    model: Text = "{model}"
    token: HeaderSecret | None = None
    headers: dict[HeaderName, HeaderSecret] = Field(default_factory=dict, max_length=50)
    affinity_header: HeaderName | None = None
    replica_header: HeaderName | None = None
    extra_body: dict[str, Json] = Field(default_factory=dict, max_length=100)
    limits: Limits = Limits()

    @field_validator("base_url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        http_url(url)
        parts = urlsplit(url)
        if "@" in parts.netloc:
            raise ValueError("should not hold a user or password: use token or headers")
        if parts.query or parts.fragment:
            raise ValueError("should end with its path: no ? and no #")
        return url

    @field_validator("base_url", "model")
    @classmethod
    def _known_placeholders(cls, text: str) -> str:
        if re.search(r"[{}]", re.sub(r"\{(model|platform|pool)\}", "", text)):
            raise ValueError("has an unknown placeholder: only {model}, {platform} and {pool} are filled in")
        return text


class ProbeFolders(Strict):
    """Where probes come from. Relative folders start at the folder of the config file."""

    folders: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    builtin: Flag = True

    def paths(self, start: Path) -> tuple[Path, ...]:
        return tuple(start / name for name in self.folders)


class Suite(Strict):
    """A schedule: each interval, each target gets one probe of each group, drawn at random.

    What is fired: the probes named, or those of the families (default: all) that cost no more than
    `max_tokens_per_run`, prompt and longest answer together; or a built-in suite, by `use`. Each is fired alone, or,
    with `burst`, in as many equal requests at once, each number a probe group of its own.
    """

    name: Name
    interval: Annotated[Duration, between(timedelta(milliseconds=100), timedelta(weeks=4))]
    jitter: Duration | None = None
    use: Name | None = None
    families: Names | None = None
    probes: Names | None = None
    max_tokens_per_run: Annotated[int, Field(ge=1), Scalar] = 4_000
    burst: Bursts = (1,)
    targets: Match = Match()

    @field_validator("jitter")
    @classmethod
    def _below_interval(cls, jitter: timedelta | None, info: ValidationInfo) -> timedelta | None:
        if jitter is not None and "interval" in info.data and jitter >= info.data["interval"]:
            raise ValueError("should be shorter than the interval")
        return jitter

    @field_validator("probes")
    @classmethod
    def _one_choice(cls, probes: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if probes is not None and info.data.get("families") is not None:
            raise ValueError("stands beside families: give one of the two")
        return probes

    @field_validator("families", "probes")
    @classmethod
    def _unless_used(cls, names: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if names is not None and info.data.get("use") is not None:
            raise ValueError("stands beside use: give one of the two")
        return names

    @field_validator("burst")
    @classmethod
    def _distinct(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(sizes)) < len(sizes):
            raise ValueError("should not repeat itself")
        return sizes

    @property
    def spread(self) -> timedelta:
        """The jitter, by default a tenth of the interval."""
        return self.interval / 10 if self.jitter is None else self.jitter


class Control(Strict):
    """How often the control target is probed: one inside of Canary, with a known fault, that no budget knows of."""

    interval: Annotated[Duration, between(timedelta(milliseconds=100), timedelta(minutes=1))] = timedelta(seconds=5)


class Heartbeat(Strict):
    """A dead-man's switch: an empty POST to `url`, sent only while the injected fault of the control is detected."""

    url: UrlSecret
    every: Annotated[Duration, between(timedelta(seconds=1), timedelta(hours=1))] = timedelta(minutes=1)
    control: Control = Control()


class Common(Strict):
    """What the daemon takes from the file as it stands."""

    region: Name = "local"
    store: Store = Field({}, validate_default=True)  # so that its url starts at the right folder
    budget: Budget = Budget()
    detect: Detect = Detect()
    suites: Annotated[tuple[Suite, ...], Field(max_length=1_000), Some]
    receivers: Annotated[tuple[Receiver, ...], Field(max_length=1_000)] = ()
    heartbeat: Heartbeat | None = None
    feedback: Feedback | None = None
    route: Route | None = None
    maintenance: Annotated[tuple[Maintenance, ...], Field(max_length=1_000)] = ()
    links: Links = Links()
    web: Web = Web()


class Settings(Common):
    """Canary's config file."""

    version: Annotated[Literal[1], Scalar]
    models: Names = ()
    platforms: Names = ()
    pools: Names = ()
    exclude: Annotated[tuple[Match, ...], Field(max_length=1_000)] = ()
    include: Annotated[tuple[TargetName, ...], Field(max_length=1_000)] = ()
    endpoints: Annotated[tuple[Endpoint, ...], Field(max_length=1_000), Some]
    probes: ProbeFolders = ProbeFolders()
    scorers: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
