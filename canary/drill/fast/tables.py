"""What each unit says to each detector, worked out once by the detectors themselves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from canary.drill.fast.deal import Track
from canary.drill.fast.units import NOTHING, Units
from canary.pipeline.watch import ANSWER, Watch, Watched
from canary.records import Score, SeriesKey, Unscored

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]
SILENT = 0
"""The row of e-values that are all 1, of a score that is not fed."""


@dataclass(frozen=True, slots=True)
class Line:
    """A series: its track, its signal (by number), and what watches it (None: nothing does)."""

    series: SeriesKey
    track: int
    signal: int
    watched: Watched | None


@dataclass(slots=True)
class Book:
    """Distinct rows of ln e, of one width; the first is silent."""

    rows: list[Floats]
    known: dict[bytes, int] = field(default_factory=dict)

    @classmethod
    def of_width(cls, width: int) -> "Book":
        return cls([np.zeros(width)])

    def number(self, row: Floats) -> int:
        """Of a row that is the same, bit for bit."""
        key = row.tobytes()
        if key not in self.known:
            self.known[key] = len(self.rows)
            self.rows.append(np.array(row))
        return self.known[key]


class Tables:
    """By the numbers of units and signals: scores, events, rows of e-values (SILENT where not fed), and bets."""

    def __init__(self, watch: Watch, tracks: Sequence[Track], region: str, units: Units) -> None:
        self.watch = watch
        self.tracks = tracks
        self.units = units
        self.signals = tuple(dict.fromkeys(key.signal for key in watch.signals))
        numbers = {name: at for at, name in enumerate(self.signals)}
        shape = (len(units.members), len(self.signals))
        self.scores: list[tuple[Score | Unscored | None, ...]] = [(None,) * shape[1]]
        self.event = np.zeros(shape, dtype=np.bool_)
        self.row = np.zeros(shape, dtype=np.int32)
        self.bet = np.ones(shape)
        self.fed = np.zeros(shape, dtype=np.bool_)
        self.books: dict[int, Book] = {}
        self.lines = tuple(self._lines(region, numbers))
        at = {track.entry.key: nth for nth, track in enumerate(tracks)}
        watched = {(line.track, line.signal): line.watched for line in self.lines if line.watched}
        self.track_of = np.full(shape[0], -1, dtype=np.int64)
        for unit in range(NOTHING + 1, shape[0]):
            variant = units.first(unit).variant
            track = at[variant.target, variant.group]
            self.track_of[unit] = track
            found: list[Score | Unscored | None] = [None] * shape[1]
            for score in units.scores(unit):
                signal = numbers[score.signal]
                found[signal] = score
                self._enter(unit, signal, watched.get((track, signal)), score, variant.probe)
            self.scores.append(tuple(found))

    def _lines(self, region: str, numbers: Mapping[str, int]) -> list[Line]:
        by_track: dict[tuple[str, str], list[SeriesKey]] = {}
        for key in self.watch.signals:
            by_track.setdefault((key.target, key.group), []).append(key)
        return [
            Line(key, nth, numbers[key.signal], self.watch.armed.get(key))
            for nth, track in enumerate(self.tracks)
            for key in by_track.get(track.entry.key, [])
            if key.region == region
        ]

    def _enter(self, unit: int, signal: int, watched: Watched | None, score: Score | Unscored, digest: str) -> None:
        """As `canary.pipeline.advance` decides what is fed, and feeds it."""
        if watched is None or isinstance(score, Unscored) or score.version != watched.version:
            return
        if digest not in watched.thresholds or not math.isfinite(score.value):
            return
        detector = watched.detector
        value = detector.standardised(score.value, digest)
        event = detector.is_event(value, watched.thresholds[digest])
        threshold = -math.inf if event else math.inf
        book = self.books.setdefault(detector.alternatives, Book.of_width(detector.alternatives))
        self.fed[unit, signal] = True
        self.event[unit, signal] = event
        self.row[unit, signal] = book.number(detector.log_e(value, ANSWER, threshold))
        self.bet[unit, signal] = detector.bet(value, ANSWER, threshold)
