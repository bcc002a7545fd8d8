import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from canary.alert.silences import made
from canary.config import Config, load
from canary.daemon.assembly import watch_of
from canary.daemon.board import Board
from canary.metrics import Metrics
from canary.pipeline.advance import Advance, Judged
from canary.pipeline.ledger import Committed
from canary.pipeline.scopes import scopes_of
from canary.records import Alarm, IncidentState, Purpose, matcher
from canary.store import MemoryStore
from canary.testing import FakeClock
from canary.web.status import TargetState
from tests.contract.store_values import T0, failed, incident, observation
from tests.unit.alert.findings import finding
from tests.unit.pipeline.stage import watch

SHORT, LONG = "m/p/short", "m/p/long"
LOUD = {"state": IncidentState.OPEN, "suppressed_by": None, "flapping": False}


def config(folder: Path, *pools: str, **more: object) -> Config:
    path = folder / "canary.yaml"
    settings = {
        "version": 1,
        "models": ["m"],
        "platforms": ["p"],
        "pools": list(pools),
        "endpoints": [{"base_url": "http://127.0.0.1:1/v1"}],
        "suites": [{"name": "all", "interval": "10s", "families": ["prose"]}],
        **more,
    }
    path.write_text(json.dumps(settings), encoding="utf-8")
    return load(path, {})


class Stage:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(T0)
        self.metrics = Metrics(version="0", states=list(TargetState))
        self.board = Board(self.metrics, self.clock, lambda: ((), ()))
        self._folder = folder
        self.configure("short", "long")

    def configure(self, *pools: str, **more: object) -> None:
        read = config(self._folder, *pools, **more)
        self.board.configure(read, watch_of(read, MemoryStore()))

    def hear(self, target: str, *, well: bool = True) -> None:
        seen = (observation if well else failed)(0, target=target, started_at=self.clock.now())
        self.board.committed(Committed(Advance((Judged(seen, ()),), (), (), ()), ()))

    def stale(self) -> set[str]:
        now = self.clock.now()
        return {target.name for target in self.board.snapshot().targets if target.stale(now)}

    def states(self) -> dict[str, TargetState]:
        return {target.name: target.state for target in self.board.snapshot().targets}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_target_is_stale_when_nothing_came_back_for_three_intervals(stage: Stage) -> None:
    stage.hear(SHORT)
    stage.clock.advance(timedelta(seconds=32))
    stage.hear(LONG)
    assert stage.stale() == {SHORT}


def test_what_is_handed_in_shows_life_but_is_no_measure_of_our_own_haste(stage: Stage) -> None:
    old = observation(0, target=SHORT, started_at=T0 - timedelta(days=1), purpose=Purpose.REPORTED)
    stage.clock.advance(timedelta(seconds=31))
    fresh = replace(old, slot_id="b", started_at=stage.clock.now())
    stage.board.committed(Committed(Advance((Judged(old, ()), Judged(fresh, ())), (), (), ()), ()))
    assert stage.stale() == {LONG}
    lines = b"".join(stage.metrics.chunks()).decode().splitlines()
    assert {line.split()[-1] for line in lines if line.startswith("canary_observations_total{")} == {"0.0"}


def test_a_complaint_of_users_is_no_sign_of_life(stage: Stage) -> None:
    stage.clock.advance(timedelta(seconds=31))
    told = observation(0, target=SHORT, started_at=stage.clock.now(), purpose=Purpose.REPORTED, probe_id="feedback")
    stage.board.committed(Committed(Advance((Judged(told, ()),), (), (), ()), ()))
    assert SHORT in stage.stale()


@pytest.mark.parametrize("well", [True, False])
def test_a_failure_is_a_result_too(stage: Stage, well: bool) -> None:
    stage.clock.advance(timedelta(seconds=31))
    stage.hear(SHORT, well=well)
    assert stage.stale() == {LONG}


def test_a_target_that_is_new_has_three_intervals_to_answer(stage: Stage) -> None:
    stage.clock.advance(timedelta(seconds=31))
    stage.configure("short", "long", "other")
    assert stage.stale() == {SHORT, LONG}


def test_a_target_that_comes_back_after_its_removal_is_new(stage: Stage) -> None:
    stage.hear(SHORT)
    stage.configure("long")
    stage.hear(SHORT)  # it answered while it was removed
    stage.clock.advance(timedelta(hours=1))
    stage.configure("short", "long")
    assert stage.stale() == {LONG}


def test_staleness_reaches_the_metrics(stage: Stage) -> None:
    stage.clock.advance(timedelta(seconds=31))
    stage.hear(LONG)
    stage.board.tell_states()
    lines = [line for line in stage.metrics.text().decode().splitlines() if line.startswith("canary_target_stale{")]
    assert {line.rsplit(" ", 1)[1] for line in lines if 'pool="short"' in line} == {"1.0"}
    assert {line.rsplit(" ", 1)[1] for line in lines if 'pool="long"' in line} == {"0.0"}


