"""The seam of every receiver."""

from typing import Protocol

from canary.records import Notification


class Receiver(Protocol):
    """Takes notifications, one at a time and in order."""

    async def deliver(self, notification: Notification) -> None:
        """Return when it was taken. The same one may come twice, with the same id. Raises: DeliveryError."""
        ...
