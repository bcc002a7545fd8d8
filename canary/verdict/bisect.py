"""Which part carries a fault: pool, replica, context class, burst size or session, by as few probes as it takes.

Theory of operation. An *arm* is one value of one dimension ("replica api-short-3"). Each has a bench of its own, which
judges the answers that have this value as `replay` does. It *fails* when its evidence against the baseline reaches
ln(K / alpha), with K arms; it is *clean* when it excludes the share at beta / K and nothing speaks against it. Both
hold at any moment, whoever is fed when, so that the next probe may be chosen by all that was seen before.

* One answer feeds an arm of every dimension: its replica, its pool, its context class. But only an answer that was
  drawn as all are: one in a session chosen for its replica speaks of that replica alone, else the choice would tell.
* A *cell* is what can be fired: a target, a class of probes, a burst size, perhaps a session that is known to meet a
  certain replica. The next arm is drawn with its posterior of carrying the fault (the e-process is a Bayes factor), but
  never less often than `LEAST`; arms beside one that failed come first, for they say whether it is alone. Of the cells
  that feed the drawn arm the one is taken that feeds most of the others that are still open.
* It is over when every arm has failed or is clean, or the budget is spent.

A dimension *tells* where some of its arms failed and all others are clean: those carry the fault. Where all failed, the
fault is in all of them alike, and the dimension says nothing.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from canary.detect import Verdict
from canary.pipeline.advance import Judged

LEAST = 0.25
"""The least weight of an open arm, where an arm without any evidence has 1."""
BESIDE = 8.0
"""How much more an arm weighs beside one that failed."""
CALM = 1.0
"""Evidence, in nats, up to which a part may be clean: what excludes the share in some signals may show in others."""
_MOST = 50.0  # nats; beyond, all weights but one vanish anyway


class Dimension(StrEnum):
    """What parts are told apart by."""

    POOL = "pool"
    REPLICA = "replica"
    CONTEXT = "context"
    BURST = "burst"
    SESSION = "session"


@dataclass(frozen=True, slots=True, order=True)
class Arm:
    """One value of a dimension."""

    dimension: Dimension
    value: str

    @property
    def name(self) -> str:
        """As people say it: "replica api-short-3"."""
        return f"{self.dimension.value} {self.value}"


class Hearing(Protocol):
    """Judges what one arm answers; `BaselineBench` is one."""

    @property
    def verdict(self) -> Verdict: ...

    @property
    def evidence(self) -> float:
        """Against the baseline, in nats."""
        ...

    @property
    def answers(self) -> int:
        """Heard so far; a burst is one."""
        ...

    def hear(self, turn: Sequence[Judged]) -> bool: ...


@dataclass(frozen=True, slots=True)
class Cell:
    """What can be fired, by its place in the shell's table, and the arms that its answers will feed."""

    place: int
    arms: frozenset[Arm]


