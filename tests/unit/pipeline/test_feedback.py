"""Counts that are handed in: learned, frozen, judged under the budget, alarms and incidents like any."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from canary.detect import CountDetector
from canary.errors import ReportError
from canary.pipeline import feedback
from canary.pipeline.advance import alarms_again
from canary.pipeline.feedback import Terms, Window, in_use, judged, learn, require_apart, rhythms
from canary.pipeline.ledger import Committed, Ledger
from canary.pipeline.tell import Audience
from canary.pipeline.watch import Watch, muster
from canary.records import BaselineStatus, SeriesKey, Symptom
from canary.store import MemoryStore
from canary.testing import FakeClock
from tests.unit.pipeline import stage
from tests.unit.pipeline.stage import START

HOUR = timedelta(hours=1)
TARGET = stage.target("short").name
TERMS = Terms({"thumbs_down": Symptom.DEVIATION}, HOUR, timedelta(hours=24), None)
KEY = SeriesKey(TARGET, "eu", "feedback:thumbs_down", "feedback")


class Desk:
    """A store with a ledger that takes what was learned at once, as the daemon does at its next heartbeat."""

    def __init__(self, terms: Terms = TERMS) -> None:
        self.terms = terms
        self.store = MemoryStore()
        self.clock = FakeClock(START)
        self.ledger = Ledger(self.store, self.watch(), Audience(), self.clock)

    def watch(self) -> Watch:
        with self.store.reading() as tx:
            active = tx.baselines(status=BaselineStatus.ACTIVE)
            golden = in_use(active, self.terms)
            return muster(rhythms(tx, self.terms, [TARGET], "eu"), golden, stage.TERMS, "eu")

    def hand_in(self, *windows: Window) -> Committed:
        batch = [judged(window, "eu") for window in windows]
        committed = self.ledger.hand_in(batch, lambda tx: self._learn(batch and [KEY], tx))
        self.ledger.watch = self.watch()
        return committed

    def _learn(self, keys: Sequence[SeriesKey], tx: object) -> None:
        learn(tx, self.terms, keys, self.clock.now())  # type: ignore[arg-type]

    def hours(self, counts: Iterable[int], *, first: int, exposure: float = 1_000.0) -> int:
        """One window an hour; how many alarms there were."""
        return sum(len(self.hand_in(window(first + n, count, exposure)).step.alarms) for n, count in enumerate(counts))


def window(hour: int, count: int, exposure: float = 1_000.0) -> Window:
    return Window(TARGET, "thumbs_down", START + hour * HOUR, HOUR, count, exposure)


def healthy(n: int, seed: int = 0) -> list[int]:
    """Of a rate that wavers: a gamma of shape 50 about ten in a thousand."""
    rng = np.random.default_rng(seed)
    return [int(count) for count in rng.poisson(10.0 * rng.gamma(50.0, 1 / 50.0, n))]


@pytest.fixture
def learned() -> Desk:
    """A day of golden windows is over."""
    desk = Desk()
    desk.hours(healthy(25), first=0)
    return desk


def test_a_window_is_kept_with_its_count_and_exposure_and_feeds_nothing_while_it_is_learned() -> None:
    desk = Desk()
    committed = desk.hand_in(window(0, 12))
    (row,) = committed.step.rows
    assert (row.score.value, row.score.exposure, row.detector) == (12.0, 1_000.0, None)  # type: ignore[union-attr]
    assert KEY in desk.ledger.watch.learning


def test_nothing_is_watched_of_what_was_never_handed_in() -> None:
    assert KEY not in Desk().watch().signals


def test_the_series_is_armed_when_its_golden_time_is_over(learned: Desk) -> None:
    watched = learned.ledger.watch.armed[KEY]
    assert isinstance(watched.detector, CountDetector)
    assert watched.n == 24


def test_it_is_not_armed_by_time_alone() -> None:
    desk = Desk()
    desk.hours(healthy(8), first=0)
    desk.hand_in(window(30, 10))
    assert KEY in desk.ledger.watch.learning


def test_the_golden_windows_are_frozen(learned: Desk) -> None:
    before = learned.ledger.watch.armed[KEY].detector
    learned.hours([40] * 5, first=25)
    learned.hand_in(window(3, 500), window(-5, 500))
    assert learned.watch().armed[KEY].detector == before


def test_healthy_windows_raise_no_alarm(learned: Desk) -> None:
    assert learned.hours(healthy(300, seed=1), first=25) == 0


def test_three_times_the_complaints_are_an_alarm_within_a_day(learned: Desk) -> None:
    learned.hours(healthy(24, seed=1), first=25)
    assert learned.hours([3 * count for count in healthy(24, seed=2)], first=49) >= 1


def test_an_alarm_is_an_incident_with_the_symptom_of_its_class(learned: Desk) -> None:
    learned.hours([60] * 6, first=25)
    with learned.store.reading() as tx:
        (incident,) = tx.incidents()
    assert (incident.target, incident.findings[0].symptom) == (TARGET, Symptom.DEVIATION)
    assert incident.findings[0].onset.best >= START + 24 * HOUR


def test_it_resolves_when_the_complaints_are_back_where_they_were(learned: Desk) -> None:
    learned.hours([60] * 6, first=25)
    learned.hours(healthy(200, seed=3), first=31)
    with learned.store.reading() as tx:
        assert tx.incidents(open_only=True) == []


def test_more_requests_with_as_many_more_complaints_are_no_fault(learned: Desk) -> None:
    learned.hours([10 * count for count in healthy(48, seed=4)], first=25, exposure=10_000.0)
    with learned.store.reading() as tx:
        assert tx.alarms() == []


def test_the_same_window_handed_in_again_counts_once(learned: Desk) -> None:
    learned.hand_in(window(25, 60))
    with learned.store.reading() as tx:
        before = tx.scores(KEY, fed=False)
    again = learned.hand_in(window(25, 99))
    with learned.store.reading() as tx:
        assert tx.scores(KEY, fed=False) == before
    assert again.step.fresh == ()


@pytest.mark.parametrize("off", [-0.5, 0.5, 1 / 3600], ids=["before", "after", "a second later"])
def test_a_window_that_overlaps_another_is_refused(learned: Desk, off: float) -> None:
    learned.hand_in(window(24, 12))
    rolling = replace(window(24, 12), at=START + (24 + off) * HOUR)
    with pytest.raises(ReportError, match="begins before the end of another"), learned.store.transaction() as tx:
        require_apart(tx, [rolling], "eu")


def test_windows_that_meet_are_apart_and_the_same_one_is_itself(learned: Desk) -> None:
    learned.hand_in(window(24, 12))
    with learned.store.transaction() as tx:
        require_apart(tx, [window(24, 12), window(25, 9)], "eu")


def test_stray_windows_of_long_ago_put_nothing_off() -> None:
    desk = Desk()
    desk.hand_in(window(-1_000, 9), window(-900, 11))
    desk.hours(healthy(26), first=0)
    assert desk.watch().armed[KEY].n == 24


def test_every_alarm_comes_out_again_from_the_store_bit_for_bit(learned: Desk) -> None:
    learned.hours([60] * 12, first=25)
    with learned.store.reading() as tx:
        assert list(alarms_again(tx)) == tx.alarms() != []


def test_a_later_beginning_learns_anew() -> None:
    desk = Desk()
    desk.hours(healthy(25), first=0)
    first = desk.ledger.watch.armed[KEY].epoch
    desk.terms = replace(TERMS, since=(START + timedelta(days=2)).date())
    assert KEY in desk.watch().learning
    desk.hours([30] * 25, first=48)
    assert desk.ledger.watch.armed[KEY].epoch > first
    assert desk.hours([30] * 24, first=73) == 0


def test_it_has_a_part_of_the_one_budget() -> None:
    desk = Desk()
    desk.hours(healthy(25), first=0)
    with desk.store.reading() as tx:
        golden = [*tx.baselines(status=BaselineStatus.ACTIVE), *map(stage.baseline, stage.watch(["short"]).signals)]
        probed = stage.Rhythm(TARGET, "prose", (stage.PROBE,), stage.MINUTE)
        on = muster([probed, *rhythms(tx, TERMS, [TARGET], "eu")], golden, stage.TERMS, "eu")
    assert KEY in on.armed
    assert sum(watched.share for watched in on.armed.values()) * on.hierarchy.total == pytest.approx(1.0)


def test_the_facts_of_another_region_are_its_own() -> None:
    desk = Desk()
    desk.hand_in(window(0, 12))
    with desk.store.reading() as tx:
        assert feedback.rhythms(tx, TERMS, [TARGET], "us") == []
