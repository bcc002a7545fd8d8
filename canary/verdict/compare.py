"""A verdict on one target against another, without any baseline: `compare`, and `gate --against`.

Both get the same probe with the same salt in the same moment, in random order, and the scores of the two answers make a
pair (see `canary.detect.twosample`). Scorers that measure a distance from golden answers have nothing to measure here:
whatever they would be given, the distance between two answers has no sign that says which of them is worse. Such
signals are named as not compared. Of the others all may bring a fail; a pass speaks of those that are events, since on
numbers that vary in health (surprisal) each pair is a coin toss, and a pass would take thousands of them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from canary.detect import Judgement, Verdict
from canary.detect.twosample import Kind, PairRule, PairState, against, judge, start, step, visible_excess
from canary.pipeline.advance import Judged
from canary.pipeline.watch import Watch
from canary.records import Observation, Score, SeriesKey, SignalKind, Unscored, UnscoredReason, Yardstick
from canary.score.burst import worst
from canary.store.base import Store
from canary.verdict.engine import Fire, Progress, Question, run
from canary.verdict.turns import Turn

_NOT_TO_BE_HAD = {UnscoredReason.NO_REFERENCE, UnscoredReason.NO_LOGPROBS, UnscoredReason.UNSUPPORTED}
"""Reasons that are not the answer's fault: a signal that both targets leave unscored for them is not compared."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What the pairs of one signal showed.

    `worse` and `better` count the pairs in which the target's answer was the worse and the better one; `evidence` and
    `counter` are ln of the e-processes for "worse" and for "better", `soundness` that against "worse by the share", all
    in nats. `slots` are the target's runs in the pairs in which it was worse, the largest difference first.
    """

    series: SeriesKey
    kind: Kind
    pairs: int
    worse: int
    better: int
    evidence: float
    counter: float
    soundness: float
    visible: float
    slots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A verdict on `target` against `against`. It is kept in the store under its `id`."""

    id: str
    target: str
    against: str
    verdict: Verdict
    judgement: Judgement
    rule: PairRule
    planned: int
    fired: int
    failures: tuple[int, int]  # of the target's runs, and of the other's
    compared: tuple[Compared, ...]
    left_out: tuple[tuple[SeriesKey, str], ...]  # with the reason

    @property
    def against_is_worse(self) -> bool:
        """Whether the other target is shown to be the worse one, at the level of a fail."""
        return (self.judgement.better or 0.0) >= self.rule.log_fail


async def compare(
    store: Store,
    fire: Fire,
    watch: Watch,
    targets: tuple[str, str],
    turns: Sequence[Turn],
    rule: PairRule,
    progress: Progress,
    stop: asyncio.Event | None = None,
) -> Comparison:
    """Fire the pairs in waves, judge after each pair, stop when sure. `targets`: the one to judge, and the other.

    `watch` says what the answers are scored for; of it nothing needs to be armed.
    """
    first, (target, other) = turns[0][0][0], targets
    groups = {run.group for turn in turns for run in turn[0]}
    bench = PairBench(rule, pair_yardsticks(watch, target, groups))
    question = Question(first.purpose, first.slot_time, target, other, rule)
    course = await run(store, fire, watch, turns, bench, question, progress, stop)
    return Comparison(
        id=course.kept.id,
        target=target,
        against=other,
        verdict=course.judgement.verdict,
        judgement=course.judgement,
        rule=rule,
        planned=sum(len(volley) for turn in turns for volley in turn),
        fired=course.fired,
        failures=(course.failures.get(target, 0), course.failures.get(other, 0)),
        compared=bench.compared,
        left_out=(*bench.left_out, *_without_sign(watch, target, groups)),
    )


def pair_yardsticks(watch: Watch, target: str, groups: set[str]) -> list[Yardstick]:
    """All that answers of these probes are scored for and of which more is worse."""
    return [
        Yardstick(key, signal.version, pairs="event" if signal.kind is SignalKind.EVENT else "number")
        for key, signal in watch.signals.items()
        if key.target == target and key.group in groups and signal.kind is not SignalKind.BOUNDED
    ]


def _without_sign(watch: Watch, target: str, groups: set[str]) -> list[tuple[SeriesKey, str]]:
    """Signals of which more is neither better nor worse, but other than in the baseline."""
    return [
        (key, UnscoredReason.NO_REFERENCE.value)
        for key, signal in watch.signals.items()
        if key.target == target and key.group in groups and signal.kind is SignalKind.BOUNDED
    ]


