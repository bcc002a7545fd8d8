"""Counts that users of the fleet hand in: complaints of one class among so many requests, in one window of time.

A window is an observation that nobody fired, with one score: its count, on the exposure that it was counted among. The
first windows of a series are its baseline, which is frozen when their time is over; from then on it is a series like
any other, with a detector of its own (`canary.detect.counts`), a part of the budget, alarms and incidents.
"""

import hashlib
import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from canary.detect.arming import WINDOWS
from canary.errors import ReportError
from canary.pipeline.advance import Judged
from canary.pipeline.record import REVISION
from canary.pipeline.watch import Rhythm
from canary.records import (
    Baseline,
    BaselinePart,
    BaselineStatus,
    Message,
    Observation,
    Probe,
    Purpose,
    Sampling,
    Score,
    SeriesKey,
    Signal,
    SignalKind,
    Symptom,
)
from canary.store.base import ScoreRow, Transaction

NAME = "feedback"
VERSION = 1

_FACT = "feedback."
"""Of a region: the (target, group) of every series that was ever handed in."""


@dataclass(frozen=True, slots=True)
class Window:
    """`count` complaints of a class among `exposure` requests to a target, in the time until `at`."""

    target: str
    kind: str
    at: datetime
    length: timedelta
    count: int
    exposure: float


@dataclass(frozen=True, slots=True)
class Terms:
    """What is counted, and how long it is learned from: see `feedback` in the config."""

    classes: Mapping[str, Symptom]
    window: timedelta
    golden: timedelta
    since: date | None

    @property
    def epoch(self) -> int:
        """A later `since` is another epoch. None that a recording has: those count from one."""
        return 0 if self.since is None else self.since.toordinal()

    @property
    def begins(self) -> datetime | None:
        """When golden windows may begin."""
        return None if self.since is None else datetime.combine(self.since, time(), UTC)


def rhythms(tx: Transaction, terms: Terms, targets: Sequence[str], region: str) -> list[Rhythm]:
    """Each class on every target of which a window was ever handed in."""
    known = _met(tx, region)
    return [
        Rhythm(target, group_of(kind), (_probe(kind),), terms.window, known={NAME: _signal(symptom)})
        for target in targets
        for kind, symptom in terms.classes.items()
        if (target, group_of(kind)) in known
    ]


def in_use(baselines: Iterable[Baseline], terms: Terms | None) -> Iterator[Baseline]:
    """Without those of counts that are learned anew."""
    return (one for one in baselines if one.series.signal != NAME or (terms and one.epoch == terms.epoch))


def group_of(kind: str) -> str:
    """The probe group that a class stands for."""
    return f"{NAME}:{kind}"


def judged(window: Window, region: str) -> Judged:
    """As what the detectors take. The same window handed in again has the same id."""
    probe, group = _probe(window.kind), group_of(window.kind)
    facts = (NAME, window.target, region, group, window.at.astimezone(UTC).isoformat())
    seen = Observation(
        slot_id=hashlib.blake2b("\0".join(facts).encode(), digest_size=12).hexdigest(),
        probe_id=NAME,
        probe_digest=probe.digest,
        group=group,
        target=window.target,
        region=region,
        slot_time=window.at,
        started_at=window.at - window.length,
        duration=window.length,
        purpose=Purpose.REPORTED,
    )
    return Judged(seen, (Score(NAME, VERSION, float(window.count), window.exposure),))


def require_apart(tx: Transaction, windows: Collection[Window], region: str) -> None:
    """That no complaint counts twice: the windows are kept already, beside those that were handed in before.

    Raises:
        ReportError: one of them begins before the end of another of its series.
    """
    for key, ours in _by_series(windows, region).items():
        longest = max(one.length for one in ours)
        since = min(one.at for one in ours) - longest
        ends = {one.at for one in ours}
        all_ends = sorted({row.slot_time for row in tx.scores(key, since=since, fed=False)} | ends)
        for before, after in pairwise(all_ends):
            if after - before < longest and {before, after} & ends:
                said = f"the window until {after.isoformat()} begins before the end of another, {before.isoformat()}"
                raise ReportError(f"{key.group} on {key.target}: {said}: hand in each request and complaint once")


