"""Maintenance windows: detectors stand still, nothing is reset, no budget is spent, and a replay finds the same."""

import math
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from canary.alert.maintenance import Window
from canary.alert.silences import made
from canary.hindsight.backtest import Judge, Setting, rerun
from canary.hindsight.explain import Case, explain
from canary.pipeline.advance import alarms_again
from canary.pipeline.tell import Audience
from canary.pipeline.watch import Rhythm
from canary.records import Interval, SeriesKey, matcher
from canary.score import SCORERS
from canary.store import MemoryStore, StateKind
from canary.store.base import ScoreRow, StoredState
from canary.testing import FakeClock
from tests.unit.pipeline.stage import (
    BROKEN,
    CLEAN,
    MINUTE,
    PROBE,
    START,
    TERMS,
    baseline,
    fired,
    ledger,
    target,
    watch,
)

SCRIPT = SeriesKey(target("main").name, "eu", "prose", "script")


class Scene:
    """One pool, probed each minute, under some windows."""

    def __init__(self, *windows: tuple[int, int]) -> None:
        self.store, self.clock = MemoryStore(), FakeClock(START)
        self.book = ledger(self.store, self.clock, watch(["main", "other"]))
        asked = (matcher("pool=main"),)
        made_of = (Window(f"w{i}", asked, START + a * MINUTE, (b - a) * MINUTE) for i, (a, b) in enumerate(windows))
        self.book.audience = Audience(windows=tuple(made_of))

    def play(self, *answers: str | None, first: int = 0, pool: str = "main", batch: int = 3) -> "Scene":
        for begin in range(0, len(answers), batch):
            part = answers[begin : begin + batch]
            self.clock.jump(START + (first + begin + len(part)) * MINUTE - self.clock.now())
            self.book.commit([fired(pool, first + begin + n, text) for n, text in enumerate(part)])
        return self

    def rows(self, *, fed: bool = True) -> list[ScoreRow]:
        with self.store.reading() as tx:
            return list(tx.scores(SCRIPT, fed=fed))

    def state(self) -> StoredState:
        with self.store.reading() as tx:
            return tx.states(StateKind.ALARM)[SCRIPT]

    def spent(self) -> float:
        return math.fsum(math.exp(row.log_budget or -math.inf) for row in self.rows() if row.log_budget is not None)


def test_answers_in_a_window_are_kept_and_scored_but_not_fed() -> None:
    scene = Scene((10, 20)).play(*[CLEAN] * 30)
    assert len(scene.rows(fed=False)) == 30
    assert [(row.slot_time - START) // MINUTE for row in scene.rows()] == [*range(10), *range(20, 30)]


def test_a_fault_in_a_window_raises_no_alarm_and_one_after_it_does() -> None:
    scene = Scene((10, 30)).play(*[CLEAN] * 10, *[BROKEN] * 20)
    with scene.store.reading() as tx:
        assert list(tx.alarms()) == []
    scene.play(*[BROKEN] * 20, first=30)
    with scene.store.reading() as tx:
        assert tx.alarms()[0].at >= START + 30 * MINUTE


def test_a_pool_beside_it_is_watched_on() -> None:
    scene = Scene((0, 60)).play(*[BROKEN] * 20, pool="other")
    with scene.store.reading() as tx:
        assert {alarm.series.target for alarm in tx.alarms()} & {target("other").name}


def test_the_first_slot_after_a_window_spends_no_more_than_any_other() -> None:
    scene = Scene((10, 200)).play(*[CLEAN] * 210)
    budgets = {round(row.log_budget or 0.0, 9) for row in scene.rows()}
    assert len(budgets) == 1


def test_a_pool_that_cannot_be_reached_in_a_window_spends_nothing_either() -> None:
    scene = Scene((10, 200)).play(*[CLEAN] * 10, *[None] * 190, *[CLEAN] * 10)
    assert len({round(row.log_budget or 0.0, 9) for row in scene.rows()}) == 1


def test_a_window_in_the_store_freezes_as_one_in_the_config_does() -> None:
    scene = Scene()
    with scene.store.transaction() as tx:
        tx.put_silence(
            made((matcher("pool=main"),), "ann", "why", START + 10 * MINUTE, START + 20 * MINUTE, freezes=True)
        )
    scene.play(*[CLEAN] * 30)
    assert [(row.slot_time - START) // MINUTE for row in scene.rows()] == [*range(10), *range(20, 30)]


def test_a_silence_freezes_nothing() -> None:
    scene = Scene()
    with scene.store.transaction() as tx:
        tx.put_silence(made((matcher("pool=main"),), "ann", "why", START, START + timedelta(days=1)))
    assert len(scene.play(*[CLEAN] * 30).rows()) == 30


ANSWERS = st.lists(st.sampled_from([CLEAN, CLEAN, CLEAN, BROKEN, None]), min_size=1, max_size=40)
WINDOWS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), max_size=3)


