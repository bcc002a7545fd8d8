"""What is handed in over HTTP, and who takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from canary.pipeline.feedback import Window


@dataclass(frozen=True, slots=True)
class Taken:
    """How many were new, and how many known already: those are left as they are."""

    new: int
    known: int


class Intake(Protocol):
    """Keeps what is handed in, and feeds it to detectors."""

    async def windows(self, windows: Sequence[Window], who: str) -> Taken:
        """Raises: NotFound when a target or a class is not in the config."""
        ...