@dataclass(slots=True)
class _Heard:
    """One signal."""

    yardstick: Yardstick
    state: PairState = field(default_factory=start)
    found: list[tuple[float, str]] = field(default_factory=list)
    missing: set[UnscoredReason] = field(default_factory=set)
    scored: bool = False

    @property
    def kind(self) -> Kind:
        return Kind(self.yardstick.pairs)

    @property
    def left_out(self) -> bool:
        """Whether neither target could ever be scored, for want of a baseline or of logprobs."""
        return not self.scored and bool(self.missing) and self.missing <= _NOT_TO_BE_HAD

    def hear(self, rule: PairRule, ours: tuple[Observation, Score], theirs: Score) -> bool:
        seen, mine = ours
        self.state = step(rule, self.kind, self.state, theirs.value, mine.value)
        if mine.value > theirs.value:
            self.found.append((mine.value - theirs.value, seen.slot_id))
        return mine.value > theirs.value


class PairBench:
    """Judges the answers of a target by those that another one gave to the same probes."""

    def __init__(self, rule: PairRule, yardsticks: Sequence[Yardstick]) -> None:
        self._rule = rule
        self._target = yardsticks[0].series.target
        self._heard = {(one.series.group, one.series.signal): _Heard(one) for one in yardsticks}

    @property
    def yardsticks(self) -> tuple[Yardstick, ...]:
        return tuple(heard.yardstick for heard in self._heard.values())

    @property
    def parameters(self) -> dict[str, str]:
        return {}

    def hear(self, turn: Sequence[Judged]) -> bool:
        ours, theirs = (self._side(turn, ours=ours) for ours in (True, False))
        touched = False
        for key, (seen, mine) in ours.items():
            heard = self._heard.get(key)
            if heard is None or key not in theirs or not _fits(heard.yardstick, mine, theirs[key][1]):
                continue
            touched |= heard.hear(self._rule, (seen, mine), theirs[key][1])
        return touched

    def judgement(self) -> Judgement:
        states = {heard.yardstick.name: heard.state for heard in self._heard.values()}
        judged = judge(self._rule, states, passing=self._passing)
        return Judgement(
            verdict=judged.verdict,
            evidence=judged.worse,
            soundness=judged.soundness,
            signal=judged.signal,
            visible=judged.visible,
            answers=judged.pairs,
            better=judged.better,
        )

    @property
    def compared(self) -> tuple[Compared, ...]:
        """What each signal showed that had a pair."""
        return tuple(self._shown(heard) for heard in self._heard.values() if heard.state.pairs)

    @property
    def left_out(self) -> tuple[tuple[SeriesKey, str], ...]:
        """The signals that had none, and why."""
        return tuple(
            (heard.yardstick.series, ", ".join(sorted(heard.missing)) or "no pair was scored")
            for heard in self._heard.values()
            if not heard.state.pairs
        )

    @property
    def _passing(self) -> list[str]:
        events = [heard for heard in self._heard.values() if heard.kind is Kind.EVENT]
        return [heard.yardstick.name for heard in events if not heard.left_out]

    def _side(self, turn: Sequence[Judged], *, ours: bool) -> dict[tuple[str, str], tuple[Observation, Score]]:
        """The worst answer of one target's burst, by (group, signal)."""
        burst = [(o, one.scores) for one in turn if ((o := one.observation).target == self._target) is ours]
        for seen, scores in burst:
            for each in scores:
                self._note(seen, each)
        return {(seen.group, each.signal): (seen, each) for seen, each in worst(burst)}

    def _note(self, seen: Observation, each: Score | Unscored) -> None:
        heard = self._heard.get((seen.group, each.signal))
        if heard is None:
            return
        if isinstance(each, Score):
            heard.scored = True
        else:
            heard.missing.add(each.reason)

    def _shown(self, heard: _Heard) -> Compared:
        state = heard.state
        return Compared(
            series=heard.yardstick.series,
            kind=heard.kind,
            pairs=state.pairs,
            worse=state.worse,
            better=state.better,
            evidence=against(state.log_worse),
            counter=against(state.log_better),
            soundness=against(state.log_sound),
            visible=visible_excess(self._rule, state.pairs, len(self._heard)),
            slots=tuple(slot for _, slot in sorted(heard.found, reverse=True)),
        )


def _fits(yardstick: Yardstick, *scores: Score) -> bool:
    return all(each.version == yardstick.version for each in scores)
