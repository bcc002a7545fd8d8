"""Which recorded change caused an incident, with what probability, and why.

The model
=========

Exactly one thing caused the incident: one of the recorded changes, or something that nobody recorded. By Bayes, the
probability of each is proportional to

    prior  x  how well the onset fits  x  how well the scope fits

The *prior* is the chance that such a change breaks something. A deploy: 5 %, the change failure rate of the best
teams (DORA, Accelerate State of DevOps Report 2024). The other kinds stand to it as the triggers of Google's outages
stand to binary pushes (Site Reliability Workbook, appendix C: binary push 37 %, configuration push 31 %, service
provider 5 %, capacity 5 %, hardware 2 %), as if all kinds were made equally often, for nobody publishes how often.
Routing and flags count as configuration, a rollout and a model as a deploy.

*Onset.* The time from a change to its fault has density (1 / t) (1 + lag / t)^-2 with median t: most faults show at
once, some lie latent for long. t is our judgement of how long the kind takes to be everywhere, or the time that this
very change took (`finished_at`), if longer. The density is averaged over the onset's interval, half of the weight on
either side of its best estimate. A change after the interval has none.

*Scope.* A spot is a target, seen from a region. Of the n watched spots that its cause covers, a fault shows in k with
odds 1 / k, whichever they are: so quiet neighbours speak against a change that covers them, and softly, since the first
alarm always comes from one of them. Each touched spot outside of the change's scope costs a factor of ten (a
judgement). A change that covers no touched spot has probability 0.

*No recorded change* strikes at a constant rate: one a week, or more where many changes are recorded, for about 30 % of
outages are not due to changes (Site Reliability Engineering, chapter 1). Its scope is any part of the fleet that model,
platform, pool and region can name.

In a simulated fleet that is as this model says, the probabilities are right (tests/statistics/test_suspects.py).
Nothing is fitted to data of your fleet: read them as an order of suspicion, not as a court's finding.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import product

import numpy as np

from canary.records import Change, ChangeKind, Interval, Scope

LOOK_BACK = timedelta(days=14)
"""Changes that are older when a fault begins are not suspected."""

Spot = tuple[str, str]
"""A target (by its name), seen from a region."""

_HOUR = timedelta(hours=1)
_RESOLUTION = timedelta(minutes=1)  # of clocks and of what people record
_BEYOND = 0.1
_UNRECORDED_PER_HOUR = 1.0 / 168.0
_UNRECORDED_TO_RECORDED = 0.3 / 0.7


@dataclass(frozen=True, slots=True)
class _Kind:
    prior: float
    takes: timedelta
    words: str


_KINDS: Mapping[ChangeKind, _Kind] = {
    ChangeKind.DEPLOY: _Kind(0.05, timedelta(minutes=15), "deploys are a common cause"),
    ChangeKind.ROLLOUT: _Kind(0.05, timedelta(hours=2), "rollouts are a common cause"),
    ChangeKind.MODEL: _Kind(0.05, timedelta(minutes=15), "changes of a model are a common cause"),
    ChangeKind.CONFIG: _Kind(0.042, timedelta(minutes=5), "config changes are a common cause"),
    ChangeKind.ROUTING: _Kind(0.042, timedelta(minutes=5), "routing changes are a common cause"),
    ChangeKind.FLAG: _Kind(0.042, timedelta(minutes=2), "flags are a common cause"),
    ChangeKind.SCALE: _Kind(0.007, timedelta(minutes=10), "scaling is a rare cause"),
    ChangeKind.HARDWARE: _Kind(0.003, timedelta(hours=1), "changes of hardware are a rare cause"),
    ChangeKind.OTHER: _Kind(0.007, timedelta(minutes=15), "changes of other kinds are a rare cause"),
}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A possible cause. `change` is None for "no recorded change"; the probabilities of a ranking sum to 1."""

    change: Change | None
    probability: float
    reason: str


@dataclass(frozen=True, slots=True)
class Suspects:
    """An incident's rankings: of what began it, and of what made it worse, if it got worse. Empty: not ranked."""

    onset: tuple[Suspect, ...] = ()
    worsening: tuple[Suspect, ...] = ()


@dataclass(frozen=True, slots=True)
class _Fit:
    """How a change's scope meets the incident: of the touched spots it covers `hit`, and `quiet` healthy ones."""

    touched: int
    hit: int
    quiet: int

    @property
    def log_likelihood(self) -> float:
        if not self.hit:
            return -math.inf
        return _shows(self.hit, self.hit + self.quiet) + (self.touched - self.hit) * math.log(_BEYOND)


def rank(onset: Interval, scope: Scope, changes: Iterable[Change], spots: Collection[Spot]) -> tuple[Suspect, ...]:
    """The possible causes of a fault in `scope`, most probable first. A gate changes nothing, so it is none.

    `spots` are those of the scope, and all others that are known to be healthy: what is unwatched, or ill of something
    that may be the same, speaks neither for nor against a change.

    Raises:
        ValueError: None of the spots lies in the scope.
    """
    touched = {spot for spot in spots if scope.covers(*spot)}
    if not touched:
        raise ValueError("none of the spots lies in the scope")
    since = onset.low - LOOK_BACK
    recent = [change for change in changes if since <= change.at and change.kind is not ChangeKind.GATE]
    fits = {part: _fit(part, touched, spots) for part in {change.scope for change in recent}}
    weights = [_weight(onset, change, fits[change.scope]) for change in recent]
    earlier = [change for change in recent if change.at <= onset.high]
    nothing = math.log(_unrecorded_rate(earlier)) + _anywhere(touched, spots)
    total = float(np.logaddexp.reduce(sorted([nothing, *weights])))
    suspects = [
        Suspect(change, math.exp(weight - total), _reason(onset, change, fits[change.scope]))
        for change, weight in zip(recent, weights, strict=True)
    ]
    none = Suspect(None, math.exp(nothing - total), _no_reason(len(earlier)))
    return tuple(sorted([none, *suspects], key=_order))


