"""What came back, or why nothing usable did."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from canary.records.probe import Purpose, burst_size

TokenKey = int | bytes
"""A token's identity: its id where the server gives one, else its bytes. Never its text."""


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


def answer_digest(text: str) -> str:
    """An answer's identity, which tells nothing of its text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
