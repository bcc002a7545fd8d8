from datetime import timedelta

import pytest

from canary.alert.silences import describe, expired, made, reminders, text
from canary.records import Silence, matcher
from tests.unit.alert.findings import START

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


def silence(*texts: str, lasts: timedelta = DAY) -> Silence:
    return made(tuple(map(matcher, texts or ("pool=tpu-*",))), "ann", "draining", START, START + lasts)


def words(one: Silence, after: timedelta) -> list[str]:
    return [reminder.words for reminder in reminders([one], START + after)]


def test_the_same_words_are_the_same_silence() -> None:
    assert silence().id == silence().id != silence("pool=gpu-*").id


def test_one_that_is_expired_holds_no_longer_and_says_who_ended_it() -> None:
    ended = expired(silence(), "bob", START + HOUR)
    assert (ended.holds(START + HOUR), ended.ends_at, ended.expired_by) == (False, START + HOUR, "bob")


def test_one_that_had_ended_stays_as_it_was() -> None:
    assert expired(silence(), "bob", START + 2 * DAY) == silence()


def test_one_that_has_not_begun_never_will_once_expired() -> None:
    ended = expired(silence(), "bob", START - HOUR)
    assert (ended.starts_at, ended.ends_at) == (START - HOUR, START - HOUR)


@pytest.mark.parametrize(
    ("lasts", "after", "said"),
    [
        (DAY, DAY - 2 * HOUR, []),
        (DAY, DAY - HOUR, ["ends in 60 min"]),
        (DAY, DAY - timedelta(minutes=1), ["ends in 1 min"]),
        (DAY, DAY, []),
        (2 * HOUR, HOUR, []),
        (4 * WEEK, WEEK - HOUR, []),
        (4 * WEEK, WEEK, ["has lasted 7 days"]),
        (4 * WEEK, 2 * WEEK + HOUR, ["has lasted 14 days"]),
        (4 * WEEK, 4 * WEEK - HOUR, ["ends in 60 min"]),
    ],
)
def test_people_are_reminded_before_the_end_and_each_week(lasts: timedelta, after: timedelta, said: list[str]) -> None:
    assert words(silence(lasts=lasts), after) == said


def test_a_reminder_is_the_same_whenever_it_is_worked_out() -> None:
    long = silence(lasts=4 * WEEK)
    ids = [[one.id for one in reminders([long], START + after)] for after in (WEEK, WEEK + DAY, 2 * WEEK)]
    assert ids[0] == ids[1] != ids[2]


def test_a_person_reads_what_is_silenced_by_whom_why_until_when_and_how_to_end_it() -> None:
    (reminder,) = reminders([silence()], START + DAY - HOUR)
    assert text(reminder) == [
        f"the silence {silence().id} ends in 60 min",
        "matches  pool=tpu-*",
        "author   ann",
        "reason   draining",
        "until    2025-08-26 12:00 UTC",
        f"end it   canary silence expire {silence().id}",
    ]


def test_a_machine_reads_all_of_it() -> None:
    assert describe(silence()) == {
        "id": silence().id,
        "matchers": ["pool=tpu-*"],
        "author": "ann",
        "reason": "draining",
        "starts_at": "2025-08-25T12:00:00+00:00",
        "ends_at": "2025-08-26T12:00:00+00:00",
        "maintenance": False,
        "expired_by": None,
    }
