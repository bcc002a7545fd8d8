"""What is fired: probes, and one run of one at one target."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Literal

from canary.records._digest import digest
from canary.records.fleet import Target


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
        return digest({name: fact for name, fact in facts.items() if fact not in (None, ())})

    def prompt(self, salt: int) -> tuple[Message, ...]:
        """The messages of variant `salt`: the salt's line stands before the first message, past prompt caches."""
        if not self.salts:
            return self.messages
        first, *rest = self.messages
        return (Message(first.role, f"{self.salts[salt % len(self.salts)]}\n{first.content}"), *rest)


class Purpose(StrEnum):
    """Why a run is fired; only scheduled and reported ones feed detectors, only golden ones feed baselines."""

    SCHEDULED = "scheduled"
    GOLDEN = "golden"
    REPLAY = "replay"
    COMPARE = "compare"
    GATE = "gate"
    REPORTED = "reported"  # not fired by us: somebody handed in what it showed


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
        return digest((self.purpose.value, self.probe.digest, self.target.name, self.region, when, *place))


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
