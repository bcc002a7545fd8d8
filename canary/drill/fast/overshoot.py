"""What `canary.detect.esr` multiplies a step with so that overshoot is not wasted: of R itself, not its logarithm."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canary.detect import Outcomes

Floats = NDArray[np.float64]
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Payoff:
    """Outcomes, the most extreme first: `law` their probabilities, `e` what each pays, of shape (C, K)."""

    law: tuple[float, ...]
    e: Floats

    @classmethod
    def of(cls, outcomes: Outcomes) -> "Payoff":
        return cls(tuple(np.exp(outcomes.log_law).tolist()), np.exp(outcomes.log_e))

    def boost(self, entering: Floats) -> float:
        """The largest m for which outcomes that carry R beyond 1 may pay 1, and the others m times as much."""
        total = float(entering.sum())
        boost, spent, paid = 1.0, 0.0, 0.0
        reach = (self.e @ entering).tolist()
        for law, reached in zip(self.law, reach[: len(reach) - (total < 1.0)], strict=False):
            if reached * boost < 1.0:
                break
            spent += law
            paid += law * reached
            left, rest = total - spent, total - paid
            boost = max(1.0, left / rest) if left > 0.0 and rest > _ROUNDING * total else 1.0
        return boost


def extreme(payoff: Payoff | None, width: int) -> Floats:
    """What the most extreme outcome pays; nothing where outcomes are not known."""
    return np.zeros(width) if payoff is None else payoff.e[0]
