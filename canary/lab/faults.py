"""What can be wrong with the fleet: mechanisms inside it, never edits of its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_LONGEST = 600.0


class FaultKind(StrEnum):
    """The kinds, and what `share` and `rate` mean for them."""

    CORRUPTION = "corruption"  # in a share of answers, at a rate per step, a rare foreign token gets a high logit
    SWAP = "swap"  # the same after the softmax: the logprobs stay true, the text does not
    DROPPED_TOP = "dropped_top"  # in a share of answers, at a rate per step, selection loses the most probable token
    MISROUTING = "misrouting"  # a share of sessions goes to the servers of another pool
    UNREACHABLE = "unreachable"  # a share of connections is dropped
    THROTTLED = "throttled"  # a share of requests is answered 429
    SLOW = "slow"  # a share of answers takes `seconds` longer


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that is switched on. Empty scope: everywhere. It strikes in batches of at least `batch` requests."""

    kind: FaultKind
    model: str = ""
    platform: str = ""
    pool: str = ""
    share: float = 1.0
    rate: float = 0.02
    seconds: float = 0.0
    to_pool: str = ""
    batch: int = 1

    def __post_init__(self) -> None:
        if not (0.0 <= self.share <= 1.0 and 0.0 <= self.rate <= 1.0 and 0.0 <= self.seconds <= _LONGEST):
            raise ValueError(f"share and rate lie in [0, 1], seconds in [0, {_LONGEST:.0f}]")
        if (self.kind is FaultKind.MISROUTING) != bool(self.to_pool):
            raise ValueError("misrouting, and nothing else, has a to_pool")

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
