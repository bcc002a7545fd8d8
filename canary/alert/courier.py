"""Everything that goes out: what is owed, by the outbox; and again and again what some receivers would forget."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from canary.alert.deliver import DEADLINE, Outbox, OutboxTransaction, Outcome, Telemetry
from canary.alert.receivers.base import Receiver, Refreshed
from canary.clock import Clock
from canary.errors import DeliveryError, StoreUnavailable
from canary.records import Notification, NotificationKind

AFTER_THE_END = timedelta(minutes=5)
"""For so long after its end an incident is told again as resolved."""

_log = logging.getLogger(__name__)


class CourierTransaction(OutboxTransaction, Protocol):
    """The part of a store's transaction that a courier needs."""

    def standing(self, receiver: str, *, since: datetime) -> Sequence[Notification]: ...


class CourierStore(Protocol):
    """The part of a store that a courier needs."""

    def transaction(self) -> AbstractContextManager[CourierTransaction]: ...

    def reading(self) -> AbstractContextManager[CourierTransaction]: ...


class Courier:
    """Delivers until it is cancelled. Cancelling it loses nothing."""

    def __init__(
        self,
        store: CourierStore,
        receivers: Mapping[str, Receiver],
        clock: Clock,
        *,
        telemetry: Telemetry,
        rng: Random,
    ) -> None:
        self._outbox = Outbox(store, receivers, clock, telemetry=telemetry, rng=rng)
        self._refreshers = [
            Refresher(name, receiver, store, clock, telemetry)
            for name, receiver in receivers.items()
            if isinstance(receiver, Refreshed)
        ]

    def wake(self) -> None:
        """Something is owed: do not wait for the next poll. Call it in the event loop, after the commit."""
        self._outbox.wake()

    async def run(self) -> None:
        """Deliver for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._outbox.run())
            for refresher in self._refreshers:
                group.create_task(refresher.run())


class Refresher:
    """Tells one receiver again what it was last told and took, for as long as it stands."""

    def __init__(self, name: str, receiver: Refreshed, store: CourierStore, clock: Clock, telemetry: Telemetry) -> None:
        self._name = name
        self._receiver = receiver
        self._store = store
        self._clock = clock
        self._telemetry = telemetry

    async def run(self) -> None:
        """Refresh for ever."""
        while True:
            await self.refresh()
            await self._clock.sleep(self._receiver.resend.total_seconds())

    async def refresh(self) -> None:
        """Once. What goes wrong is counted, and made up for the next time."""
        try:
            standing = await asyncio.to_thread(self._standing)
            if standing:
                async with asyncio.timeout(DEADLINE.total_seconds()):
                    await self._receiver.refresh(standing)
        except StoreUnavailable:
            _log.warning("refresh_store_unavailable", extra={"receiver": self._name})
        except TimeoutError:
            self._failed(Outcome.FAILED)
        except DeliveryError as error:
            self._failed(Outcome.REFUSED if error.refused else Outcome.FAILED)

    def _standing(self) -> Sequence[Notification]:
        with self._store.reading() as view:
            return view.standing(self._name, since=self._clock.now() - AFTER_THE_END)

    def _failed(self, outcome: Outcome) -> None:
        _log.warning("refresh_failed", extra={"receiver": self._name, "outcome": outcome.value})
        self._telemetry.notified(receiver=self._name, kind=NotificationKind.REPEAT, outcome=outcome)
