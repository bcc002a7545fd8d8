"""Killed, stopped, reloaded: what survives, and what is never done twice."""

import random
import re
import signal
import time

import pytest

from canary.pipeline.advance import alarms_again
from tests.acceptance.stage import CLOUD, LONG, SHORT, Hook, Place, config, counting_lab, hook, switch, until

pytestmark = pytest.mark.slow

KILLS = 5
CORRUPTION = {"kind": "corruption", "model": "mid", "platform": "api", "pool": "short", "share": 0.3, "rate": 0.1}


def test_a_killed_daemon_fires_no_slot_twice_and_its_alarms_can_be_recomputed(place: Place, webhook: Hook) -> None:
    rng = random.Random(5)
    with counting_lab() as lab:
        place.write(config(lab.url, hook=webhook.url))
        switch(lab.url, CORRUPTION)
        for _ in range(KILLS):
            daemon = place.start()
            until(lambda running=daemon: running.answers() > 60, 30)  # type: ignore[misc]
            time.sleep(rng.uniform(0.0, 0.7))
            daemon.kill()
        with place.daemon():
            until(lambda: place.incidents(), 60)
    kept = place.observations()
    with place.store() as store, store.reading() as tx:
        live, again = list(tx.alarms()), list(alarms_again(tx))
    fired = lab.sessions
    print(f"\n{KILLS} kills: {len(fired)} slots fired, {len(kept)} kept, {len(live)} alarms")
    assert set(fired.values()) == {1}
    assert len({one.slot_id for one in kept}) == len(kept)
    assert place.sessions() <= fired.keys()
    assert len(live) >= 1
    assert sorted(again, key=lambda alarm: alarm.id) == sorted(live, key=lambda alarm: alarm.id)


def test_a_restarted_daemon_goes_on_with_the_detectors_where_they_were(place: Place) -> None:
    daemon = place.start()
    until(lambda: daemon.answers() > 60, 30)
    daemon.kill()
    before, kept = place.fed(), len(place.observations(SHORT))
    with place.daemon() as again:
        until(lambda: again.answers() > 30, 30)
    assert before[SHORT, "availability"] == kept
    assert place.fed()[SHORT, "availability"] == len(place.observations(SHORT)) > kept


def test_a_terminated_daemon_ends_the_runs_in_flight_and_keeps_every_answer(place: Place, webhook: Hook) -> None:
    with counting_lab() as lab:
        place.write(config(lab.url, hook=webhook.url))
        switch(lab.url, {"kind": "slow", "seconds": 1.0})
        daemon = place.start()
        until(lambda: daemon.answers() > 20, 30)
        began = time.monotonic()
        code = daemon.stop()
        took = time.monotonic() - began
    kept = place.sessions()
    print(f"\nended {took:.1f} s after SIGTERM; {len(kept)} answers")
    assert code == 0
    assert took < 25
    assert kept == lab.sessions.keys()
    assert {one.failure for one in place.observations()} == {None}
    assert daemon.events("drained")[0]["cancelled"] == 0


def test_a_reload_with_a_bad_file_changes_nothing_and_says_so(place: Place) -> None:
    good = place.path.read_text("utf-8")
    with place.daemon() as daemon:
        until(lambda: daemon.answers() > 10, 30)
        for bad in (
            good.replace('"suites"', '"suits"'),
            good.replace('"region"', '"store": {"url": "sqlite:///x"}, "region"'),
        ):
            place.path.write_text(bad, encoding="utf-8")
            seen = len(daemon.events("reload_refused"))
            daemon.send(signal.SIGHUP)
            until(lambda seen=seen: len(daemon.events("reload_refused")) > seen, 15)  # type: ignore[misc]
            assert daemon.metric("canary_config_last_reload_successful") == 0
        reasons = [str(event["reason"]) for event in daemon.events("reload_refused")]
        answers = daemon.answers()
        until(lambda: daemon.answers() > answers + 10, 15)
        place.path.write_text(good, encoding="utf-8")
        daemon.send(signal.SIGHUP)
        until(lambda: daemon.metric("canary_config_last_reload_successful") == 1, 15)
    assert "suites" in reasons[0]
    assert re.search(r"store\.url.*restart", reasons[1])


