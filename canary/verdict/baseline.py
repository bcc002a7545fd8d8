"""The bench that judges a target by its own baseline.

Theory of operation. Every answer brings the scores of several series, of as many probe groups as are fired in turn.
Three tests share alpha, and each is blind where another sees:

* *wrong answers* (three quarters of alpha). Of some signals a sound answer shows nothing at all: a foreign script, code
  that does not parse, a top token that was dropped. An answer is wrong when one of them exceeds its golden threshold.
  They are counted over all groups, as golden ones were, and the count is judged by `canary.detect.tally`, which needs
  two or three. That a golden answer may be an event in two signals makes its bound larger, never smaller.
* *signals* and *series* (the rest). The e-processes of a signal, multiplied over the groups, for a fault that
  touches answers of every kind, such as misrouting in logprobs; and those of each series alone, for one that touches a
  single group. Of either the mean is an e-process.

A pass speaks of the share s of all answers that are fired: of what m of n planned answers are scored for, a fault must
touch s * n / m of them. It waits until wrong answers, and each signal that could show it in as many answers as are
planned, exclude that; the others are named, may fail the target, and are not spoken of. It is said after whole rounds
of the groups alone: then events that come more often in one group than in another do no harm (a mean of logarithms is
at most the logarithm of the mean).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from canary.detect import Detector, Judgement, Rule, Tally, Verdict, VerdictState, golden_events, size, visible_share
from canary.detect.sequential import against_healthy, start, step
from canary.pipeline.advance import Judged
from canary.pipeline.watch import ANSWER
from canary.records import Observation, Score, SeriesKey, Size, Yardstick
from canary.score.burst import Member, bursts, worst
from canary.verdict.engine import series_of
from canary.verdict.voice import Voice

WRONG = frozenset({"script", "language", "syntax", "copy", "recall", "schema", "tool_call", "greedy"})
"""Signals of which a sound answer shows nothing. An event of another one makes an answer unusual, not wrong."""
DELTA = 0.01
"""Probability, over golden recordings, that wrong answers come more often than their bound says."""
COUNTED = 0.75
"""The part of alpha that is for wrong answers."""
_LARGEST_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Shown:
    """What one series of a replay showed: the share of touched answers, and the slots that show it, worst first.

    In a probe group of bursts a burst counts as one answer: its worst.
    """

    series: SeriesKey
    answers: int
    events: int
    size: Size
    evidence: tuple[str, ...]


@dataclass(slots=True)
class _Heard:
    """One series."""

    yardstick: Yardstick
    detector: Detector
    state: VerdictState
    evidence: float = 0.0
    events: list[bool] = field(default_factory=list)
    found: list[tuple[float, str]] = field(default_factory=list)

    def hear(self, rule: Rule, seen: Observation, each: Score) -> bool | None:
        """Whether it is an event. Golden data of this very probe, by this version of the scorer, must judge it."""
        threshold = self.yardstick.thresholds.get(seen.probe_digest)
        if threshold is None or each.version != self.yardstick.version:
            return None
        value = self.detector.standardised(each.value, seen.probe_digest)
        self.state = step(rule, self.detector, self.state, value, ANSWER, threshold)
        self.evidence = against_healthy(self.state)
        self.events.append(self.detector.is_event(value, threshold))
        if self.events[-1]:
            self.found.append((value, seen.slot_id))
        return self.events[-1]


@dataclass(slots=True)
class _Signal:
    """A signal over all groups that are scored for it."""

    heard: tuple[_Heard, ...]
    voice: Voice
    evidence: float = 0.0

    def hear(self, *, event: bool) -> None:
        self.voice.hear(event=event)
        self.evidence = _log_mean(np.sum([one.state.log_fault for one in self.heard], axis=0))

    def visible(self, rule: Rule, signals: int) -> float:
        """The share of its answers that would have been failed, by the golden data of the noisiest group."""
        noisiest = max((one.detector for one in self.heard), key=_healthy)
        state = VerdictState(np.zeros(0), answers=self.voice.answers, exposure=ANSWER * self.voice.answers)
        return visible_share(rule, noisiest, state, signals)


class BaselineBench:
    """Judges the answers of a target by the detectors of its baseline; `planned` says how many by probe group."""

    def __init__(
        self,
        rule: Rule,
        yardsticks: Sequence[Yardstick],
        detectors: Mapping[str, Detector],
        planned: Mapping[str, int],
    ) -> None:
        self._rule = rule
        self._planned = planned
        self._heard = {
            one.series: _Heard(one, detector, start(detector))
            for one in yardsticks
            for detector in (detectors[one.detector],)
        }
        self._tally = self._count()
        self._wrong = 0
        self._turns = 0
        self._pool = None if self._tally is None else self._voice(self._tally.rate, self._tally.planned)
        self._signals = {name: self._signal(heard) for name, heard in _by_signal(self._heard.values()).items()}

    @property
    def yardsticks(self) -> tuple[Yardstick, ...]:
        return tuple(heard.yardstick for heard in self._heard.values())

    @property
    def parameters(self) -> dict[str, str]:
        return {heard.detector.digest: heard.detector.to_json() for heard in self._heard.values()}

    @property
    def shown(self) -> tuple[Shown, ...]:
        """What each series showed that heard an answer."""
        return tuple(_shown(key, heard) for key, heard in sorted(self._heard.items()) if heard.events)

    @property
    def can_pass(self) -> bool:
        """Whether its golden data can tell the share from healthy in anything."""
        return any(voice.quiet for voice in self._every_voice())

    @cached_property
    def unspoken(self) -> tuple[str, ...]:
        """The signals that may fail the target, but that a pass does not speak of."""
        pooled = WRONG if self._pool in self._speaking else frozenset[str]()
        return tuple(
            name for name, signal in self._signals.items() if signal.voice not in self._speaking and name not in pooled
        )

    @property
    def verdict(self) -> Verdict:
        """At this moment; the first pass or fail stands."""
        if self.evidence >= -math.log(self._rule.alpha):
            return Verdict.FAIL
        return Verdict.PASS if self._soundness >= -math.log(self._rule.beta) else Verdict.INCONCLUSIVE

    @property
    def answers(self) -> int:
        """Heard so far; a burst is one."""
        return self._turns

    def hear(self, turn: Sequence[Judged]) -> bool:
        touched = [self._hear_burst(burst) for burst in bursts((one.observation, one.scores) for one in turn)]
        self._turns += 1
        if self._turns % len(self._planned) == 0:
            for voice in self._every_voice():
                voice.settled = voice.sound
        return any(touched)

    def judgement(self) -> Judgement:
        return Judgement(
            verdict=self.verdict,
            evidence=self.evidence,
            soundness=self._soundness,
            signal=max(self._heard.values(), key=lambda heard: heard.evidence).yardstick.name,
            visible=max(self._visible()),
            answers=min(voice.answers for voice in self._speaking),
        )

    def _hear_burst(self, burst: Sequence[Member]) -> bool:
        events: dict[str, bool] = {}
        for seen, each in worst(burst):
            heard = self._heard.get(series_of(seen, each.signal))
            event = None if heard is None else heard.hear(self._rule, seen, each)
            if event is not None:
                events[each.signal] = event
                self._signals[each.signal].hear(event=event)
        wrong = [event for signal, event in events.items() if signal in WRONG]
        if wrong and self._pool is not None and self._pool.answers < self._pool.planned:
            self._pool.hear(event=any(wrong))
            self._wrong += any(wrong)
        return any(events.values())

    @property
    def evidence(self) -> float:
        """For a fail, which comes at -ln(alpha), in nats."""
        of_series = _log_mean([heard.evidence for heard in self._heard.values()])
        of_signals = _log_mean([signal.evidence for signal in self._signals.values()])
        mixed = _log_mean([of_series, of_signals])
        if self._tally is None or self._pool is None:
            return mixed
        counted = self._tally.log_likely(self._pool.answers, self._wrong) - math.log(self._rule.alpha)
        return max(mixed + math.log1p(-COUNTED), counted)

    @property
    def _soundness(self) -> float:
        return min(voice.settled for voice in self._speaking)

    @cached_property
    def _speaking(self) -> list[Voice]:
        """What a pass waits for: wrong answers, and each signal that is quiet enough for the answers that are planned.

        Where that is none, it waits for all.
        """
        quiet = [voice for voice in self._every_voice() if voice.quiet]
        speaking = [voice for voice in quiet if voice is self._pool or voice.reaches(self._rule.beta)]
        return speaking or quiet or list(self._every_voice())

    def _every_voice(self) -> Iterator[Voice]:
        """Wrong answers; and each signal, but for those that wrong answers stand for."""
        if self._pool is not None:
            yield self._pool
        yield from (one.voice for name, one in self._signals.items() if self._pool is None or name not in WRONG)

    def _visible(self) -> Iterator[float]:
        """By what a pass speaks of, the share of all answers that would have been failed."""
        total = sum(self._planned.values())
        if self._tally is not None and self._pool in self._speaking:
            yield self._tally.visible(self._pool.answers, self._rule.power) * self._tally.planned / total
        among = round(2.0 * len(self._signals) / (1.0 if self._pool is None else 1.0 - COUNTED))
        for signal in self._signals.values():
            if signal.voice in self._speaking:
                yield signal.visible(self._rule, among) * signal.voice.planned / total

    def _count(self) -> Tally | None:
        """Of wrong answers, by the golden ones of all groups that show any such signal."""
        pooled: dict[str, list[Yardstick]] = defaultdict(list)
        for heard in self._heard.values():
            if heard.yardstick.series.signal in WRONG:
                pooled[heard.yardstick.series.group].append(heard.yardstick)
        if not pooled:
            return None
        events = golden_events(sum(one.events for group in pooled.values() for one in group), DELTA)
        weight = max(self._planned[group] / max(one.golden for one in ours) for group, ours in pooled.items())
        planned = sum(self._planned[group] for group in pooled)
        return Tally(max(1, planned), max(events * weight, 1e-12), COUNTED * self._rule.alpha)

    def _signal(self, heard: Sequence[_Heard]) -> "_Signal":
        planned = sum(self._scored(one.yardstick) for one in heard)
        return _Signal(tuple(heard), self._voice(max(_healthy(one.detector) for one in heard), planned))

    def _scored(self, yardstick: Yardstick) -> int:
        """How many of its group's planned answers are of probes that it judges; each probe is drawn as often."""
        group = yardstick.series.group
        ours = (one.yardstick.thresholds for one in self._heard.values() if one.yardstick.series.group == group)
        probes = frozenset[str]().union(*ours)
        return round(self._planned[group] * len(yardstick.thresholds) / max(1, len(probes)))

    def _voice(self, healthy: float, planned: int) -> Voice:
        total = sum(self._planned.values())
        return Voice(min(_LARGEST_SHARE, self._rule.share * total / max(1, planned)), healthy, planned)


def _by_signal(every: Iterable[_Heard]) -> dict[str, list[_Heard]]:
    found: dict[str, list[_Heard]] = defaultdict(list)
    for heard in every:
        found[heard.yardstick.series.signal].append(heard)
    return dict(found)


def _healthy(detector: Detector) -> float:
    return detector.healthy_event_rate(ANSWER)


def _log_mean(logs: ArrayLike) -> float:
    values = np.asarray(logs, dtype=np.float64)
    return float(np.logaddexp.reduce(values) - math.log(len(values)))


def _shown(series: SeriesKey, heard: _Heard) -> Shown:
    share = size(heard.detector, heard.events, [ANSWER] * len(heard.events))
    slots = tuple(slot for _, slot in sorted(heard.found, reverse=True))
    return Shown(series, len(heard.events), sum(heard.events), share, slots)