@settings(max_examples=25)
@given(ANSWERS, WINDOWS, st.integers(1, 7))
def test_whatever_is_frozen_nothing_is_reset_and_a_replay_is_the_same_bit_for_bit(
    answers: list[str | None], spans: list[tuple[int, int]], batch: int
) -> None:
    scene = Scene(*((begin, begin + lasts) for begin, lasts in spans)).play(*answers, batch=batch)
    with scene.store.reading() as tx:
        live, again = list(tx.alarms()), list(alarms_again(tx))
        assert sorted(live, key=lambda alarm: alarm.id) == sorted(again, key=lambda alarm: alarm.id)
        for alarm in live:
            case = Case(alarm.series, alarm, Interval(alarm.at, alarm.at, alarm.at))
            assert explain(tx, case).differences == ()


@settings(max_examples=25)
@given(st.integers(0, 20), st.integers(1, 30), st.lists(st.sampled_from([BROKEN, CLEAN, None]), max_size=30))
def test_what_is_answered_in_a_window_changes_nothing_of_what_comes_after(
    begin: int, lasts: int, during: list[str | None]
) -> None:
    """A detector that stood still goes on as if the window had been no time at all."""
    before = [CLEAN] + [BROKEN, CLEAN] * (begin // 2)
    first, until = len(before), len(before) + lasts
    seen = [*during, *[CLEAN] * lasts][:lasts]
    one, other = Scene((first, until)).play(*before), Scene((first, until)).play(*before)
    one.play(*seen, first=first).play(*[CLEAN] * 3, first=until)
    other.play(*[CLEAN] * lasts, first=first).play(*[CLEAN] * 3, first=until)
    assert (one.state().blob, one.spent()) == (other.state().blob, other.spent())


def test_a_backtest_lets_detectors_stand_still_in_the_windows_of_the_store() -> None:
    scene = Scene()
    with scene.store.transaction() as tx:
        for series in scene.book.watch.armed:
            tx.put_baseline(baseline(series))
        tx.put_silence(
            made((matcher("pool=main"),), "ann", "why", START + 10 * MINUTE, START + 30 * MINUTE, freezes=True)
        )
    scene.play(*[CLEAN] * 10, *[BROKEN] * 20, *[CLEAN] * 10)
    rhythms = tuple(Rhythm(target(pool).name, "prose", (PROBE,), MINUTE) for pool in ("main", "other"))
    run = rerun(scene.store, MemoryStore(), Setting(rhythms, TERMS, "eu", SCORERS, {}), Judge.IN_FORCE)
    assert run.would.alarms == ()
    assert run.fed == 2 * 20  # script and availability of the answers outside


def test_an_explanation_names_the_windows_in_which_the_series_may_have_stood_still() -> None:
    scene = Scene((10, 20)).play(*[CLEAN] * 30, *[BROKEN] * 30)
    (asked,) = scene.book.audience.windows
    elsewhere = Window("elsewhere", (matcher("pool=other"),), START, 20 * MINUTE)
    later = Window("later", (matcher("pool=main"),), START + timedelta(days=1), 20 * MINUTE)
    with scene.store.reading() as tx:
        (alarm, *_) = [alarm for alarm in tx.alarms() if alarm.series == SCRIPT]
        case = Case(SCRIPT, alarm, Interval(alarm.at, alarm.at, alarm.at))
        assert explain(tx, case, [asked, elsewhere, later]).windows == (asked,)
