"""What nobody is told of for a while, and why."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Silence:
    """Between `starts_at` and `ends_at` nobody is told of incidents that all of `matchers` cover.

    One that `freezes` is a maintenance window: the detectors of the targets that it covers stand still meanwhile.
    """

    id: str
    matchers: tuple[str, ...]  # as people write them: "pool=tpu-*"
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    freezes: bool = False
    expired_by: str | None = None

    def holds(self, now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at
