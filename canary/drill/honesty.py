"""Many scenarios made at random, each played once: how many faults are found, where they are, for the right reason."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from canary.drill.chance import drawn
from canary.drill.judge import Outcome
from canary.drill.perform import perform
from canary.drill.quantiles import share_interval
from canary.drill.scenario import Scenario

_PLAIN = 0.1  # a share of answers that nobody should miss


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault that was made at random, with its share of answers at its worst, and what came of it.

    `placed`: the incident names exactly its part of the fleet. `blamed`: its change is suspected first (None: nobody
    recorded it). `hours` are those to the incident.
    """

    kind: str
    share: float
    found: bool
    placed: bool
    blamed: bool | None
    hours: float | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A scenario. `split` counts further incidents of faults that have one already."""

    seed: int
    trials: tuple[Trial, ...]
    split: int
    false: int
    budget: float


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, and bounds of the probability behind it (Clopper and Pearson, 95 %)."""

    what: str
    count: int
    of: int

    @property
    def bounds(self) -> tuple[float, float]:
        return share_interval(self.count, self.of)


def attempt(seed: int, *, fast: bool) -> Attempt:
    """Play the scenario of a seed. Raises: CanaryError."""
    with TemporaryDirectory(prefix="canary-drill-") as folder:
        scenario = drawn(seed, Path(folder))
        judgement = perform(scenario, seed, lambda *_: None, fast=fast).judgement
    more = sum(max(0, len(outcome.incidents) - 1) for outcome in judgement.outcomes)
    trials = tuple(_trial(scenario, outcome) for outcome in judgement.outcomes)
    return Attempt(seed, trials, more + len(judgement.unexpected), len(judgement.false), judgement.budget)


def attempts(seeds: Sequence[int], workers: int, *, fast: bool) -> Iterator[Attempt]:
    """Those of many seeds, in processes of their own, as they come. Raises: CanaryError."""
    play: Callable[[int], Attempt] = partial(attempt, fast=fast)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(play, seed) for seed in seeds]):
            yield done.result()


def shares(played: Sequence[Attempt]) -> tuple[Share, ...]:
    """What they come to."""
    trials = [trial for one in played for trial in one.trials]
    found = [trial for trial in trials if trial.found]
    plain = [trial for trial in trials if trial.share >= _PLAIN]
    known = [trial for trial in found if trial.blamed is not None]
    return (
        Share("faults found", len(found), len(trials)),
        Share(f"faults found that touch {_PLAIN:.0%} of requests or more", sum(t.found for t in plain), len(plain)),
        Share("of those found, in exactly the right part of the fleet", sum(t.placed for t in found), len(found)),
        Share("of those found, the recorded cause suspected first", sum(bool(t.blamed) for t in known), len(known)),
        Share("scenarios with a further incident of a fault", sum(one.split > 0 for one in played), len(played)),
        Share("scenarios with a false alarm", sum(one.false > 0 for one in played), len(played)),
    )


def _trial(scenario: Scenario, outcome: Outcome) -> Trial:
    name, told = outcome.expected.fault, outcome.incidents
    truths = [truth for truth in scenario.truths if truth.name == name]
    share = max(stage.share for truth in truths for _, stage in truth.stages)
    kind = truths[0].plan.kind.value
    cause = outcome.expected.suspect
    if not told or outcome.delay is None:
        return Trial(kind, share, found=False, placed=False, blamed=None, hours=None)
    targets = frozenset().union(*(truth.targets for truth in truths))
    first = told[0].suspects[0].change if told[0].suspects else ""
    return Trial(
        kind,
        share,
        found=True,
        placed=scenario.covered(told[0].where) == targets,
        blamed=None if cause is None else first == cause,
        hours=outcome.delay.time.total_seconds() / 3600.0,
    )
