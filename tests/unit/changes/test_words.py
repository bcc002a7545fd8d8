from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.changes import change_id, link, moment, scope
from canary.records import ChangeKind, Scope

NOW = datetime(2025, 8, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("*", Scope()),
        ("mid/*/*", Scope("mid")),
        ("mid/api/tpu-*", Scope("mid", "api", "tpu-*")),
        ("*/*/*/eu", Scope(region="eu")),
    ],
)
def test_a_scope_is_written_as_a_target_with_stars(text: str, meant: Scope) -> None:
    assert scope(text) == meant


@pytest.mark.parametrize("text", ["", "mid", "mid/api", "mid//short", "a/b/c/d/e", "a/b/c d", "a/b/" + "c" * 81])
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write MODEL/PLATFORM/POOL"):
        scope(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2025-08-25", datetime(2025, 8, 25, tzinfo=UTC)),
        ("1.5h", datetime(2025, 8, 29, 10, 30, tzinfo=UTC)),
        ("2w ago", datetime(2025, 8, 15, 12, tzinfo=UTC)),
    ],
)
def test_people_may_also_name_a_day_or_say_how_long_ago(text: str, meant: datetime) -> None:
    assert moment(text, NOW) == meant
    with pytest.raises(ValueError, match="write it like"):
        moment(text)


parts = st.none() | st.from_regex(r"[A-Za-z0-9._:@+?\[\]!-]{1,10}", fullmatch=True)


@given(st.builds(Scope, parts, parts, parts, parts))
def test_a_scopes_name_is_read_back(meant: Scope) -> None:
    assert scope(meant.name) == meant


@pytest.mark.parametrize(
    ("text", "ago"),
    [("now", 0), ("90s ago", 90), ("10m ago", 600), ("10 min ago", 600), ("2h", 7_200), ("14d ago", 1_209_600)],
)
def test_a_time_may_be_told_from_now(text: str, ago: int) -> None:
    assert moment(text, NOW) == NOW - timedelta(seconds=ago)


def test_a_time_with_an_offset_is_kept_in_utc() -> None:
    assert moment("2025-08-29T14:00:00+02:00").isoformat() == "2025-08-29T12:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("2025-08-29T12:00:00", "says no zone"),
        ("yesterday", "is no time"),
        ("999999w ago", "beyond the calendar"),
        ("0001-01-01T00:00:00+05:00", "beyond the calendar"),
        ("", "is no time"),
    ],
)
def test_what_is_no_time_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        moment(text, NOW)


def test_a_document_cannot_tell_a_time_from_now() -> None:
    with pytest.raises(ValueError, match="is no time"):
        moment("10m ago")


@pytest.mark.parametrize("text", ["https://ci.example.com/runs/7?page=2#log", "http://127.0.0.1:8080/x"])
def test_a_link_is_kept_as_it_is(text: str) -> None:
    assert link(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://ada:hunter2@ci.example.com/7",
        "https://token@ci.example.com/7",
        "https://ci.example.com/7?access_token=hunter2",
        "https://ci.example.com/7?a=1&X-Amz-Signature=hunter2",
        "https://ci.example.com/7?key=hunter2",
    ],
)
def test_a_link_with_a_secret_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="password or token") as caught:
        link(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "ftp://x/y", "javascript:1", "https://", "https://x/ y", "https://[x", "https://x/" + "y" * 500]
)
def test_what_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no link"):
        link(text)


def test_the_same_facts_have_the_same_id_in_any_zone() -> None:
    east = NOW.astimezone(datetime.fromisoformat("2025-01-01T00:00:00+09:00").tzinfo)
    assert change_id(ChangeKind.FLAG, NOW, Scope(), "x") == change_id(ChangeKind.FLAG, east, Scope(), "x")


def test_other_facts_have_another_id() -> None:
    made = {
        change_id(ChangeKind.FLAG, NOW, Scope(), "x"),
        change_id(ChangeKind.CONFIG, NOW, Scope(), "x"),
        change_id(ChangeKind.FLAG, NOW - timedelta(seconds=1), Scope(), "x"),
        change_id(ChangeKind.FLAG, NOW, Scope("mid"), "x"),
        change_id(ChangeKind.FLAG, NOW, Scope(), "y"),
    }
    assert len(made) == 5
