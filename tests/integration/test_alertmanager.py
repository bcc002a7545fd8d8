"""The Alertmanager receiver, against a real Alertmanager."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from canary.alert.courier import Courier, Refresher
from canary.alert.deliver import Outcome
from canary.alert.incident import Policy, absorb, resolve
from canary.alert.receivers.alertmanager import Alertmanager
from canary.alert.specs import AlertmanagerSpec
from canary.clock import SystemClock
from canary.errors import DeliveryError
from canary.http import HttpClient
from canary.records import Incident, NotificationKind, Symptom
from canary.store import MemoryStore
from canary.testing import FakeClock
from tests.alertmanager import RealAlertmanager, alertmanager
from tests.unit.alert.findings import START, finding
from tests.unit.alert.told import opened, told

pytestmark = pytest.mark.anyio

TRIGGER, RESOLVE = NotificationKind.TRIGGER, NotificationKind.RESOLVE


class Counts:
    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, Outcome]] = Counter()

    def notified(self, *, receiver: str, kind: NotificationKind, outcome: Outcome) -> None:
        self.outcomes[kind.value, outcome] += 1

    def owed(self, n: int) -> None:
        pass


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAlertmanager]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager")) as found:
        yield found


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.aclose()


def fresh(target: str) -> Incident:
    """One that began just now, for Alertmanager goes by the clock."""
    now = datetime.now(UTC)  # noqa: TID251
    minutes = (now - START) / timedelta(minutes=1)
    return absorb(None, finding(target=target, onset=minutes - 3), now, Policy())[0]


def ended(incident: Incident) -> Incident:
    return resolve(incident, "ann", datetime.now(UTC))[0]  # noqa: TID251


def receiver(real: RealAlertmanager, http: HttpClient, resend: timedelta = timedelta(minutes=1)) -> Alertmanager:
    return Alertmanager(AlertmanagerSpec(real.url, resend=resend), http=http, clock=SystemClock())


def firing(real: RealAlertmanager, incident: Incident) -> list[dict[str, object]]:
    return [alert for alert in real.alerts() if alert["labels"]["incident"] == incident.id]


def called(real: RealAlertmanager, incident: Incident) -> list[str]:
    alerts = (alert for call in real.calls for alert in call["alerts"])
    return [alert["status"] for alert in alerts if alert["labels"]["incident"] == incident.id]


async def until(condition: Callable[[], object], within: float = 20) -> None:
    async with asyncio.timeout(within):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.05)


async def test_alertmanager_takes_an_incident_as_an_alert_and_tells_its_own_receivers(
    real: RealAlertmanager, http: HttpClient
) -> None:
    incident = fresh("opus/api/first")
    await receiver(real, http).deliver(told(incident=incident))
    await until(lambda: called(real, incident) == ["firing"])
    (alert,) = firing(real, incident)
    assert alert["labels"] == {
        "alertname": "CanaryIncident",
        "incident": incident.id,
        "model": "opus",
        "platform": "api",
        "pool": "first",
        "region": "eu",
        "symptom": "corruption",
        "signal": "stray_script",
    }
    annotations = alert["annotations"]
    assert isinstance(annotations, dict)
    assert annotations["summary"].startswith("[page] corruption on opus/api/first")
    assert annotations["runbook_url"] == "https://wiki.example.com/corruption"
    assert {"replay", "evidence", "suspects", "since", "size"} <= set(annotations)


async def test_a_resolve_ends_the_alert(real: RealAlertmanager, http: HttpClient) -> None:
    incident = fresh("opus/api/second")
    await receiver(real, http).deliver(told(incident=incident))
    await until(lambda: called(real, incident) == ["firing"])
    await receiver(real, http).deliver(told(RESOLVE, incident=ended(incident)))
    await until(lambda: called(real, incident) == ["firing", "resolved"])
    assert firing(real, incident) == []


async def test_an_incident_that_grows_stays_one_alert(real: RealAlertmanager, http: HttpClient) -> None:
    incident = fresh("opus/api/third")
    await receiver(real, http).deliver(told(incident=incident))
    wider = absorb(incident, finding("kl", Symptom.DEVIATION, target="opus/cloud/x"), incident.opened_at, Policy())[0]
    await receiver(real, http).deliver(told(NotificationKind.UPDATE, incident=wider))
    assert len(firing(real, incident)) == 1


async def test_an_alert_that_is_not_told_again_ends_and_one_that_is_goes_on(
    real: RealAlertmanager, http: HttpClient
) -> None:
    kept, left = fresh("opus/api/kept"), fresh("opus/api/left")
    sender = receiver(real, http, resend=timedelta(seconds=0.25))
    await sender.deliver(told(incident=left))
    for _ in range(10):
        await sender.refresh([told(incident=kept)])
        await asyncio.sleep(0.25)
    assert len(firing(real, kept)) == 1
    assert firing(real, left) == []


async def test_what_stands_in_the_outbox_is_told_again_until_it_is_over(
    real: RealAlertmanager, http: HttpClient
) -> None:
    store, counts, incident = MemoryStore(), Counts(), fresh("opus/api/outbox")
    sender = receiver(real, http, resend=timedelta(seconds=0.5))
    courier = Courier(store, {"am": sender}, SystemClock(), telemetry=counts, rng=random.Random(7))
    with store.transaction() as tx:
        tx.put_incident(incident)
        tx.enqueue([told(incident=incident, receiver="am", at=incident.opened_at)])
    task = asyncio.create_task(courier.run())
    await until(lambda: firing(real, incident))
    await asyncio.sleep(4)  # twice as long as an alert lasts that is not told again
    assert len(firing(real, incident)) == 1
    over = ended(incident)
    with store.transaction() as tx:
        tx.put_incident(over)
        tx.enqueue([told(RESOLVE, incident=over, receiver="am", at=over.updated_at)])
    courier.wake()
    await until(lambda: called(real, incident)[-1:] == ["resolved"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert counts.outcomes == Counter({("trigger", Outcome.DELIVERED): 1, ("resolve", Outcome.DELIVERED): 1})


async def test_what_alertmanager_refuses_is_a_refusal(real: RealAlertmanager, http: HttpClient) -> None:
    spec = AlertmanagerSpec(real.url, labels={"": "no name"})
    with pytest.raises(DeliveryError) as caught:
        await Alertmanager(spec, http=http, clock=SystemClock()).deliver(told())
    assert caught.value.refused


async def test_a_refresh_that_fails_is_counted_and_ends_nothing(http: HttpClient) -> None:
    store, counts = MemoryStore(), Counts()
    with store.transaction() as tx:
        tx.put_incident(opened())
        tx.enqueue([told(receiver="am")])
        tx.delivered(told(receiver="am").id, START)
    sender = Alertmanager(AlertmanagerSpec("http://127.0.0.1:1"), http=http, clock=FakeClock(START))
    await Refresher("am", sender, store, FakeClock(START), counts).refresh()
    assert counts.outcomes == Counter({("repeat", Outcome.FAILED): 1})


def test_the_token_is_never_shown(tmp_path: Path) -> None:
    spec = AlertmanagerSpec("http://am:9093", token="s3cret", headers={"x-team": "h1dden"})
    shown = Alertmanager(spec, http=HttpClient(), clock=FakeClock(START)).preview(told())
    assert "http://am:9093/api/v2/alerts" in shown
    assert "s3cret" not in shown + repr(spec)
    assert "h1dden" not in shown + repr(spec)
