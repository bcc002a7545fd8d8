"""The time that the schedule goes by: it never runs backwards, and it never stands still.

It is the wall time. When the wall clock is set back, slots of the repeated hour have been fired already and must not be
fired again, and a schedule that waited for the wall clock would probe nothing for an hour. So the schedule goes on from
where it was, at nine tenths of the pace, until the wall clock has caught up: ten hours for an hour. When the
wall clock is set forward, or the machine slept, the schedule follows at once.
"""

from datetime import datetime, timedelta

from canary.clock import Clock

_PACE = 0.9
_TRUSTED = timedelta(days=1)


class Timebase:
    """Starts at the wall time, or at `since` (when a scheduler was last alive) where the clock was set back meanwhile.

    A `since` more than a day ahead tells of a clock that was wildly wrong: it is not believed.
    """

    def __init__(self, clock: Clock, since: datetime | None = None) -> None:
        now = clock.now()
        self._clock = clock
        self._monotonic = clock.monotonic()
        self._time = since if since and now < since <= now + _TRUSTED else now

    def read(self) -> datetime:
        monotonic = self._clock.monotonic()
        elapsed, self._monotonic = monotonic - self._monotonic, monotonic
        self._time = max(self._clock.now(), self._time + timedelta(seconds=_PACE * elapsed))
        return self._time

    @property
    def ahead(self) -> timedelta:
        """How far the schedule ran ahead of the wall clock when it was last read."""
        return max(timedelta(0), self._time - self._clock.now())
