from dataclasses import replace

import pytest

from canary.pipeline.declared import keep_change, outdated
from canary.pipeline.record import REVISION
from canary.records import Change, ChangeKind, Scope, SeriesKey
from canary.store.memory import MemoryStore
from tests.unit.pipeline.stage import MINUTE, START, baseline, target

SERIES = SeriesKey(target("short").name, "eu", "prose", "script")
MODEL = Change("mid-2", ChangeKind.MODEL, START, "version 2", Scope("mid"))


def test_golden_answers_say_nothing_of_a_model_that_was_changed_since():
    assert outdated(baseline(SERIES, at=START - MINUTE), [MODEL])


@pytest.mark.parametrize(
    "change",
    [
        replace(MODEL, kind=ChangeKind.DEPLOY),
        replace(MODEL, scope=Scope("small")),
        replace(MODEL, scope=Scope("mid", region="us")),
        replace(MODEL, at=START - 2 * MINUTE),
    ],
    ids=["of the engine", "elsewhere", "in another region", "before they were recorded"],
)
def test_golden_answers_outlast_any_other_change(change):
    assert not outdated(baseline(SERIES, at=START - MINUTE), [change])


def test_whether_answers_come_at_all_is_judged_as_ever():
    assert not outdated(baseline(replace(SERIES, signal="availability"), at=START - MINUTE), [MODEL])


def test_what_users_complain_of_is_judged_as_ever():
    counts = replace(SERIES, group="feedback:thumbs_down", signal="feedback")
    assert not outdated(baseline(counts, at=START - MINUTE), [MODEL])


def test_a_running_daemon_learns_of_a_model_that_was_changed_and_once_only():
    store = MemoryStore()
    with store.transaction() as tx:
        found = []
        for change in (MODEL, MODEL, replace(MODEL, id="deploy", kind=ChangeKind.DEPLOY)):
            keep_change(tx, change)
            found.append(tx.fact(REVISION))
    assert found == ["1", "1", "1"]