def test_a_reload_that_adds_a_target_probes_it_and_leaves_the_others_their_rhythm_and_state(
    place: Place, lab: str, webhook: Hook
) -> None:
    whole = config(lab, hook=webhook.url)
    place.write({**whole, "platforms": ["api"], "exclude": []})
    with place.daemon() as daemon:
        until(lambda: daemon.answers() > 40, 30)
        assert daemon.answers(platform="cloud") == -1
        before = place.fed()
        place.write(whole)
        daemon.send(signal.SIGHUP)
        until(lambda: daemon.answers(platform="cloud") > 10, 15)
        assert daemon.metric("canary_missed_slots_total", reason="down") <= 0
    after = place.fed()
    assert after[CLOUD, "script"] > 0
    for target in (SHORT, LONG):
        runs = place.observations(target)
        assert after[target, "availability"] == len(runs) > before[target, "availability"]
        phases = {round(run.slot_time.timestamp() * 1000) % 100 for run in runs}
        assert len(phases) == 1


def test_a_reload_that_names_another_receiver_tells_it_and_not_the_old_one(
    place: Place, lab: str, webhook: Hook
) -> None:
    with hook() as other, place.daemon() as daemon:
        until(lambda: daemon.answers() > 10, 30)
        place.write(config(lab, hook=other.url))
        daemon.send(signal.SIGHUP)
        until(lambda: daemon.events("reloaded"), 15)
        switch(lab, CORRUPTION)
        until(lambda: other.bodies, 60)
        assert webhook.raw == []


def test_a_daemon_that_is_told_to_reload_and_to_end_at_once_ends(place: Place, lab: str) -> None:
    with hook() as other:
        daemon = place.start()
        place.write(config(lab, hook=other.url))
        daemon.send(signal.SIGHUP)
        assert daemon.stop() == 0


def test_baselines_promoted_beside_a_running_daemon_are_taken_up_within_seconds(
    place: Place, lab: str, webhook: Hook
) -> None:
    (place.folder / "canary.db").unlink()
    place.write(config(lab, hook=webhook.url, detect={"smallest_share": 0.1}))
    with place.daemon() as daemon:
        until(lambda: daemon.answers() > 10, 30)
        assert daemon.metric("canary_series_armed", pool="long") == 0
        place.canary("baseline", "record", "--target", LONG, "-n", "400")
        assert daemon.metric("canary_series_armed", pool="long") == 0
        place.canary("baseline", "promote", "--target", LONG)
        seconds = until(lambda: daemon.metric("canary_series_armed", pool="long") == 4, 15)
        until(lambda: daemon.metric("canary_evidence_nats", pool="long", signal="script") > float("-inf"), 15)
    print(f"\narmed {seconds:.1f} s after the promotion")
    assert seconds < 6


def test_a_target_that_spent_its_tokens_is_not_probed_until_midnight(place: Place, lab: str, webhook: Hook) -> None:
    (place.folder / "canary.db").unlink()  # golden answers spend tokens too
    limited = config(lab, hook=webhook.url)
    (endpoint,) = limited["endpoints"]
    thrifty = {**endpoint, "match": {"pool": "long"}, "limits": {**endpoint["limits"], "tokens_per_day": 500}}
    place.write({**limited, "endpoints": [thrifty, endpoint]})
    with place.daemon() as daemon:
        until(lambda: daemon.metric("canary_missed_slots_total", reason="token_budget") > 20, 60)
        spent = daemon.metric("canary_tokens_total", pool="long")
        answers = daemon.answers(platform="cloud")
        until(lambda: daemon.answers(platform="cloud") > answers + 10, 15)
        assert daemon.metric("canary_tokens_total", pool="long") == spent
    with place.daemon() as again:
        until(lambda: again.answers(platform="cloud") > 10, 30)
        assert again.answers(pool="long") == 0  # what was spent is remembered
    print(f"\n{spent:.0f} tokens spent of 500")
    assert 500 <= spent < 700
