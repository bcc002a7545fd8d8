"""What can be wrong with the fleet: mechanisms inside it, never edits of its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from canary.lab.noise import digest

_LONGEST = 600.0


class FaultKind(StrEnum):
    """The kinds, and what `share` and `rate` mean for them."""

    CORRUPTION = (
        "corruption"  # in a share of answers, at a rate per step, a token that should be rare gets a high logit
    )
    SWAP = "swap"  # the same after the softmax: the logprobs stay true, the text does not
    DROPPED_TOP = "dropped_top"  # in a share of answers, at a rate per step, selection loses the most probable token
    BF16_TOP = "bf16_top"  # a share of replicas keeps excess precision for half of the vocabulary
    APPROXIMATE_TOP_K = "approximate_top_k"  # a share of replicas takes its candidates from blocks of the vocabulary
    MISROUTING = "misrouting"  # a share of sessions goes to the servers of another pool
    UNREACHABLE = "unreachable"  # a share of connections is dropped
    THROTTLED = "throttled"  # a share of requests is answered 429
    SLOW = "slow"  # a share of answers takes `seconds` longer
    ROLLOUT = "rollout"  # no fault: a share of replicas serves new weights, and declares their `version`
    UPGRADE = "upgrade"  # no fault: a share of replicas runs `version` of the engine, with other jitter of the same law


_CHANGES = (FaultKind.ROLLOUT, FaultKind.UPGRADE)
OF_REPLICAS = (FaultKind.BF16_TOP, FaultKind.APPROXIMATE_TOP_K, *_CHANGES)
"""What is installed on servers, and stays there."""
OF_BATCHES = (FaultKind.APPROXIMATE_TOP_K,)
"""What depends on the size of a batch by itself."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that is switched on. Empty scope: everywhere. It strikes in batches of at least `batch` requests.

    `replica` is the place of one server in its pool: the fault is there alone. With the `workaround` the most probable
    token is always among the candidates.
    """

    kind: FaultKind
    model: str = ""
    platform: str = ""
    pool: str = ""
    share: float = 1.0
    rate: float = 0.02
    seconds: float = 0.0
    to_pool: str = ""
    batch: int = 1
    replica: int | None = None
    version: str = ""
    workaround: bool = False

    def __post_init__(self) -> None:
        if not (0.0 <= self.share <= 1.0 and 0.0 <= self.rate <= 1.0 and 0.0 <= self.seconds <= _LONGEST):
            raise ValueError(f"share and rate lie in [0, 1], seconds in [0, {_LONGEST:.0f}]")
        if (self.kind is FaultKind.MISROUTING) != bool(self.to_pool):
            raise ValueError("misrouting, and nothing else, has a to_pool")
        if (self.kind in _CHANGES) != bool(self.version):
            raise ValueError("a rollout or an upgrade, and nothing else, has a version")
        if self.kind is FaultKind.MISROUTING and self.replica is not None:
            raise ValueError("misrouting is a fault of the balancer, not of a replica")

    def concerns(self, model: str, platform: str, pool: str) -> bool:
        scope = ((self.model, model), (self.platform, platform), (self.pool, pool))
        return all(wanted in ("", actual) for wanted, actual in scope)


def strength(faults: Sequence[Fault], kind: FaultKind) -> float:
    """The rate per step of all faults of one kind together."""
    healthy = 1.0
    for fault in faults:
        if fault.kind is kind:
            healthy *= 1.0 - fault.rate
    return 1.0 - healthy


def chosen(place: int, count: int, share: float, about: tuple[object, ...]) -> bool:
    """Whether a share concerns this one of `count` replicas: as many as it comes nearest to, and at least one.

    A larger share concerns those of a smaller one too.
    """
    return place in ranking(count, about)[: concerned(count, share)]


def concerned(count: int, share: float) -> int:
    """How many of `count` replicas."""
    return max(1, round(share * count)) if share else 0


@lru_cache(maxsize=1024)
def ranking(count: int, about: tuple[object, ...]) -> tuple[int, ...]:
    """Replicas in the order in which a growing share concerns them."""
    return tuple(sorted(range(count), key=lambda place: digest(about, place)))
