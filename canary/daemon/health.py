"""Whether the process works, and whether it does its duty: told from when things last came round, not from hope."""

from canary.clock import Clock
from canary.web.status import Check

STUCK = 120.0  # seconds: no wait of ours for a lock, a connection or a reply is nearly as long
LAGGING = 2.0  # seconds


class Health:
    """What the daemon notes of itself. Restarting helps a process that is not live; one that is not ready may wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beat = clock.monotonic()
        self._commit: float | None = None
        self._store = ""
        self._lag = 0.0
        self.draining = False

    def beat(self, *, lag: float) -> None:
        """The heartbeat came round, `lag` seconds late."""
        self._beat = self._clock.monotonic()
        self._lag = lag

    def store(self, trouble: str = "") -> None:
        """The store was reached, or not and why."""
        self._store = trouble

    def committing(self) -> None:
        """A batch goes to the store."""
        self._commit = self._clock.monotonic()

    def committed(self) -> None:
        """It is there, or its transaction failed."""
        self._commit = None

    def live(self) -> tuple[Check, ...]:
        now = self._clock.monotonic()
        return (
            _recent("heartbeat", now - self._beat),
            _recent("writer", 0.0 if self._commit is None else now - self._commit),
        )

    def ready(self, *, config: str, waiting: int) -> tuple[Check, ...]:
        """By the digest of the config in use and by how many observations wait for their commit."""
        return (
            Check("config", ok=True, detail=config),
            Check("store", ok=not self._store, detail=f"{self._store}, {waiting} wait" if self._store else ""),
            Check("event loop", ok=self._lag < LAGGING, detail=f"{self._lag:.1f} s late"),
            Check("schedule", ok=not self.draining, detail="stopping" if self.draining else ""),
        )


def _recent(name: str, age: float) -> Check:
    return Check(name, ok=age < STUCK, detail="" if age < STUCK else f"stuck for {age:.0f} s")
