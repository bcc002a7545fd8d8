"""A kept verdict said again: the same answers through the same bench, compared bit for bit with what was kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from canary.detect import Judgement, Rule, detector_from_json
from canary.detect.twosample import PairRule
from canary.errors import NotFound, StoreError
from canary.pipeline.advance import Judged
from canary.records import KeptVerdict
from canary.store.base import Kept, Transaction
from canary.verdict.baseline import BaselineBench, Shown
from canary.verdict.compare import Compared, PairBench
from canary.verdict.engine import Bench


@dataclass(frozen=True, slots=True)
class Point:
    """A turn, by its slots, and what might be said after it; `touched`: it speaks against the target."""

    slots: tuple[str, ...]
    evidence: float
    soundness: float
    touched: bool


@dataclass(frozen=True, slots=True)
class Again:
    """A verdict in hindsight. Without `differences` it is as kept, bit for bit."""

    kept: KeptVerdict
    judgement: Judgement
    points: tuple[Point, ...]
    shown: tuple[Shown, ...] | tuple[Compared, ...]
    differences: tuple[str, ...]


def again(tx: Transaction, kept: KeptVerdict) -> Again:
    """Judge its answers again.

    Raises:
        StoreError: a detector that it was judged by is not in the store, or cannot be read.
    """
    bench = _bench(tx, kept)
    found = tx.judged(kept.slots)
    points = tuple(_points(bench, kept, found))
    judgement = bench.judgement()
    missing = len(kept.slots) - len(found)
    gone = [f"{missing} of its {len(kept.slots)} answers are not in the store any more"] if missing else []
    return Again(kept, judgement, points, _shown(bench), (*gone, *_differences(kept, judgement)))


def _bench(tx: Transaction, kept: KeptVerdict) -> BaselineBench | PairBench:
    if kept.against is not None:
        return PairBench(PairRule(kept.share, kept.alpha, kept.beta, kept.power), kept.yardsticks)
    try:
        detectors = {
            digest: detector_from_json(tx.detector(digest)) for digest in {one.detector for one in kept.yardsticks}
        }
    except (NotFound, ValueError) as error:
        raise StoreError(f"verdict {kept.id} cannot be said again: {error}") from error
    if not kept.planned:
        raise StoreError(f"verdict {kept.id} was judged by the rules of an earlier Canary: it cannot be said again")
    rule = Rule(kept.share, kept.alpha, kept.beta, kept.power)
    return BaselineBench(rule, kept.yardsticks, detectors, kept.planned)


def _points(bench: Bench, kept: KeptVerdict, found: Mapping[str, Kept]) -> Iterator[Point]:
    for slots in _turns(kept, found):
        turn = [
            Judged(one.observation, tuple(row.score for row in one.scores)) for one in map(found.__getitem__, slots)
        ]
        touched = bench.hear(turn)
        judgement = bench.judgement()
        yield Point(tuple(slots), judgement.evidence, judgement.soundness, touched)


def _turns(kept: KeptVerdict, found: Mapping[str, Kept]) -> Iterator[Sequence[str]]:
    """The slots turn by turn; of a turn that is not whole any more what is left of it."""
    sides = 1 if kept.against is None else 2
    rest = kept.slots
    while rest:
        first = next((found[slot] for slot in rest if slot in found), None)
        if first is None:
            return
        width = sides * first.observation.burst
        turn, rest = rest[:width], rest[width:]
        yield [slot for slot in turn if slot in found]


def _shown(bench: BaselineBench | PairBench) -> tuple[Shown, ...] | tuple[Compared, ...]:
    return bench.shown if isinstance(bench, BaselineBench) else bench.compared


def _differences(kept: KeptVerdict, judgement: Judgement) -> Iterator[str]:
    for each in fields(Judgement):
        stored, made = getattr(kept, each.name), getattr(judgement, each.name)
        if stored != made:
            yield f"{each.name}: the store has {stored}, again it is {made}"
