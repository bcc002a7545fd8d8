"""A verdict against the target's baseline: `replay`, and `gate` without another target."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from canary.detect import Detector, Judgement, Rule, Verdict, VerdictState, judge, size
from canary.detect.sequential import start, step
from canary.errors import BaselineError
from canary.pipeline.advance import Judged
from canary.pipeline.watch import ANSWER, Watch
from canary.records import Observation, Score, SeriesKey, Size, Yardstick
from canary.score.burst import bursts, worst
from canary.store.base import Store
from canary.verdict.engine import Fire, Progress, Question, run, series_of
from canary.verdict.turns import Volley


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
    """A verdict, the power it reached, and what stands behind it. It is kept in the store under its `id`."""

    id: str
    target: str
    verdict: Verdict
    judgement: Judgement
    rule: Rule
    planned: int
    fired: int
    failures: int
    shown: tuple[Shown, ...]
    learning: tuple[SeriesKey, ...]


async def replay(
    store: Store,
    fire: Fire,
    watch: Watch,
    volleys: Sequence[Volley],
    rule: Rule,
    progress: Progress,
    stop: asyncio.Event | None = None,
) -> Report:
    """Fire the runs in waves and each burst by itself, judge after each answer, stop when sure.

    Raises:
        BaselineError: no series of these probes on this target is armed.
    """
    first = volleys[0][0]
    wanted = {(run.target.name, run.region, run.group) for run, *_ in volleys}
    series = [key for key in watch.signals if (key.target, key.region, key.group) in wanted]
    bench = bench_of(watch, series, rule)
    question = Question(first.purpose, first.slot_time, first.target.name, None, rule)
    course = await run(store, fire, watch, [(volley,) for volley in volleys], bench, question, progress, stop)
    return Report(
        id=course.kept.id,
        target=first.target.name,
        verdict=course.judgement.verdict,
        judgement=course.judgement,
        rule=rule,
        planned=sum(map(len, volleys)),
        fired=course.fired,
        failures=sum(course.failures.values()),
        shown=bench.shown,
        learning=tuple(key for key in series if key in watch.learning),
    )


def bench_of(watch: Watch, series: Sequence[SeriesKey], rule: Rule) -> "BaselineBench":
    """Of the armed ones among the series. Raises: BaselineError."""
    armed = {key: watched for key in series if (watched := watch.armed.get(key)) is not None}
    if not armed:
        where = " and ".join(sorted({key.target for key in series})) or "this target"
        raise BaselineError(
            f"no series of these probes on {where} is armed for a share of {rule.share:.1%}: "
            "record a baseline first, or more of one, or ask for a larger share"
        )
    yardsticks = [Yardstick(key, w.version, w.detector.digest, dict(w.thresholds)) for key, w in armed.items()]
    return BaselineBench(rule, yardsticks, {w.detector.digest: w.detector for w in armed.values()})


@dataclass(slots=True)
class _Heard:
    """One series."""

    yardstick: Yardstick
    detector: Detector
    state: VerdictState
    events: list[bool] = field(default_factory=list)
    found: list[tuple[float, str]] = field(default_factory=list)

    def hear(self, rule: Rule, seen: Observation, each: Score) -> bool:
        """An answer counts where golden data of this very probe, by this version of the scorer, can judge it."""
        threshold = self.yardstick.thresholds.get(seen.probe_digest)
        if threshold is None or each.version != self.yardstick.version:
            return False
        value = self.detector.standardised(each.value, seen.probe_digest)
        self.state = step(rule, self.detector, self.state, value, ANSWER, threshold)
        self.events.append(self.detector.is_event(value, threshold))
        if self.events[-1]:
            self.found.append((value, seen.slot_id))
        return self.events[-1]


class BaselineBench:
    """Judges the answers of a target, series by series, by the detectors of its baseline."""

    def __init__(self, rule: Rule, yardsticks: Sequence[Yardstick], detectors: Mapping[str, Detector]) -> None:
        self._rule = rule
        self._heard = {
            one.series: _Heard(one, detector, start(detector))
            for one in yardsticks
            for detector in (detectors[one.detector],)
        }

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

    def hear(self, turn: Sequence[Judged]) -> bool:
        touched = False
        for burst in bursts((one.observation, one.scores) for one in turn):
            for seen, each in worst(burst):
                heard = self._heard.get(series_of(seen, each.signal))
                touched |= heard is not None and heard.hear(self._rule, seen, each)
        return touched

    def judgement(self) -> Judgement:
        detectors = {heard.yardstick.name: heard.detector for heard in self._heard.values()}
        return judge(self._rule, detectors, {heard.yardstick.name: heard.state for heard in self._heard.values()})


def _shown(series: SeriesKey, heard: _Heard) -> Shown:
    share = size(heard.detector, heard.events, [ANSWER] * len(heard.events))
    return Shown(
        series,
        len(heard.events),
        sum(heard.events),
        share,
        tuple(slot for _, slot in sorted(heard.found, reverse=True)),
    )
