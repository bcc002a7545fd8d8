"""Deliverers that are killed with SIGKILL at any moment, over SQLite: Alertmanager hears every trigger and resolve."""

import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from canary.alert.incident import Policy, absorb, resolve
from canary.records import Incident, Notification, NotificationKind
from canary.store import Store, open_store
from tests.alertmanager import RealAlertmanager, alertmanager
from tests.unit.alert.findings import START, finding
from tests.unit.alert.told import told

pytestmark = pytest.mark.slow

INCIDENTS, KILLS, PATIENCE = 40, 4, 120.0
DELIVERER = """
import asyncio, random, sys
from datetime import timedelta
from canary.alert.deliver import Outbox
from canary.alert.receivers.alertmanager import Alertmanager
from canary.alert.specs import AlertmanagerSpec
from canary.clock import SystemClock
from canary.http import HttpClient
from canary.store import open_store

class Silent:
    def notified(self, **_): pass
    def owed(self, n): pass

async def main(url, alertmanager):
    clock, spec = SystemClock(), AlertmanagerSpec(alertmanager, resend=timedelta(minutes=10))
    receiver = Alertmanager(spec, http=HttpClient(), clock=clock)
    print("ready", flush=True)
    lease, poll = timedelta(seconds=1), timedelta(milliseconds=20)
    outbox = Outbox(
        open_store(url), {"am": receiver}, clock, telemetry=Silent(), rng=random.Random(), lease=lease, poll=poll
    )
    await outbox.run()

asyncio.run(main(*sys.argv[1:]))
"""


def incidents() -> list[Incident]:
    now = datetime.now(UTC)  # noqa: TID251
    begun = (now - START).total_seconds() / 60 - 3
    return [absorb(None, finding(target=f"opus/api/p{n}", onset=begun), now, Policy())[0] for n in range(INCIDENTS)]


def owe(store: Store, kind: NotificationKind, found: list[Incident]) -> list[Notification]:
    made = [told(kind, incident=one, receiver="am", at=one.updated_at) for one in found]
    with store.transaction() as tx:
        for one in found:
            tx.put_incident(one)
        tx.enqueue(made)
    return made


def owed(store: Store) -> int:
    with store.reading() as tx:
        return tx.owed()


def deliver_under_fire(url: str, store: Store, to: RealAlertmanager, rng: random.Random) -> int:
    """Start a deliverer and kill it, again and again; the last one may finish. How often one died with work left."""
    died = 0
    for kill in range(KILLS + 1):
        command = [sys.executable, "-c", DELIVERER, url, to.url]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        began = time.monotonic()
        wait = PATIENCE if kill == KILLS else rng.uniform(0.02, 0.4)
        while time.monotonic() - began < wait and owed(store):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        died += owed(store) > 0
    return died


def test_killed_at_any_moment_triggers_and_resolves_arrive_at_least_once(tmp_path: Path) -> None:
    rng, url = random.Random(11), f"sqlite:///{tmp_path}/canary.db"
    store = open_store(url, create=True)
    opened = incidents()
    names = {one.id for one in opened}
    with alertmanager(tmp_path) as real:
        owe(store, NotificationKind.TRIGGER, opened)
        died = deliver_under_fire(url, store, real, rng)
        assert owed(store) == 0
        assert {alert["labels"]["incident"] for alert in real.alerts()} == names
        closed = [resolve(one, "ann", datetime.now(UTC))[0] for one in opened]  # noqa: TID251
        owe(store, NotificationKind.RESOLVE, closed)
        died += deliver_under_fire(url, store, real, rng)
        assert owed(store) == 0
        assert real.alerts() == []
    store.close()
    print(f"\n{died} of {2 * KILLS} deliverers died with work left")
    assert died > 0
