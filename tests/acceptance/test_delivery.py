"""From a fault in the fleet to those who are told: a real daemon, a real Alertmanager, silences by hand."""

from pathlib import Path

import pytest

from tests.acceptance.stage import SHORT, Hook, Place, config, switch, until
from tests.alertmanager import alertmanager

pytestmark = pytest.mark.slow

CORRUPTION = {"kind": "corruption", "model": "mid", "platform": "api", "pool": "short", "share": 0.3, "rate": 0.1}


def test_alertmanager_holds_an_incident_over_a_kill_until_it_is_over(place: Place, lab: str, tmp_path: Path) -> None:
    with alertmanager(tmp_path) as real:
        am = {"name": "am", "kind": "alertmanager", "url": real.url, "resend": "1s"}
        place.write(config(lab, receivers=[am]))
        switch(lab, CORRUPTION)
        daemon = place.start()
        until(real.alerts, 90)
        daemon.kill()
        (alert,) = real.alerts()
        (incident,) = place.incidents()
        first = incident.findings[0]
        told = {"pool": "short", "symptom": first.symptom.value, "signal": first.series.signal}
        assert told.items() <= alert["labels"].items()
        assert first.series.signal in ("script", "logprob"), "the fault shows in the text and in its probabilities"
        with place.daemon():
            until(lambda: not real.alerts() or len(real.statuses()) > 0, 30)
            (incident,) = place.incidents()
            place.canary("incident", "resolve", incident.id, "--by", "ada")
            switch(lab)
            seconds = until(lambda: "resolved" in real.statuses(), 60)
    print(f"\nresolved {seconds:.1f} s after it was closed by hand; Alertmanager told {real.statuses()}")
    assert real.statuses()[0] == "firing"
    assert [one for one in real.identities() if one != alert["labels"]] == [], "it is one alert for all of its life"


def test_a_silenced_incident_is_kept_and_told_when_the_silence_is_ended(place: Place, lab: str, webhook: Hook) -> None:
    place.canary("silence", "add", "pool=short", "--for", "1h", "--reason", "we know")
    with place.daemon():
        switch(lab, CORRUPTION)
        until(place.incidents, 90)
        assert webhook.raw == []
        (silenced,) = place.canary("silence", "list", "--json").split('"id": "')[1:]
        place.canary("silence", "expire", silenced[:12])
        seconds = until(lambda: webhook.kinds() == ["trigger"], 60)
    print(f"\ntold {seconds:.1f} s after the silence was ended")
    assert webhook.bodies[0]["target"]["pool"] == "short"


def test_in_a_maintenance_window_nothing_is_fed_and_all_is_kept(place: Place, lab: str, webhook: Hook) -> None:
    place.canary("silence", "add", "pool=short", "--maintenance", "--for", "1h", "--reason", "kernel")
    with place.daemon() as daemon:
        switch(lab, CORRUPTION)
        until(lambda: daemon.answers(platform="api", pool="short") > 100, 60)
    fed = place.fed()
    assert len(place.observations(SHORT)) > 100
    assert fed.get((SHORT, "script"), 0) <= len(place.observations(SHORT)) / 10
    assert [one.target for one in place.incidents() if one.pool == "short"] == []