def _order(suspect: Suspect) -> tuple[float, float, str]:
    """The likeliest first; of equals the latest."""
    change = suspect.change
    return (
        (-suspect.probability, -change.at.timestamp(), change.id) if change else (-suspect.probability, -math.inf, "")
    )


def _weight(onset: Interval, change: Change, fit: _Fit) -> float:
    hazard = _KINDS[change.kind].prior * _onset_density(onset, change)
    return math.log(hazard) + fit.log_likelihood if hazard > 0.0 else -math.inf


def _onset_density(onset: Interval, change: Change) -> float:
    """Per hour: of the fault's beginning where it began, if this change is the cause."""
    takes = max(_KINDS[change.kind].takes, (change.finished_at or change.at) - change.at)
    sides = ((onset.low, onset.best), (onset.best, onset.high))
    lags = ((min(start, end - _RESOLUTION) - change.at, end - change.at) for start, end in sides)
    return sum(_mean_density(first, last, takes) for first, last in lags) / 2.0


def _mean_density(first: timedelta, last: timedelta, median: timedelta) -> float:
    """The mean of (1 / t) (1 + lag / t)^-2 per hour, over the lags in [first, last]; it is 0 for negative ones."""
    if last <= timedelta(0):
        return 0.0
    positive = max(first, timedelta(0))
    a, b, t = positive / _HOUR, last / _HOUR, median / _HOUR
    return t / ((a + t) * (b + t)) * ((last - positive) / (last - first))


def _fit(scope: Scope, touched: Collection[Spot], spots: Collection[Spot]) -> _Fit:
    hit = sum(scope.covers(*spot) for spot in touched)
    covered = (
        sum(scope.covers(*spot) for spot in spots) if hit else 0
    )  # most changes are elsewhere, and fleets are large
    return _Fit(len(touched), hit, covered - hit)


def _shows(k: int, n: int) -> float:
    """Ln probability that a fault shows in exactly these k of the n spots of its cause."""
    combinations = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return -math.log(k * _harmonic(n)) - combinations


@cache
def _harmonic(n: int) -> float:
    return math.fsum(1.0 / k for k in range(1, n + 1))


def _anywhere(touched: Collection[Spot], spots: Collection[Spot]) -> float:
    """Ln probability that something unrecorded shows in exactly the touched spots.

    It fixes any of model, platform, pool and region (even odds each), and strikes any part of the fleet so named alike.
    """
    levels = list(product((False, True), repeat=4))
    found = []
    for fixed in levels:
        parts = Counter(_part(spot, fixed) for spot in spots)
        ours = {_part(spot, fixed) for spot in touched}
        if len(ours) == 1:
            found.append(_shows(len(touched), parts[ours.pop()]) - math.log(len(parts)))
    return float(np.logaddexp.reduce(found)) - math.log(len(levels))


def _part(spot: Spot, fixed: Sequence[bool]) -> tuple[str, ...]:
    target, region = spot
    return tuple(name for name, kept in zip((*target.rsplit("/", 2), region), fixed, strict=True) if kept)


def _unrecorded_rate(changes: Iterable[Change]) -> float:
    """Per hour, over the fleet."""
    recorded = math.fsum(_KINDS[change.kind].prior for change in changes) / (LOOK_BACK / _HOUR)
    return max(_UNRECORDED_PER_HOUR, _UNRECORDED_TO_RECORDED * recorded)


def _reason(onset: Interval, change: Change, fit: _Fit) -> str:
    return "; ".join((_time_in_words(onset, change), _scope_in_words(fit), _KINDS[change.kind].words))


def _time_in_words(onset: Interval, change: Change) -> str:
    lag = onset.best - change.at
    if change.at >= onset.high:
        return "made when the fault had begun"
    if lag < timedelta(0):
        return f"made {_span(-lag)} after the likeliest onset, but it may have begun later"
    if change.finished_at is not None and onset.best < change.finished_at:
        return f"began {_span(lag)} into it"
    return f"began {_span(lag)} after"


def _scope_in_words(fit: _Fit) -> str:
    quiet = f"{fit.quiet} healthy {_targets(fit.quiet)}"
    if not fit.hit:
        return "covers nothing that is touched"
    if fit.hit < fit.touched:
        return f"covers {fit.hit} of {fit.touched} touched targets" + (f" and {quiet}" if fit.quiet else "")
    if fit.quiet:
        return f"covers also {quiet}"
    return "covers exactly this target" if fit.touched == 1 else f"covers exactly the {fit.touched} touched targets"


def _no_reason(recorded: int) -> str:
    days = LOOK_BACK.days
    if not recorded:
        return f"none was recorded in the {days} days before"
    were = "change was" if recorded == 1 else "changes were"
    return f"something else; {recorded} {were} recorded in the {days} days before"


def _targets(n: int) -> str:
    return "target" if n == 1 else "targets"


def _span(time: timedelta) -> str:
    """A duration in words.

    >>> _span(timedelta(minutes=3)), _span(timedelta(hours=30))
    ('3 min', '30 h')
    """
    for unit, name in ((timedelta(days=1), "days"), (_HOUR, "h"), (timedelta(minutes=1), "min")):
        if time >= 2 * unit:
            return f"{time / unit:.0f} {name}"
    return f"{time.total_seconds():.0f} s"
