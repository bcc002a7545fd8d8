"""What a pass speaks of: events, and the evidence that they touch less than a share of answers."""

import math
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Voice:
    """Something that a pass may speak of: events of answers, `planned` of which are to be heard.

    `healthy` bounds their rate, `share` is the one to exclude; `sound` is the evidence against it in nats, `settled`
    that at the end of the last whole round.
    """

    share: float
    healthy: float
    planned: int
    answers: int = 0
    sound: float = 0.0
    settled: float = 0.0

    @property
    def quiet(self) -> bool:
        """Whether healthy answers can be told from a fault at all."""
        return self.healthy <= self.share / 2.0

    def reaches(self, beta: float) -> bool:
        """Whether it excludes the share in time, even with an event more than healthy answers show on average."""
        events = min(self.planned, 1 + round(self.planned * self.healthy))
        return events * self._step(event=True) + (self.planned - events) * self._step(event=False) >= -math.log(beta)

    def hear(self, *, event: bool) -> None:
        self.answers += 1
        self.sound += self._step(event=event)

    def _step(self, *, event: bool) -> float:
        healthy = min(self.healthy, self.share)  # equal: such answers cannot tell them apart
        return math.log(healthy / self.share) if event else math.log1p(-healthy) - math.log1p(-self.share)
