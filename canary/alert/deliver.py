"""The outbox worker: what is owed reaches its receiver, at least once and in order.

A notification is owed from the commit that decided it. The worker claims due ones under a lease, gives each to the lane
of its receiver, and records the outcome. Whatever dies in between (this process, the receiver, the store) leaves the
lease to run out, and the notification comes again with the same id. Lanes are tasks of their own, so that a slow
receiver delays nobody else; within a lane things go one by one, or a group at a time where the receiver can make one
message of it; a receiver that asks for a pause (Retry-After) gets it, within bounds. The store gives out a notification
of an incident only when the receiver has all the earlier ones.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Protocol

from canary.alert.receivers.base import Digesting, Receiver
from canary.clock import Clock
from canary.errors import DeliveryError, StoreUnavailable
from canary.records import Notification, NotificationKind

BATCH = 100
LANE = 200
LONGEST_PAUSE = timedelta(hours=1)  # that a receiver may ask for
DEADLINE = timedelta(seconds=30)  # for one delivery, whatever the receiver's own time-outs

_log = logging.getLogger(__name__)


Parcel = tuple[Notification, ...]
"""What is handed over at once."""


class Outcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"  # the receiver answered that it will not have it
    UNKNOWN = "unknown"  # no such receiver is configured
    ABANDONED = "abandoned"  # failed for longer than `Backoff.give_up`


class Telemetry(Protocol):
    """Where the worker counts."""

    def notified(self, *, receiver: str, kind: NotificationKind, outcome: Outcome) -> None: ...

    def owed(self, n: int) -> None: ...


class OutboxTransaction(Protocol):
    """The part of a store's transaction that the worker needs."""

    def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Notification]: ...

    def delivered(self, notification_id: str, at: datetime) -> None: ...

    def retry(self, notification_id: str, *, not_before: datetime, reason: str) -> None: ...

    def owed(self) -> int: ...


