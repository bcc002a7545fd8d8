"""The one engine behind `replay`, `compare` and `gate`: fire, keep, judge in planned order, stop when sure.

Answers are judged in the order in which they were planned, not in the order in which they came back: a slow answer is
not a different answer. The verdict is asked for after every turn and stands where it is first sure, so that neither the
size of a wave nor its timing has a say. Everything is kept, the verdict too; nothing feeds baselines or detectors.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Protocol, TypeVar

from canary.detect import Judgement, Rule, Verdict
from canary.detect.twosample import PairRule
from canary.pipeline.advance import Judged
from canary.pipeline.references import References
from canary.pipeline.watch import Watch
from canary.records import KeptVerdict, Observation, Purpose, Run, SeriesKey, Yardstick
from canary.score import score
from canary.store.base import ScoreRow, Store
from canary.verdict.turns import Turn, waves

Fire = Callable[[Sequence[Run]], Awaitable[Sequence[Observation]]]
"""Fires a run, or all of a burst at once."""
Progress = Callable[[int, Judgement], None]
"""Told after each wave how many runs were fired, and what may be said by now."""
T = TypeVar("T")


class Bench(Protocol):
    """Hears turn after turn, and judges."""

    @property
    def yardsticks(self) -> tuple[Yardstick, ...]:
        """What it judges by."""
        ...

    @property
    def parameters(self) -> dict[str, str]:
        """Of its detectors, by digest."""
        ...

    def hear(self, turn: Sequence[Judged]) -> bool:
        """One turn, whole; returns whether an answer in it shows a fault, or the target's is the worse one."""
        ...

    def judgement(self) -> Judgement:
        """At this moment."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What a verdict is asked on: a target against its baseline, or against another target.

    `planned` are the answers by probe group that a baseline is to judge.
    """

    kind: Purpose
    at: datetime
    target: str
    against: str | None
    rule: Rule | PairRule
    planned: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Course:
    """How it went: what was fired, how many runs of each target failed, and the verdict as kept."""

    fired: int
    failures: Mapping[str, int]
    judgement: Judgement
    kept: KeptVerdict


async def run(
    store: Store,
    fire: Fire,
    watch: Watch,
    turns: Sequence[Turn],
    bench: Bench,
    question: Question,
    told: Progress,
    stop: asyncio.Event | None = None,
) -> Course:
    """Fire and judge until sure, until all is fired, or until `stop` is set; a wave under way then does not count."""
    references, stopped = References(), stop or asyncio.Event()
    tally = _Tally(bench, bench.judgement())
    for wave in waves(turns):
        seen = await unless(stopped, asyncio.gather(*(_fired(fire, turn) for turn in wave)))
        if seen is None:
            break
        for turn in await asyncio.to_thread(keep, store, watch, references, wave, seen):
            tally.hear(turn)
        told(tally.fired, tally.judgement)
        if tally.sure:
            break
    kept = concluded(question, bench.yardsticks, tally.slots, tally.judgement)
    await asyncio.to_thread(_conclude, store, bench, kept)
    return Course(tally.fired, tally.failures, tally.judgement, kept)


@dataclass(slots=True)
class _Tally:
    """What was fired, and what the bench was given of it: nothing more once it was sure."""

    bench: Bench
    judgement: Judgement
    slots: list[str] = field(default_factory=list)
    fired: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def sure(self) -> bool:
        return self.judgement.verdict is not Verdict.INCONCLUSIVE

    def hear(self, turn: Sequence[Judged]) -> None:
        self.fired += len(turn)
        self.failures.update(one.observation.target for one in turn if one.observation.failure is not None)
        if not self.sure:
            self.bench.hear(turn)
            self.judgement = self.bench.judgement()
            self.slots += [one.observation.slot_id for one in turn]


def concluded(
    question: Question, yardsticks: tuple[Yardstick, ...], slots: Sequence[str], judgement: Judgement
) -> KeptVerdict:
    """The verdict as kept. The same answers judged by the same rule have the same id."""
    made = KeptVerdict(
        id="",
        kind=question.kind,
        at=question.at,
        target=question.target,
        against=question.against,
        **asdict(question.rule),
        yardsticks=yardsticks,
        slots=tuple(slots),
        verdict=judgement.verdict.value,
        evidence=judgement.evidence,
        soundness=judgement.soundness,
        signal=judgement.signal,
        visible=judgement.visible,
        answers=judgement.answers,
        better=judgement.better,
        planned=dict(question.planned),
    )
    facts = json.dumps(asdict(made), sort_keys=True, default=str)
    return replace(made, id=hashlib.blake2b(facts.encode(), digest_size=8).hexdigest())


def series_of(seen: Observation, signal: str) -> SeriesKey:
    return SeriesKey(seen.target, seen.region, seen.group, signal)


async def _fired(fire: Fire, turn: Turn) -> list[Sequence[Observation]]:
    """One volley after the other."""
    return [await fire(volley) for volley in turn]


async def unless(stopped: asyncio.Event, work: Awaitable[T]) -> T | None:
    """What the work brings; None where it is stopped before."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        stopping.cancel()
        working.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


def keep(
    store: Store,
    watch: Watch,
    references: References,
    wave: Sequence[Turn],
    seen: Sequence[Sequence[Sequence[Observation]]],
) -> list[list[Judged]]:
    """Score what came back of a wave of turns, and keep it."""
    with store.transaction() as tx:
        turns = [
            [
                Judged(one, score(run.probe, one, references.of(tx, watch, one), watch.scorers))
                for volley, answers in zip(turn, of_turn, strict=True)
                for run, one in zip(volley, answers, strict=True)
            ]
            for turn, of_turn in zip(wave, seen, strict=True)
        ]
        every = [one for turn in turns for one in turn]
        new = tx.add_observations([one.observation for one in every])
        tx.add_scores([row for one in every if one.observation.slot_id in new for row in _rows(one)])
    return turns


def _rows(judged: Judged) -> Iterator[ScoreRow]:
    seen = judged.observation
    for each in judged.scores:
        yield ScoreRow(seen.slot_id, series_of(seen, each.signal), seen.slot_time, each, seen.probe_digest)


def _conclude(store: Store, bench: Bench, kept: KeptVerdict) -> None:
    with store.transaction() as tx:
        for digest, parameters in bench.parameters.items():
            tx.put_detector(digest, parameters)
        tx.put_verdict(kept)
