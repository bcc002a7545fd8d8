"""How many wrong answers are too many: a count over a planned number of answers, decided as soon as it can be.

Of a fault that touches 1.2 % of answers, 400 probes show some five, so a verdict must stand on two or three events. An
e-process that watches for faults of every size spends most of what two events say on the sizes; a count over a number
of answers that is fixed beforehand spends nothing. Healthy answers show `healthy` events among those planned at most,
so that c events come with probability

    P(Binomial(planned, healthy / planned) >= c) <= alpha        c is the smallest such number >= healthy + 1

and the target fails at the c-th event, however many answers are still to come: counts never fall.

The answers need not be alike. If answer i shows an event with probability p_i, and the p_i sum to `healthy` at most,
the count is less likely to reach c than the binomial one (Hoeffding), for any c >= healthy + 1.

References:
    Hoeffding: On the distribution of the number of successes in independent trials, Ann. Math. Stat. 27 (1956).
"""

import math
from dataclasses import dataclass
from functools import cached_property

from scipy.special import bdtrc, betaincinv, gammainccinv


def golden_events(events: int, delta: float) -> float:
    """The largest mean number of events that seeing `events` of them does not contradict; > 0.

    Sums of unequal Bernoulli variables are less likely to stay that low than Poisson ones of the same mean.

    Args:
        events: in all golden answers, >= 0.
        delta: the bound is too low with at most this probability, in (0, 0.25].

    Raises:
        ValueError: out of range.

    >>> round(golden_events(0, 0.01), 3), round(golden_events(5, 0.01), 3)
    (4.605, 13.108)
    """
    if events < 0 or not 0.0 < delta <= 0.25:
        raise ValueError(f"need events >= 0 and 0 < delta <= 0.25, got {events} and {delta}")
    return float(gammainccinv(events + 1, delta))


@dataclass(frozen=True)
class Tally:
    """Frozen parameters of a count.

    Attributes:
        planned: answers that are to be counted at most, >= 1.
        healthy: bound of the mean number of events among as many healthy answers, > 0.
        alpha: probability of ever failing a healthy target, in (0, 1).

    Raises:
        ValueError: a parameter is out of range.

    >>> Tally(planned=400, healthy=0.06, alpha=0.005).needed
    2
    """

    planned: int
    healthy: float
    alpha: float

    def __post_init__(self) -> None:
        if self.planned < 1 or not 0.0 < self.healthy < math.inf or not 0.0 < self.alpha < 1.0:
            raise ValueError(f"need planned >= 1, healthy > 0 and alpha in (0, 1), got {self}")

    @property
    def rate(self) -> float:
        """Bound of the mean probability that a healthy answer shows an event; in (0, 1]."""
        return min(1.0, self.healthy / self.planned)

    @cached_property
    def needed(self) -> int:
        """Events that make a fail; `planned + 1`, and so never, where no count would be strange enough."""
        least = min(self.planned + 1, math.ceil(self.healthy + 1.0))
        return next(c for c in range(least, self.planned + 2) if self._reached(c, self.planned) <= self.alpha)

    def log_likely(self, answers: int, events: int) -> float:
        """Ln of the probability that the count will be reached if all is healthy; 0 where it has been; <= 0, in nats.

        Args:
            answers: counted so far, in [0, planned].
            events: among them.

        >>> tally = Tally(planned=400, healthy=0.06, alpha=0.005)
        >>> [round(tally.log_likely(answers, events), 2) for answers, events in ((0, 0), (100, 1), (300, 2))]
        [-6.36, -3.12, 0.0]
        """
        if events >= self.needed:
            return 0.0
        likely = self._reached(self.needed - events, self.planned - answers)
        return math.log(likely) if likely > 0.0 else -math.inf

    def visible(self, answers: int, power: float) -> float:
        """The smallest share of touched answers that would have made as many answers fail with this power; in (0, 1].

        >>> round(Tally(planned=400, healthy=0.06, alpha=0.005).visible(400, 0.95), 4)
        0.0118
        """
        return 1.0 if answers < self.needed else float(betaincinv(self.needed, answers - self.needed + 1, power))

    def _reached(self, events: int, answers: int) -> float:
        """The probability that so many healthy answers show so many events or more."""
        return 0.0 if events > answers else float(bdtrc(events - 1, answers, self.rate))
