"""The seam of every receiver."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol, runtime_checkable

from canary.records import Notification


class Receiver(Protocol):
    """Takes notifications, one at a time and in order."""

    async def deliver(self, notification: Notification) -> None:
        """Return when it was taken. The same one may come twice, with the same id. Raises: DeliveryError."""
        ...


class Shown(Receiver, Protocol):
    """A receiver that can show what it would send."""

    def preview(self, notification: Notification) -> str:
        """Exactly as it would be sent, secrets as `***`; empty when nothing would be."""
        ...


@runtime_checkable
class Digesting(Receiver, Protocol):
    """A receiver that can make one message of several notifications."""

    async def digest(self, notifications: Sequence[Notification]) -> None:
        """Return when all were taken. Raises: DeliveryError, and then none counts as taken."""
        ...


@runtime_checkable
class Refreshed(Receiver, Protocol):
    """A receiver that forgets what it is not told again."""

    @property
    def resend(self) -> timedelta:
        """How often it wants to be told."""
        ...

    async def refresh(self, standing: Sequence[Notification]) -> None:
        """Tell again what it was last told of each incident. Raises: DeliveryError."""
        ...
