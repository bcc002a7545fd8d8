"""The verdict on demand: fire probes at a target and judge them against its baseline, sequentially.

Answers are judged in the order in which they were planned, not in the order in which they came back: a slow answer is
not a different answer. They are kept as `replay` observations and feed neither baselines nor detectors.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TypeVar

import numpy as np

from canary.detect import Judgement, Rule, Verdict, VerdictState, judge, size
from canary.detect.sequential import start, step
from canary.errors import BaselineError
from canary.pipeline.advance import Judged
from canary.pipeline.references import References
from canary.pipeline.watch import ANSWER, Watch, Watched
from canary.records import Observation, Probe, Purpose, Run, Score, SeriesKey, Size, Target, burst_size
from canary.score import score
from canary.score.burst import bursts, worst
from canary.store.base import ScoreRow, Store

Fire = Callable[[Sequence[Run]], Awaitable[Sequence[Observation]]]
"""Fires a run, or all of a burst at once."""
Volley = tuple[Run, ...]
"""A run, or all runs of a burst."""


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


@dataclass(frozen=True, slots=True)
class Report:
    """A verdict, the power it reached, and what stands behind it."""

    target: str
    verdict: Verdict
    judgement: Judgement
    rule: Rule
    planned: int
    fired: int
    failures: int
    shown: tuple[Shown, ...]
    learning: tuple[SeriesKey, ...]


Progress = Callable[[int, Judgement], None]
T = TypeVar("T")


def plan(
    target: Target, groups: Mapping[str, Sequence[Probe]], region: str, n: int, now: datetime
) -> tuple[Volley, ...]:
    """`n` runs or bursts: groups in turn, probe and salt drawn at random as in production.

    In turn, because a pass waits for the group with the fewest answers. The same moment draws the same. `groups` are
    the probes by probe group.

    Raises:
        ValueError: no probe.
    """
    if not any(groups.values()):
        raise ValueError("need one probe at least")
    rng = np.random.default_rng(int(now.timestamp() * 1000))
    ordered = [(burst_size(group), sorted(probes, key=_digest)) for group, probes in sorted(groups.items()) if probes]
    turns = [ordered[ordinal % len(ordered)] for ordinal in range(n)]
    chosen = [(burst, members[int(rng.integers(len(members)))]) for burst, members in turns]
    salts = [int(rng.integers(max(1, len(probe.salts)))) for _, probe in chosen]
    return tuple(
        Run(probe, target, region, now, ordinal * burst, salt, Purpose.REPLAY, burst).volley
        for ordinal, ((burst, probe), salt) in enumerate(zip(chosen, salts, strict=True))
    )


async def replay(
    store: Store, fire: Fire, watch: Watch, volleys: Sequence[Volley], rule: Rule, progress: Progress
) -> Report:
    """Fire the runs in waves and each burst by itself, judge after each, stop when sure.

    Raises:
        BaselineError: no series of these probes on this target is armed.
    """
    bench = _Bench(watch, volleys, rule)
    references = References()
    for wave in _waves(volleys):
        seen = await asyncio.gather(*map(fire, wave))
        judged = await asyncio.to_thread(_keep, store, watch, references, _flat(wave), _flat(seen))
        bench.hear(judged)
        judgement = bench.judgement()
        progress(bench.fired, judgement)
        if judgement.verdict is not Verdict.INCONCLUSIVE:
            break
    return bench.report(len(_flat(volleys)))


def _waves(volleys: Sequence[Volley]) -> Iterator[Sequence[Volley]]:
    """As many lone runs at a time as the target may bear, but one burst: two would be a larger one."""
    for bursting, alike in groupby(volleys, key=lambda volley: len(volley) > 1):
        members = list(alike)
        width = 1 if bursting else members[0][0].target.limits.concurrency
        yield from (members[begin : begin + width] for begin in range(0, len(members), width))


def _flat(volleys: Sequence[Sequence[T]]) -> list[T]:
    return [one for volley in volleys for one in volley]


def _digest(probe: Probe) -> str:
    return probe.digest


def _keep(
    store: Store, watch: Watch, references: References, runs: Sequence[Run], observations: Sequence[Observation]
) -> list[Judged]:
    with store.transaction() as tx:
        judged = [
            Judged(seen, score(run.probe, seen, references.of(tx, watch, seen), watch.scorers))
            for run, seen in zip(runs, observations, strict=True)
        ]
        new = tx.add_observations(observations)
        tx.add_scores([row for one in judged if one.observation.slot_id in new for row in _rows(one)])
    return judged


def _rows(judged: Judged) -> Iterator[ScoreRow]:
    seen = judged.observation
    for each in judged.scores:
        yield ScoreRow(seen.slot_id, _series(seen, each.signal), seen.slot_time, each, seen.probe_digest)


def _series(seen: Observation, signal: str) -> SeriesKey:
    return SeriesKey(seen.target, seen.region, seen.group, signal)


@dataclass(slots=True)
class _Heard:
    """One series of a replay."""

    watched: Watched
    state: VerdictState
    events: list[bool] = field(default_factory=list)
    found: list[tuple[float, str]] = field(default_factory=list)

    def hear(self, rule: Rule, seen: Observation, each: Score) -> None:
        """An answer counts where golden data of this very probe, by this version of the scorer, can judge it."""
        threshold = self.watched.thresholds.get(seen.probe_digest)
        if threshold is None or each.version != self.watched.version:
            return
        self.state = step(rule, self.watched.detector, self.state, each.value, ANSWER, threshold)
        self.events.append(self.watched.detector.is_event(each.value, threshold))
        if self.events[-1]:
            self.found.append((each.value, seen.slot_id))


class _Bench:
    """Hears the answers of a replay in their planned order."""

    def __init__(self, watch: Watch, volleys: Sequence[Volley], rule: Rule) -> None:
        wanted = {(first.target.name, first.region, first.group) for first, *_ in volleys}
        target = volleys[0][0].target.name
        series = [key for key in watch.signals if (key.target, key.region, key.group) in wanted]
        self._heard = {k: _Heard(w, start(w.detector)) for k in series if (w := watch.armed.get(k)) is not None}
        self._learning = tuple(key for key in series if key in watch.learning)
        if not self._heard:
            raise BaselineError(
                f"no series of these probes on {target} is armed for a share of {rule.share:.1%}: "
                "record a baseline first, or more of one, or ask for a larger share"
            )
        self._rule = rule
        self._target = target
        self.fired = 0
        self._failures = 0

    def hear(self, judged: Sequence[Judged]) -> None:
        self.fired += len(judged)
        self._failures += sum(one.observation.failure is not None for one in judged)
        for burst in bursts((one.observation, one.scores) for one in judged):
            for seen, each in worst(burst):
                heard = self._heard.get(_series(seen, each.signal))
                if heard is not None:
                    heard.hear(self._rule, seen, each)

    def judgement(self) -> Judgement:
        detectors = {_name(key): heard.watched.detector for key, heard in self._heard.items()}
        states: Mapping[str, VerdictState] = {_name(key): heard.state for key, heard in self._heard.items()}
        return judge(self._rule, detectors, states)

    def report(self, planned: int) -> Report:
        judgement = self.judgement()
        shown = tuple(self._shown(key, heard) for key, heard in sorted(self._heard.items()) if heard.events)
        return Report(
            self._target,
            judgement.verdict,
            judgement,
            self._rule,
            planned,
            self.fired,
            self._failures,
            shown,
            self._learning,
        )

    def _shown(self, series: SeriesKey, heard: _Heard) -> Shown:
        share = size(heard.watched.detector, heard.events, [ANSWER] * len(heard.events))
        worst = tuple(slot_id for _, slot_id in sorted(heard.found, reverse=True))
        return Shown(series, len(heard.events), sum(heard.events), share, worst)


def _name(series: SeriesKey) -> str:
    return f"{series.group}/{series.signal}"
