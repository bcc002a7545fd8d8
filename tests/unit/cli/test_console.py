"""Colour, and what moves."""

import io

import click
import pytest
from rich.live import Live

from canary.cli.common import console


@pytest.mark.parametrize("colour", [True, False, None])
def test_what_moves_is_written_once_where_nobody_watches(
    monkeypatch: pytest.MonkeyPatch, *, colour: bool | None
) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr("sys.stdout", pipe)
    with click.Context(click.Command("canary"), color=colour), Live(console=console()) as live:
        for n in range(5):
            live.update(f"[red]{n} of 4[/]", refresh=True)
    assert pipe.getvalue().count(" of 4") == 1
    assert ("\x1b[31m" in pipe.getvalue()) is bool(colour)
