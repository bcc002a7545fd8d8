"""What speaks against golden data."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.pipeline.guard import Objection, against_promoting, against_recording
from canary.pipeline.record import begin, promote_epoch, record
from canary.records import (
    BaselineStatus,
    Change,
    ChangeKind,
    Incident,
    IncidentState,
    Interval,
    Observation,
    Recording,
    Run,
    Scope,
)
from canary.score import SCORERS
from canary.store import MemoryStore
from canary.testing import FakeClock
from tests.unit.alert.findings import finding
from tests.unit.pipeline.stage import BROKEN, CLEAN, PROBE, START, target
from tests.unit.pipeline.test_record import TARGET, an_answer

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
N = 150


async def healthy(volley: Sequence[Run]) -> list[Observation]:
    return [an_answer(run) for run in volley]


async def broken(volley: Sequence[Run]) -> list[Observation]:
    """Every tenth answer is."""
    return [_with(an_answer(run), BROKEN if run.ordinal % 10 == 0 else CLEAN) for run in volley]


def _with(seen: Observation, text: str) -> Observation:
    assert seen.response is not None
    return replace(seen, response=replace(seen.response, text=text))


async def recorded(store: MemoryStore, hours: int, fire=healthy, version: str = "") -> Recording:
    """A recording that takes an hour."""
    clock = FakeClock(START + hours * HOUR)
    begun = begin(store, TARGET, "eu", N, clock.now(), version)
    clock.advance(HOUR)
    quiet = lambda done, total: None  # noqa: E731
    await record(store, fire, clock, begun, TARGET, {"prose": (PROBE,)}, quiet, quiet, SCORERS, version)
    with store.reading() as tx:
        return next(one for one in tx.recordings(TARGET.name) if one.id == begun.id)


async def active(version: str = "") -> MemoryStore:
    store = MemoryStore()
    await recorded(store, 0, version=version)
    promote_epoch(store, TARGET.name, 1)
    return store


def objections(store: MemoryStore, recording: Recording) -> tuple[Objection, ...]:
    return against_promoting(store, recording, {PROBE.digest: PROBE}, SCORERS)


def a_change(
    hours: float, kind: ChangeKind = ChangeKind.DEPLOY, scope: Scope | None = None, lasts: float = 0
) -> Change:
    at = START + hours * HOUR
    return Change(f"c{hours}", kind, at, "engine 7", scope or Scope(), finished_at=at + lasts * HOUR if lasts else None)


def an_incident(hours: float, until: float | None = None, pool: str = "long") -> Incident:
    at = START + hours * HOUR
    shown = replace(finding(target=target(pool).name), onset=Interval(at, at, at))
    state = IncidentState.OPEN if until is None else IncidentState.RESOLVED
    resolved = None if until is None else START + until * HOUR
    return Incident("i1", state, "mid", "api", pool, at, resolved or at, (shown,), resolved_at=resolved)


def keep(store: MemoryStore, *things: Change | Incident) -> None:
    with store.transaction() as tx:
        for thing in things:
            if isinstance(thing, Change):
                tx.add_change(thing)
            else:
                tx.put_incident(thing)


def before_recording(store: MemoryStore, hours: float, version: str = "") -> tuple[Objection, ...]:
    with store.reading() as tx:
        return against_recording(tx, TARGET.name, "eu", START + hours * HOUR, version)


async def test_nothing_speaks_against_golden_answers_of_a_target_that_did_not_change() -> None:
    store = await active()
    assert objections(store, await recorded(store, 10)) == ()


async def test_the_first_recording_has_nothing_to_differ_from() -> None:
    store = MemoryStore()
    assert objections(store, await recorded(store, 0, broken)) == ()


async def test_golden_answers_that_differ_from_the_active_ones_are_told_with_both_rates() -> None:
    store = await active()
    (found,) = objections(store, await recorded(store, 10, broken))
    assert "this golden differs from the active one: prose/script: rate 0% -> 1" in found.reason
    assert "--accept-drift" in found.remedy


async def test_a_difference_names_the_changes_since() -> None:
    store = await active()
    keep(store, a_change(5))
    (found,) = objections(store, await recorded(store, 10, broken))
    assert "'engine 7'" in found.reason


async def test_a_declared_new_version_may_differ() -> None:
    store = await active("1")
    assert objections(store, await recorded(store, 10, broken, "2")) == ()


async def test_the_same_version_declared_again_may_not() -> None:
    store = await active("1")
    assert len(objections(store, await recorded(store, 10, broken, "1"))) == 1


async def test_a_declared_version_is_kept_with_the_baselines() -> None:
    store = await active("2025-08")
    with store.reading() as tx:
        assert {one.version for one in tx.baselines(status=BaselineStatus.ACTIVE)} == {"2025-08"}


async def test_a_recording_of_another_version_is_not_gone_on_with() -> None:
    store = MemoryStore()
    first = begin(store, TARGET, "eu", N, START, "1")
    assert begin(store, TARGET, "eu", N, START, "1") == first
    assert begin(store, TARGET, "eu", N, START, "2").epoch == 2


async def test_a_recording_that_something_was_changed_under_is_not_gone_on_with() -> None:
    store = MemoryStore()
    begin(store, TARGET, "eu", N, START)
    keep(store, a_change(1, scope=Scope(pool="other")))
    assert begin(store, TARGET, "eu", N, START + 2 * HOUR).epoch == 1
    keep(store, a_change(1.5))
    assert begin(store, TARGET, "eu", N, START + 2 * HOUR).epoch == 2


@pytest.mark.parametrize(("hours", "lasts"), [(10.5, 0), (9.0, 1.5), (10.5, 40)])
@pytest.mark.parametrize("version", ["", "2"])
async def test_a_change_in_the_middle_of_a_recording_speaks_against_it(
    hours: float, lasts: float, version: str
) -> None:
    store = await active()
    keep(store, a_change(hours, lasts=lasts))
    (found,) = objections(store, await recorded(store, 10, version=version))
    assert "in the middle" in found.reason


@pytest.mark.parametrize(("hours", "scope"), [(9.0, Scope()), (12.0, Scope()), (10.5, Scope(pool="other"))])
async def test_a_change_at_another_time_or_place_does_not(hours: float, scope: Scope) -> None:
    store = await active()
    keep(store, a_change(hours, scope=scope))
    assert objections(store, await recorded(store, 10)) == ()


@pytest.mark.parametrize(("version", "count"), [("", 1), ("2", 0)])
async def test_a_change_of_the_model_wants_its_version_declared(version: str, count: int) -> None:
    store = await active()
    keep(store, a_change(5, ChangeKind.MODEL))
    assert len(objections(store, await recorded(store, 10, version=version))) == count


@pytest.mark.parametrize(("began", "until"), [(9, None), (9, 10.5), (10.5, 10.7), (10.5, 20)])
async def test_an_incident_in_the_time_of_a_recording_speaks_against_it(began: float, until: float | None) -> None:
    store = await active()
    keep(store, an_incident(began, until))
    (found,) = objections(store, await recorded(store, 10))
    assert "i1 was unresolved" in found.reason


@pytest.mark.parametrize(("began", "until", "pool"), [(5, 9, "long"), (12, None, "long"), (9, None, "short")])
async def test_an_incident_of_another_time_or_target_does_not(began: float, until: float | None, pool: str) -> None:
    store = await active()
    keep(store, an_incident(began, until, pool))
    assert objections(store, await recorded(store, 10)) == ()


async def test_nothing_is_recorded_in_an_open_incident_of_the_target() -> None:
    store = await active()
    assert before_recording(store, 10) == ()
    keep(store, an_incident(9))
    (found,) = before_recording(store, 10)
    assert "canary incident show i1" in found.remedy


async def test_an_incident_is_no_reason_where_a_new_version_is_declared() -> None:
    store = await active()
    keep(store, an_incident(9))
    assert before_recording(store, 10, version="2") == ()


async def test_nothing_is_recorded_while_a_change_takes_effect() -> None:
    store = await active()
    keep(store, a_change(9, ChangeKind.ROLLOUT, lasts=3))
    assert len(before_recording(store, 10)) == 1
    assert before_recording(store, 13) == ()


async def test_a_new_epoch_after_a_retired_one_is_compared_with_what_judges_now() -> None:
    store = await active()
    await recorded(store, 10, broken)
    promote_epoch(store, TARGET.name, 2)
    assert objections(store, await recorded(store, 20, broken)) == ()
    (found,) = objections(store, await recorded(store, 30))
    assert "-> 0%" in found.reason