def test_an_incident_shows_on_its_target_alone(stage: Stage) -> None:
    stage.board.refresh([incident(findings=(finding(target=SHORT),), suppressed_by=None)])
    assert stage.states() == {SHORT: TargetState.INCIDENT, LONG: TargetState.LEARNING}


def test_an_incident_that_others_resolved_is_gone_at_the_next_refresh(stage: Stage) -> None:
    stage.board.refresh([incident(findings=(finding(target=SHORT),), suppressed_by=None)])
    stage.board.refresh([])
    assert stage.states()[SHORT] is TargetState.LEARNING


def test_the_metrics_know_the_scopes_of_what_is_armed(tmp_path: Path) -> None:
    read, metrics = config(tmp_path, "short", "long"), Metrics(version="0")
    board = Board(metrics, FakeClock(T0), lambda: ((), ()))
    armed = watch(["short", "long"])
    board.configure(read, armed)
    pair = next(scope for scope in scopes_of(armed.hierarchy, armed.armed) if scope.target == "mid/api/*")
    board.committed(Committed(Advance((), (), (Alarm("a", pair, "s", T0, 0.5, "d"),), ()), ()))
    lines = metrics.text().decode().splitlines()
    counted = [line for line in lines if line.startswith("canary_alarms_total{") and 'pool="*"' in line]
    assert [line.rsplit(" ", 1)[1] for line in counted if f'signal="{pair.signal}"' in line] == ["1.0"]


def test_what_is_escalated_shows_on_its_target_alone(stage: Stage) -> None:
    stage.board.escalated({(SHORT, "prose"), (SHORT, "code")}, left=9.0)
    assert {one.name: one.escalated for one in stage.board.snapshot().targets} == {SHORT: ("code", "prose"), LONG: ()}
    stage.board.escalated((), left=9.0)
    assert {one.escalated for one in stage.board.snapshot().targets} == {()}


def lines_of(stage: Stage, name: str) -> list[str]:
    return [line for line in stage.metrics.text().decode().splitlines() if line.startswith(f"{name}{{")]


def test_the_state_of_every_target_reaches_the_metrics(stage: Stage) -> None:
    stage.board.refresh([incident(findings=(finding(target=SHORT),), suppressed_by=None)])
    stage.board.tell_states()
    ones = {line for line in lines_of(stage, "canary_target_state") if line.endswith(" 1.0")}
    assert {("short" in line, 'state="incident"' in line) for line in ones} == {(True, True), (False, False)}


def test_an_incident_is_counted_where_it_is_until_it_is_gone(stage: Stage) -> None:
    stage.board.refresh([incident(findings=(finding(target=SHORT),), **LOUD)])
    (line,) = lines_of(stage, "canary_incident_open")
    stage.board.refresh([])
    assert 'severity="page"' in line
    assert lines_of(stage, "canary_incident_open") == []


@pytest.mark.parametrize(
    "quiet",
    [
        {"state": IncidentState.ACKNOWLEDGED},
        {"suppressed_by": "another"},
        {"flapping": True},
    ],
)
def test_an_incident_that_nobody_has_to_look_at_now_is_a_ticket(stage: Stage, quiet: dict[str, Any]) -> None:
    stage.board.refresh([incident(findings=(finding(target=SHORT),), **{**LOUD, **quiet})])
    (line,) = lines_of(stage, "canary_incident_open")
    assert 'severity="ticket"' in line


@pytest.mark.parametrize("asked", ["pool=short", "symptom=corruption"])
def test_an_incident_that_a_silence_covers_is_counted_as_silenced_until_its_end(stage: Stage, asked: str) -> None:
    one, now = incident(findings=(finding(target=SHORT),), **LOUD), stage.clock.now()
    stage.board.refresh([one], [made((matcher(asked),), "ann", "draining", now, now + timedelta(hours=1))])
    (quiet,) = lines_of(stage, "canary_incident_open")
    stage.clock.advance(timedelta(hours=1))
    stage.board.incidents([one])
    (loud,) = lines_of(stage, "canary_incident_open")
    assert ('silenced="true"' in quiet, 'silenced="false"' in loud) == (True, True)


def test_a_maintenance_window_of_the_config_silences_its_targets_alone(stage: Stage) -> None:
    window = {"name": "w", "matchers": ["pool=short"], "starts": T0.isoformat(), "lasts": "2h", "reason": "kernel"}
    stage.configure("short", "long", maintenance=[window])
    stage.board.refresh([incident(findings=(finding(target=SHORT),), **LOUD)])
    stage.board.tell_states()
    (counted,) = lines_of(stage, "canary_incident_open")
    ones = [line for line in lines_of(stage, "canary_target_silenced") if line.endswith(" 1.0")]
    assert 'silenced="true"' in counted
    assert ["short" in line for line in ones] == [True]


def test_the_time_from_answer_to_store_is_measured(stage: Stage) -> None:
    stage.hear(SHORT)
    assert "canary_ingest_lag_seconds_count 1.0" in stage.metrics.text().decode()