def _by_series(windows: Collection[Window], region: str) -> dict[SeriesKey, list[Window]]:
    found = defaultdict(list)
    for one in windows:
        found[SeriesKey(one.target, region, group_of(one.kind), NAME)].append(one)
    return found


def learn(tx: Transaction, terms: Terms, keys: Collection[SeriesKey], now: datetime) -> bool:
    """Note the series that are new, and freeze the baselines whose golden time is over; whether there was either.

    Running daemons take them at their next heartbeat.
    """
    new = _meet(tx, keys)
    known = {one.series for key in keys for one in _active(tx, key) if one.epoch == terms.epoch}
    made = [one for key in keys if key not in known and (one := _frozen(tx, terms, key, now)) is not None]
    for baseline in made:
        for old in _active(tx, baseline.series):
            tx.put_baseline(replace(old, status=BaselineStatus.RETIRED))
        tx.put_baseline(baseline)
    if made or new:
        tx.put_fact(REVISION, str(1 + int(tx.fact(REVISION) or 0)))
    return bool(made or new)


def _meet(tx: Transaction, keys: Collection[SeriesKey]) -> bool:
    new = False
    for region in {key.region for key in keys}:
        known = _met(tx, region)
        more = known | {(key.target, key.group) for key in keys if key.region == region}
        if more != known:
            tx.put_fact(_FACT + region, json.dumps(sorted(more)))
            new = True
    return new


def _met(tx: Transaction, region: str) -> frozenset[tuple[str, str]]:
    return frozenset((target, group) for target, group in json.loads(tx.fact(_FACT + region) or "[]"))


def _active(tx: Transaction, key: SeriesKey) -> list[Baseline]:
    return [one for one in tx.baselines(target=key.target, status=BaselineStatus.ACTIVE) if one.series == key]


def _frozen(tx: Transaction, terms: Terms, key: SeriesKey, now: datetime) -> Baseline | None:
    rows = sorted(tx.scores(key, since=terms.begins, fed=False), key=lambda row: row.slot_time)
    spans = (_span(rows, first.slot_time, terms.golden) for first in rows)
    span = next((one for one in spans if len(one) >= WINDOWS), None)  # past stray windows of long ago
    if span is None or rows[-1].slot_time < span[0].slot_time + terms.golden:
        return None
    golden = [_counted(row) for row in span]
    kind = key.group.removeprefix(f"{NAME}:")
    return Baseline(
        id=hashlib.blake2b(f"{key}\0{terms.epoch}".encode(), digest_size=8).hexdigest(),
        series=key,
        epoch=terms.epoch,
        status=BaselineStatus.ACTIVE,
        scorer_version=VERSION,
        created_at=now,
        n=len(golden),
        exposure=sum(exposure for _, exposure in golden),
        events=0,
        parts=(BaselinePart(_probe(kind).digest, len(golden)),),
        calibration=tuple(number for window in golden for number in window),
    )


def _span(rows: Sequence[ScoreRow], begin: datetime, lasts: timedelta) -> Sequence[ScoreRow]:
    low = bisect_left(rows, begin, key=_slot_time)
    return rows[low : bisect_left(rows, begin + lasts, key=_slot_time)]


def _slot_time(row: ScoreRow) -> datetime:
    return row.slot_time


def _counted(row: ScoreRow) -> tuple[float, float]:
    if not isinstance(row.score, Score):
        raise TypeError("a window is always counted")
    return row.score.value, row.score.exposure


def _probe(kind: str) -> Probe:
    """What stands where a probe would: it is never fired."""
    asked = (Message("user", "(counted elsewhere)"),)
    return Probe(NAME, group_of(kind), asked, Sampling(max_tokens=1), (NAME,), "complaints that are handed in")


def _signal(symptom: Symptom) -> Signal:
    return Signal(NAME, VERSION, SignalKind.COUNT, symptom, "complaints", "requests")
