"""Gates that are asked for over HTTP: what is asked, what is known of one, and who runs them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Asked:
    """What `canary gate` is asked. The same target and key is the same gate."""

    target: str
    key: str
    within: timedelta
    max_probes: int
    against: str | None = None
    suite: str | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """How it stands: running, or ended with the report of `canary gate --json` or with why there is none."""

    asked: Asked
    report: dict[str, object] | None = None
    trouble: str = ""

    @property
    def running(self) -> bool:
        return self.report is None and not self.trouble

    @property
    def verdict(self) -> str | None:
        """Pass, fail or inconclusive; None while it runs, and where something went wrong."""
        return None if self.report is None else str(self.report["verdict"])


class Busy(Exception):
    """As many gates run as may."""


class Differs(Exception):
    """The key is of a gate that was asked otherwise."""


class Gates(Protocol):
    """Runs them beside the event loop."""

    def known(self, target: str, key: str) -> Gate | None:
        """One that runs, or that ended not long ago."""
        ...

    async def ask(self, asked: Asked, who: str, patience: timedelta) -> Gate:
        """Begin it, if it is not known, and wait for its end, for so long. What went wrong is told once, not kept.

        Raises: Busy, Differs.
        """
        ...
