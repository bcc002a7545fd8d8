"""The outbox over a store and over real HTTP: what is owed arrives, whatever dies in between."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from typing_extensions import override

from canary.alert.deliver import BATCH, Backoff, Outbox, OutboxStore, OutboxTransaction, Outcome
from canary.alert.receivers.base import Receiver
from canary.alert.receivers.webhook import Webhook, verify
from canary.alert.specs import WebhookSpec
from canary.clock import SystemClock
from canary.errors import DeliveryError, StoreUnavailable
from canary.http import HttpClient
from canary.records import Notification, NotificationKind
from canary.store.memory import MemoryStore
from canary.testing import FakeClock, RecordingReceiver
from tests.unit.alert.findings import START
from tests.unit.alert.owed import owe

pytestmark = pytest.mark.anyio

TROUBLE = DeliveryError("answered 500")
REFUSED = DeliveryError("answered 404", refused=True)
LEASE = timedelta(minutes=1)
TRIGGER = owe("trigger", kind=NotificationKind.TRIGGER)
RESOLVE = owe("resolve", kind=NotificationKind.RESOLVE, at=START + timedelta(seconds=1))


@dataclass
class Counts:
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    owing: int = -1

    def notified(self, *, receiver: str, kind: NotificationKind, outcome: Outcome) -> None:
        self.outcomes[outcome] += 1

    def owed(self, n: int) -> None:
        self.owing = n


@dataclass
class World:
    clock: FakeClock = field(default_factory=lambda: FakeClock(START + timedelta(seconds=2)))
    store: MemoryStore = field(default_factory=MemoryStore)
    counts: Counts = field(default_factory=Counts)

    def owe(self, *notifications: Notification) -> None:
        with self.store.transaction() as transaction:
            transaction.enqueue(notifications)

    def owed(self) -> int:
        with self.store.reading() as view:
            return view.owed()

    @asynccontextmanager
    async def delivering(
        self, receivers: Mapping[str, Receiver] | Receiver, *, store: OutboxStore | None = None
    ) -> AsyncIterator[Outbox]:
        outbox = Outbox(
            store or self.store,
            receivers if isinstance(receivers, Mapping) else {"oncall": receivers},
            self.clock,
            telemetry=self.counts,
            rng=random.Random(7),
            lease=LEASE,
            poll=timedelta(milliseconds=5),
        )
        task = asyncio.create_task(outbox.run())
        try:
            yield outbox
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


def ids(receiver: RecordingReceiver) -> list[str]:
    return [notification.id for notification in receiver.taken]


async def test_what_is_owed_is_delivered_once_and_no_longer_owed() -> None:
    world, receiver = World(), RecordingReceiver()
    world.owe(TRIGGER)
    async with world.delivering(receiver):
        await until(lambda: world.owed() == 0)
        world.clock.advance(LEASE * 3)
        await asyncio.sleep(0.05)
    assert ids(receiver) == ["trigger"]


async def test_a_wake_up_delivers_without_waiting_for_the_poll() -> None:
    world, receiver = World(), RecordingReceiver()
    outbox = Outbox(
        world.store,
        {"oncall": receiver},
        world.clock,
        telemetry=world.counts,
        rng=random.Random(7),
        poll=timedelta(days=1),
    )
    task = asyncio.create_task(outbox.run())
    await until(lambda: world.counts.owing == 0)
    world.owe(TRIGGER)
    outbox.wake()
    await until(lambda: world.owed() == 0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert ids(receiver) == ["trigger"]


async def test_a_receiver_that_answers_500_and_then_200_gets_it() -> None:
    world, receiver = World(), RecordingReceiver([TROUBLE])
    world.owe(TRIGGER)
    async with world.delivering(receiver):
        await until(lambda: world.counts.outcomes[Outcome.FAILED] == 1)
        world.clock.advance(Backoff().longest)
        await until(lambda: world.owed() == 0)
    assert ids(receiver) == ["trigger"]


async def test_a_receiver_that_is_down_for_an_hour_gets_everything_in_order() -> None:
    world, receiver = World(), RecordingReceiver([TROUBLE] * 40)
    world.owe(TRIGGER, RESOLVE)
    async with world.delivering(receiver):
        while world.owed():
            world.clock.advance(timedelta(seconds=30))
            await asyncio.sleep(0.005)
    assert ids(receiver) == ["trigger", "resolve"]


async def test_a_resolve_waits_behind_its_trigger() -> None:
    world, receiver = World(), RecordingReceiver([TROUBLE])
    world.owe(TRIGGER, RESOLVE)
    async with world.delivering(receiver):
        await until(lambda: world.counts.outcomes[Outcome.FAILED] == 1)
        await asyncio.sleep(0.05)
        assert ids(receiver) == []
        world.clock.advance(Backoff().longest)
        await until(lambda: world.owed() == 0)
    assert ids(receiver) == ["trigger", "resolve"]


async def test_another_incident_does_not_wait_behind_it() -> None:
    world, receiver = World(), RecordingReceiver([REFUSED])
    world.owe(TRIGGER, owe("other", incident="i2"))
    async with world.delivering(receiver):
        await until(lambda: ids(receiver) == ["other"])


async def test_a_refusal_is_counted_as_such_and_tried_again_slowly() -> None:
    world, receiver = World(), RecordingReceiver([REFUSED])
    world.owe(TRIGGER)
    async with world.delivering(receiver):
        await until(lambda: world.counts.outcomes[Outcome.REFUSED] == 1)
        world.clock.advance(Backoff().longest - timedelta(seconds=1))
        await asyncio.sleep(0.05)
        assert ids(receiver) == []
        world.clock.advance(timedelta(seconds=1))
        await until(lambda: ids(receiver) == ["trigger"])


@pytest.mark.parametrize(
    ("asked", "kept"),
    [(timedelta(minutes=30), timedelta(minutes=30)), (timedelta(days=30), timedelta(hours=1))],
)
async def test_a_receiver_that_asks_for_a_pause_gets_it_within_bounds(asked: timedelta, kept: timedelta) -> None:
    world, receiver = World(), RecordingReceiver([DeliveryError("answered 429", pause=asked)])
    began = world.clock.now()
    world.owe(TRIGGER, owe("other", incident="i2"))
    async with world.delivering(receiver):
        await until(lambda: world.owed() == 0)
    assert sorted(ids(receiver)) == ["other", "trigger"]
    assert kept <= world.clock.now() - began < kept + Backoff().longest


async def test_a_slow_receiver_stalls_no_other() -> None:
    class Hanging:
        async def deliver(self, notification: Notification) -> None:
            await asyncio.Event().wait()

    world, receiver = World(), RecordingReceiver()
    stuck = [owe(f"stuck-{n}", incident=f"i{n}", receiver="slow") for n in range(3 * BATCH)]
    world.owe(*stuck, owe("quick", at=START + timedelta(seconds=1)))
    async with world.delivering({"slow": Hanging(), "oncall": receiver}):
        await until(lambda: ids(receiver) == ["quick"])


async def test_a_crash_between_send_and_acknowledgement_delivers_twice_with_one_id() -> None:
    world, receiver = World(), RecordingReceiver()
    world.owe(TRIGGER)
    async with world.delivering(receiver, store=ForgetsAcknowledgements(world.store)):
        await until(lambda: ids(receiver) == ["trigger"])
    world.clock.advance(LEASE)
    async with world.delivering(receiver):
        await until(lambda: world.owed() == 0)
    assert ids(receiver) == ["trigger", "trigger"]


async def test_a_store_that_fails_for_a_while_stops_nothing() -> None:
    world, receiver = World(), RecordingReceiver()
    world.owe(TRIGGER)
    async with world.delivering(receiver, store=ForgetsAcknowledgements(world.store, times=1)):
        await until(lambda: ids(receiver) == ["trigger"])
        world.clock.advance(LEASE)
        await until(lambda: world.owed() == 0)


async def test_a_cancelled_delivery_is_made_after_the_restart() -> None:
    started = asyncio.Event()

    class Dying:
        async def deliver(self, notification: Notification) -> None:
            started.set()
            await asyncio.Event().wait()

    world, receiver = World(), RecordingReceiver()
    world.owe(TRIGGER)
    async with world.delivering(Dying()):
        await started.wait()
    world.clock.advance(LEASE)
    async with world.delivering(receiver):
        await until(lambda: ids(receiver) == ["trigger"])


async def test_a_notification_for_a_removed_receiver_stays_owed() -> None:
    world = World()
    world.owe(TRIGGER)
    async with world.delivering({}):
        await until(lambda: world.counts.outcomes[Outcome.UNKNOWN] == 1)
    assert world.owed() == 1


async def test_what_fails_for_a_week_is_given_up_and_counted() -> None:
    world, receiver = World(), RecordingReceiver([TROUBLE] * 2)
    world.owe(TRIGGER)
    world.clock.advance(Backoff().give_up)
    async with world.delivering(receiver):
        await until(lambda: world.owed() == 0)
    assert world.counts.outcomes == Counter({Outcome.ABANDONED: 1})


def test_pauses_are_jittered_over_a_doubling_range_with_a_ceiling() -> None:
    class Most(random.Random):
        @override
        def random(self) -> float:
            return 1.0

    pauses = [Backoff().pause(attempts, Most()).total_seconds() for attempts in (0, 1, 2, 6, 7, 1000)]
    assert pauses == [5, 10, 20, 320, 600, 600]


class Digester(RecordingReceiver):
    """Makes one message of a group."""

    def __init__(self, troubles: Sequence[DeliveryError] = ()) -> None:
        super().__init__(troubles)
        self.digests: list[list[str]] = []

    async def digest(self, notifications: Sequence[Notification]) -> None:
        if self._troubles:
            raise self._troubles.popleft()
        self.digests.append([one.id for one in notifications])


GROUP = [replace(owe(f"n{n}", incident=f"i{n}"), group="g") for n in range(3)]


async def test_those_of_a_group_are_one_message_where_the_receiver_can_make_one() -> None:
    world, receiver = World(), Digester()
    world.owe(*GROUP, owe("alone", incident="i9"))
    async with world.delivering(receiver):
        await until(lambda: world.owed() == 0)
    assert (receiver.digests, ids(receiver)) == ([["n0", "n1", "n2"]], ["alone"])


async def test_those_of_a_group_go_one_by_one_where_it_cannot() -> None:
    world, receiver = World(), RecordingReceiver()
    world.owe(*GROUP)
    async with world.delivering(receiver):
        await until(lambda: world.owed() == 0)
    assert ids(receiver) == ["n0", "n1", "n2"]


async def test_a_digest_that_fails_is_owed_again_as_a_whole() -> None:
    world, receiver = World(), Digester([TROUBLE])
    world.owe(*GROUP)
    async with world.delivering(receiver):
        await until(lambda: world.counts.outcomes[Outcome.FAILED] == 3)
        world.clock.advance(Backoff().longest)
        await until(lambda: world.owed() == 0)
    assert sorted(name for digest in receiver.digests for name in digest) + sorted(ids(receiver)) == ["n0", "n1", "n2"]


async def test_over_real_http_the_receiver_can_verify_what_it_gets() -> None:
    http = HttpClient()
    with listening([500, 200]) as (url, requests):
        world = World()
        world.owe(TRIGGER)
        async with world.delivering(Webhook(WebhookSpec(url, "s3cret"), http=http, clock=SystemClock())):
            await until(lambda: world.counts.outcomes[Outcome.FAILED] == 1)
            world.clock.advance(Backoff().longest)
            await until(lambda: world.owed() == 0)
    await http.aclose()
    assert [headers["Idempotency-Key"] for headers, _ in requests] == ["trigger", "trigger"]
    assert all(
        verify("s3cret", headers["X-Canary-Timestamp"], body, headers["X-Canary-Signature"])
        for headers, body in requests
    )


async def test_over_real_http_a_redirect_is_not_followed() -> None:
    http = HttpClient()
    with listening([200]) as (elsewhere, reached), listening([302], location=elsewhere) as (url, _):
        world = World()
        world.owe(TRIGGER)
        async with world.delivering(Webhook(WebhookSpec(url), http=http, clock=SystemClock())):
            await until(lambda: world.counts.outcomes[Outcome.REFUSED] == 1)
    await http.aclose()
    assert reached == []


@dataclass
class ForgetsAcknowledgements:
    """A store that cannot be reached when a delivery is to be recorded."""

    store: MemoryStore
    times: int = 1_000

    def reading(self) -> AbstractContextManager[OutboxTransaction]:
        return self.store.reading()

    @contextmanager
    def transaction(self) -> Iterator[OutboxTransaction]:
        with self.store.transaction() as transaction:
            yield Forgetful(transaction, self)


@dataclass
class Forgetful:
    transaction: OutboxTransaction
    store: ForgetsAcknowledgements

    def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Notification]:
        return self.transaction.claim(now=now, lease=lease, limit=limit)

    def delivered(self, notification_id: str, at: datetime) -> None:
        if self.store.times:
            self.store.times -= 1
            raise StoreUnavailable
        self.transaction.delivered(notification_id, at)

    def retry(self, notification_id: str, *, not_before: datetime, reason: str) -> None:
        self.transaction.retry(notification_id, not_before=not_before, reason=reason)

    def owed(self) -> int:
        return self.transaction.owed()


@contextmanager
def listening(
    statuses: list[int], *, location: str = ""
) -> Iterator[tuple[str, list[tuple[Mapping[str, str], bytes]]]]:
    """A receiver on loopback that answers with `statuses` in turn."""
    requests: list[tuple[Mapping[str, str], bytes]] = []
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((dict(self.headers.items()), body))
            self.send_response(left.pop(0))
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