class OutboxStore(Protocol):
    """The part of a store that the worker needs."""

    def transaction(self) -> AbstractContextManager[OutboxTransaction]: ...

    def reading(self) -> AbstractContextManager[OutboxTransaction]: ...


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, with full jitter: after n attempts a uniform share of min(longest, first * 2**n)."""

    first: timedelta = timedelta(seconds=5)
    longest: timedelta = timedelta(minutes=10)
    give_up: timedelta = timedelta(days=7)

    def pause(self, attempts: int, rng: Random) -> timedelta:
        return min(self.longest, self.first * 2.0 ** min(attempts, 20)) * rng.random()


class Outbox:
    """Delivers until it is cancelled. Cancelling it loses nothing."""

    def __init__(
        self,
        store: OutboxStore,
        receivers: Mapping[str, Receiver],
        clock: Clock,
        *,
        telemetry: Telemetry,
        rng: Random,
        backoff: Backoff | None = None,
        lease: timedelta = timedelta(minutes=1),
        poll: timedelta = timedelta(seconds=1),
    ) -> None:
        self._store = store
        self._receivers = dict(receivers)
        self._clock = clock
        self._telemetry = telemetry
        self._rng = rng
        self._backoff = backoff or Backoff()
        self._lease = lease
        self._poll = poll
        self._woken = asyncio.Event()
        self._in_lane: set[str] = set()

    def wake(self) -> None:
        """Something is owed: do not wait for the next poll. Call it in the event loop, after the commit."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver for ever."""
        lanes = {name: asyncio.Queue[Parcel](LANE) for name in self._receivers}
        async with asyncio.TaskGroup() as group:
            for name, lane in lanes.items():
                group.create_task(self._work(self._receivers[name], lane))
            while True:
                for parcel in self._packed(await self._claim()):
                    await self._hand_over(parcel, lanes)
                await self._pause()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._poll.total_seconds()):
                await self._woken.wait()
        self._woken.clear()

    async def _claim(self) -> Sequence[Notification]:
        try:
            owed, claimed = await asyncio.to_thread(self._claim_now, self._clock.now())
        except StoreUnavailable:
            _log.warning("outbox_store_unavailable")
            return ()
        self._telemetry.owed(owed)
        if len(claimed) == BATCH:
            self.wake()
        return claimed

    def _claim_now(self, now: datetime) -> tuple[int, Sequence[Notification]]:
        with self._store.reading() as view:  # writers are exclusive: do not queue among them for nothing
            owed = view.owed()
        if not owed:
            return 0, ()
        with self._store.transaction() as transaction:
            return owed, transaction.claim(now=now, lease=self._lease, limit=BATCH)

    def _packed(self, claimed: Sequence[Notification]) -> Sequence[Parcel]:
        """Those of a group together, where the receiver can make one message of them; in order."""
        parcels: dict[tuple[str, str], list[Notification]] = {}
        for notification in claimed:
            together = notification.group and isinstance(self._receivers.get(notification.receiver), Digesting)
            key = (notification.receiver, notification.group if together else notification.id)
            parcels.setdefault(key, []).append(notification)
        return [tuple(parcel) for parcel in parcels.values()]

    async def _hand_over(self, parcel: Parcel, lanes: Mapping[str, asyncio.Queue[Parcel]]) -> None:
        if any(one.id in self._in_lane for one in parcel):  # its lease ran out while it stood in line
            return
        lane = lanes.get(parcel[0].receiver)
        if lane is None:
            for one in parcel:
                await self._again(one, Outcome.UNKNOWN, "no such receiver", self._backoff.longest)
        elif not lane.full():  # else its lease runs out, and it comes again
            self._in_lane.update(one.id for one in parcel)
            lane.put_nowait(parcel)

    async def _work(self, receiver: Receiver, lane: asyncio.Queue[Parcel]) -> None:
        while True:
            parcel = await lane.get()
            pause = await self._deliver(receiver, parcel)
            self._in_lane.difference_update(one.id for one in parcel)
            if pause:
                await self._clock.sleep(pause.total_seconds())

    async def _deliver(self, receiver: Receiver, parcel: Parcel) -> timedelta:
        """Once; returns for how long the receiver asked to be left alone."""
        pause = timedelta(0)
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                await _handed(receiver, parcel)
        except TimeoutError:
            await _each(parcel, lambda one: self._failed(one, Outcome.FAILED, "took too long"))
        except DeliveryError as error:
            outcome, reason = Outcome.REFUSED if error.refused else Outcome.FAILED, str(error)
            pause = min(error.pause or pause, LONGEST_PAUSE)
            await _each(parcel, lambda one: self._failed(one, outcome, reason, pause))
        else:
            await _each(parcel, lambda one: self._close(one, Outcome.DELIVERED))
        return pause

    async def _failed(
        self, notification: Notification, outcome: Outcome, reason: str, asked: timedelta = timedelta(0)
    ) -> None:
        if self._clock.now() - notification.created_at > self._backoff.give_up:
            await self._close(notification, Outcome.ABANDONED)
            return
        pause = max(asked, self._backoff.pause(notification.attempts, self._rng))
        delay = self._backoff.longest if outcome is Outcome.REFUSED else pause
        await self._again(notification, outcome, reason, delay)

    async def _close(self, notification: Notification, outcome: Outcome) -> None:
        now = self._clock.now()
        await self._record(notification, outcome, lambda owed: owed.delivered(notification.id, now))

    async def _again(self, notification: Notification, outcome: Outcome, reason: str, delay: timedelta) -> None:
        then = self._clock.now() + delay
        await self._record(
            notification, outcome, lambda owed: owed.retry(notification.id, not_before=then, reason=reason)
        )

    async def _record(
        self, notification: Notification, outcome: Outcome, work: Callable[[OutboxTransaction], None]
    ) -> None:
        facts = {"notification": notification.id, "receiver": notification.receiver, "outcome": outcome.value}
        _log.log(logging.INFO if outcome is Outcome.DELIVERED else logging.WARNING, "notification", extra=facts)
        self._telemetry.notified(receiver=notification.receiver, kind=notification.kind, outcome=outcome)
        try:
            await asyncio.to_thread(self._commit, work)
        except StoreUnavailable:
            _log.warning("outbox_store_unavailable", extra=facts)  # the lease runs out and it comes again

    def _commit(self, work: Callable[[OutboxTransaction], None]) -> None:
        with self._store.transaction() as transaction:
            work(transaction)


async def _handed(receiver: Receiver, parcel: Parcel) -> None:
    if len(parcel) > 1 and isinstance(receiver, Digesting):
        await receiver.digest(parcel)
    else:
        for one in parcel:
            await receiver.deliver(one)


async def _each(parcel: Parcel, record: Callable[[Notification], Awaitable[None]]) -> None:
    for one in parcel:
        await record(one)
