"""What is handed in over HTTP, and who takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from canary.pipeline.feedback import Window
from canary.records import UnscoredReason


@dataclass(frozen=True, slots=True)
class Mark:
    """A score as it is handed in: a value on an exposure, or the reason why there is none."""

    signal: str
    version: int
    value: float = 0.0
    exposure: float = 1.0
    unscored: UnscoredReason | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What `canary score` says of one answer."""

    identity: str
    probe: str
    digest: str
    at: datetime
    replica: str
    scores: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """How many were new, and how many known already: those are left as they are."""

    new: int
    known: int


class Intake(Protocol):
    """Keeps what is handed in, and feeds it to detectors."""

    async def scores(self, lines: Sequence[Line], target: str, who: str, *, golden: bool) -> Taken:
        """Raises: NotFound when the target is no external one of the config, ReportError when a line does not fit."""
        ...

    async def windows(self, windows: Sequence[Window], who: str) -> Taken:
        """Raises: NotFound when a target or a class is not in the config."""
        ...