@dataclass(frozen=True, slots=True)
class Standing:
    """An arm at this moment: a pass is "clean", a fail "carries the fault"."""

    arm: Arm
    verdict: Verdict
    evidence: float
    answers: int


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out.

    Attributes:
        standings: of every arm.
        carriers: the arms that failed, of the dimensions that tell.
        clean: whether every arm is clean: nothing carries a fault of the share or more.
        everywhere: whether arms failed, and every dimension with one failed as a whole.
    """

    standings: tuple[Standing, ...]
    carriers: tuple[Arm, ...]
    clean: bool
    everywhere: bool

    @property
    def verdict(self) -> Verdict:
        """Fail where a fault was found, pass where all is clean."""
        if any(one.verdict is Verdict.FAIL for one in self.standings):
            return Verdict.FAIL
        return Verdict.PASS if self.clean else Verdict.INCONCLUSIVE


class Race:
    """Which cell to fire next, and what is known by now."""

    def __init__(self, arms: Mapping[Arm, Hearing], cells: Sequence[Cell], rng: np.random.Generator) -> None:
        self._arms = dict(arms)
        self._cells = tuple(cells)
        self._rng = rng

    @property
    def over(self) -> bool:
        """Whether no open arm could be fed any more."""
        return not self._open()

    def choose(self) -> Cell:
        """The cell to fire next. Raises: ValueError when it is over."""
        weights = self._weights()
        if not weights:
            raise ValueError("every arm is decided")
        arms, raw = list(weights), np.array(list(weights.values()))
        drawn = arms[int(self._rng.choice(len(arms), p=raw / raw.sum()))]
        useful = [(sum(weights.get(arm, 0.0) for arm in cell.arms), cell) for cell in self._cells if drawn in cell.arms]
        best = max(weight for weight, _ in useful)
        equal = [cell for weight, cell in useful if math.isclose(weight, best)]
        return equal[int(self._rng.integers(len(equal)))]

    def hear(self, arms: Iterable[Arm], turn: Sequence[Judged]) -> None:
        """What a cell answered. An arm that is decided stays so; one that nobody asked about is not heard."""
        for arm in arms:
            bench = self._arms.get(arm)
            if bench is not None and state(bench) is Verdict.INCONCLUSIVE:
                bench.hear(turn)

    def drop(self, cell: Cell) -> None:
        """It does not feed what it should."""
        self._cells = tuple(one for one in self._cells if one is not cell)

    def found(self) -> Found:
        """At this moment."""
        verdicts = {arm: state(bench) for arm, bench in self._arms.items()}
        every = [Standing(arm, verdicts[arm], bench.evidence, bench.answers) for arm, bench in self._arms.items()]
        failed = {arm for arm, verdict in verdicts.items() if verdict is Verdict.FAIL}
        groups = {one.dimension: [arm for arm in verdicts if arm.dimension is one.dimension] for one in failed}
        telling = [arms for arms in groups.values() if _tells(arms, verdicts)]
        return Found(
            standings=tuple(sorted(every, key=lambda one: one.arm)),
            carriers=tuple(sorted(arm for arms in telling for arm in arms if arm in failed)),
            clean=all(verdict is Verdict.PASS for verdict in verdicts.values()),
            everywhere=bool(failed) and all(set(arms) <= failed for arms in groups.values()),
        )

    def _open(self) -> list[Arm]:
        fed = frozenset[Arm]().union(*(cell.arms for cell in self._cells))
        return [arm for arm, bench in self._arms.items() if arm in fed and state(bench) is Verdict.INCONCLUSIVE]

    def _weights(self) -> dict[Arm, float]:
        failed = {arm.dimension for arm, bench in self._arms.items() if state(bench) is Verdict.FAIL}
        return {
            arm: max(LEAST, math.exp(min(_MOST, self._arms[arm].evidence)))
            * (BESIDE if arm.dimension in failed else 1.0)
            for arm in self._open()
        }


def state(bench: Hearing) -> Verdict:
    """Fail: it carries the fault; pass: it is clean; else it is open."""
    calm = bench.verdict is Verdict.FAIL or bench.evidence <= CALM
    return bench.verdict if calm else Verdict.INCONCLUSIVE


def _tells(arms: Sequence[Arm], verdicts: Mapping[Arm, Verdict]) -> bool:
    """Some failed, and all others are clean."""
    found = {verdicts[arm] for arm in arms}
    return found == {Verdict.FAIL, Verdict.PASS}


def words(found: Found, target: str, share: float) -> str:
    """What was found, in a sentence.

    >>> standing = Standing(Arm(Dimension.REPLICA, "a-3"), Verdict.FAIL, 9.0, 20)
    >>> words(Found((standing,), (standing.arm,), False, False), "mid/api/short", 0.05)
    'replica a-3 of mid/api/short carries it; the others are clean to 5 %'
    """
    if found.carriers:
        inside = [arm for arm in found.carriers if arm.dimension is not Dimension.POOL]
        named = _within(target, inside or found.carriers)
        carry = "carries" if len(inside or found.carriers) == 1 else "carry"
        return f"{named} {carry} it; the others are clean to {_percent(share)}"
    failed = sorted({one.arm.dimension.value for one in found.standings if one.verdict is Verdict.FAIL})
    if found.everywhere:
        return f"there is a fault, whatever the {' or '.join(failed)}"
    if failed:
        return f"there is a fault, but what carries it is not clear yet: by {' and '.join(failed)}, some parts are open"
    if found.clean:
        return f"nothing carries a fault: every part is clean to {_percent(share)}"
    suspect = max(found.standings, key=lambda one: one.evidence)
    return f"not sure; {_within(target, (suspect.arm,))} is the most suspect, with evidence {suspect.evidence:+.1f}"


def _within(target: str, arms: Sequence[Arm]) -> str:
    """A pool's name says where it is."""
    named = ", ".join(arm.name for arm in arms)
    return named if all(arm.dimension is Dimension.POOL for arm in arms) else f"{named} of {target}"


def _percent(share: float) -> str:
    return f"{100.0 * share:.3g} %"
