"""The fleet at a glance, on wide and narrow terminals."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from canary.alert.quiet import Quiet
from canary.cli.matrix import fleet, spark
from canary.daemon.survey import Row
from canary.detect import Learning
from canary.records import matcher
from canary.web.status import TargetState, TargetStatus

NOW = datetime(2025, 8, 25, 12, tzinfo=UTC)


def a_row(pool: str, state: TargetState = TargetState.HEALTHY, learning: Learning | None = None) -> Row:
    armed = 8 if learning is None else 5
    status = TargetStatus("mid", "api", pool, state, timedelta(minutes=1), NOW, NOW, armed, 8)
    return Row(status, -7.25, "prose/script", None, timedelta(seconds=3), learning)


def drawn(rows: list[Row], width: int) -> str:
    out = StringIO()
    Console(file=out, width=width).print(fleet(rows, width))
    return out.getvalue()


@pytest.mark.parametrize("pools", [1, 3, 6, 12])
def test_it_fits_eighty_columns_with_all_names_whole(pools: int) -> None:
    shown = drawn([a_row(f"pool-{n}") for n in range(pools)], 80)
    assert max(map(len, shown.splitlines())) <= 80
    assert all(f"pool-{n}" in shown for n in range(pools))


@pytest.mark.parametrize("width", [80, 200])
def test_it_says_how_much_a_learning_target_lacks(width: int) -> None:
    shown = drawn([a_row(f"pool-{n}", TargetState.LEARNING, Learning(340, 569, 0.2)) for n in range(5)], width)
    assert shown.count("learning, 340 of 569") == 5
    assert "armed 5 of 8" in shown
    assert "sees 20%, not less" in shown


@pytest.mark.parametrize("state", TargetState)
def test_every_state_has_a_look(state: TargetState) -> None:
    assert state.value in drawn([a_row("short", state)], 80)


def test_a_target_with_an_incident_says_how_much_it_touches() -> None:
    row = replace(a_row("short", TargetState.INCIDENT), touched=0.31)
    assert "31% touched" in drawn([row], 80)


@pytest.mark.parametrize("width", [80, 200])
def test_it_says_what_is_silenced_and_until_when(width: int) -> None:
    row, until = a_row("short"), NOW + timedelta(hours=2)
    quiet = Quiet("3f2a", until, (matcher("symptom=shape"),), maintenance=False, reason="new template")
    shown = drawn([replace(row, status=replace(row.status, silenced=quiet)), a_row("long")], width)
    assert (shown.count("partly silenced"), shown.count("until 08-25 14:00Z")) == (1, 1)


@pytest.mark.parametrize("width", [80, 200])
def test_it_says_what_is_escalated(width: int) -> None:
    row = a_row("short")
    shown = drawn([replace(row, status=replace(row.status, escalated=("prose",))), a_row("long")], width)
    assert shown.count("escalated prose") == 1


def test_evidence_that_rises_is_a_line_that_rises() -> None:
    shown = spark([-20.0 + nth for nth in range(21)], width=7)
    assert (len(shown), shown[0], shown[-1], sorted(shown)) == (7, "▁", "█", list(shown))


@pytest.mark.parametrize("n", [0, 1, 3, 16, 500])
def test_a_line_is_never_wider_than_asked(n: int) -> None:
    assert len(spark([-3.0] * n, width=16)) == min(n, 16)


@pytest.mark.parametrize("width", [80, 200])
def test_the_trend_of_a_target_is_shown_with_it(width: int) -> None:
    row = replace(a_row("short"), trend=(-20.0, -10.0, 0.0))
    assert "▁▄█" in drawn([row, *(a_row(f"pool-{n}") for n in range(4))], width)
