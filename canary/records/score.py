"""What an answer is worth, and the series that its scores make up."""

from dataclasses import dataclass
from enum import StrEnum

from canary.records.answer import Logprobs


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
    COUNT: the value is a count in a window, and its exposure what it was counted among; judged by its rate.
    """

    EVENT = "event"
    DISTANCE = "distance"
    BOUNDED = "bounded"
    COUNT = "count"


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
