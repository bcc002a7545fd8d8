"""A verdict against the target's baseline: `replay`, and `gate` without another target."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from canary.detect import Judgement, Rule, Verdict
from canary.errors import BaselineError
from canary.pipeline.watch import Watch
from canary.records import SeriesKey, Yardstick
from canary.store.base import Store
from canary.verdict.baseline import BaselineBench, Shown
from canary.verdict.engine import Fire, Progress, Question, run
from canary.verdict.turns import Volley


@dataclass(frozen=True, slots=True)
class Report:
    """A verdict, the power it reached, and what stands behind it. It is kept in the store under its `id`.

    `learning` was not judged for want of golden data; of the signals that are `unspoken` a pass does not speak.
    """

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
    unspoken: tuple[str, ...]


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
        BaselineError: the golden data of these probes on this target cannot tell the share from healthy.
    """
    first = volleys[0][0]
    wanted = {(run.target.name, run.region, run.group) for run, *_ in volleys}
    series = [key for key in watch.signals if (key.target, key.region, key.group) in wanted]
    planned = Counter(run.group for run, *_ in volleys)
    bench = bench_of(watch, series, rule, planned, frozenset(run.probe.digest for run, *_ in volleys))
    question = Question(first.purpose, first.slot_time, first.target.name, None, rule, planned)
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
        unspoken=bench.unspoken,
    )


def bench_of(
    watch: Watch,
    series: Sequence[SeriesKey],
    rule: Rule,
    planned: Mapping[str, int],
    probes: Collection[str] | None = None,
) -> BaselineBench:
    """Of the armed ones among the series; `planned` answers by probe group, of these probes (digests) or of all.

    Raises:
        BaselineError: none can tell the share from healthy.
    """
    armed = {key: watched for key in series if (watched := watch.armed.get(key)) is not None}
    yardsticks = [
        Yardstick(key, w.version, w.detector.digest, _fired(w.thresholds, probes), golden=w.n, events=w.events)
        for key, w in armed.items()
    ]
    bench = BaselineBench(rule, yardsticks, {w.detector.digest: w.detector for w in armed.values()}, planned)
    if not bench.can_pass:
        where = " and ".join(sorted({key.target for key in series})) or "this target"
        raise BaselineError(
            f"no series of these probes on {where} can tell a share of {rule.share:.1%} from healthy: "
            "record a baseline first, or more of one, or ask for a larger share"
        )
    return bench


def _fired(thresholds: Mapping[str, float], probes: Collection[str] | None) -> dict[str, float]:
    return {digest: each for digest, each in thresholds.items() if probes is None or digest in probes}
