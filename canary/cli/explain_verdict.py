"""`canary explain` of a verdict on demand."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from canary.cli.common import console, minute, say
from canary.cli.ondemand import STYLES
from canary.cli.picture import MOST_COLUMNS, styled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from canary.records import KeptVerdict
    from canary.store.base import Transaction
    from canary.verdict import Again

_NAMED = 8
"""Runs that are named."""


def explained(tx: "Transaction", kept: "KeptVerdict", out: Path | None, *, as_json: bool) -> bool:
    """Say it again from the stored answers and show it; returns whether it is as it was kept."""
    from canary.verdict import again

    made = again(tx, kept)
    if out is not None:
        _draw(out, made)
    if as_json:
        say(_facts(made))
    else:
        _show(console(), made)
    return not made.differences


def _draw(path: Path, made: "Again") -> None:
    from canary.draw import drawn, png, svg
    from canary.verdict import charts

    picture = drawn(_title(made), charts(made), [f"{name}: {words}" for name, words in _words(made)])
    path.write_bytes(svg(picture).encode() if path.suffix.lower() == ".svg" else png(picture))


def _title(made: "Again") -> str:
    kept = made.kept
    against = f" against {kept.against}" if kept.against else ""
    return f"{kept.id} {kept.kind} of {kept.target}{against}: {kept.verdict}"


def _show(out: "Console", made: "Again") -> None:
    from rich.markup import escape

    from canary.draw import lines
    from canary.verdict import charts

    out.print(f"[{STYLES[made.kept.verdict]}]{escape(_title(made))}[/]")
    for chart in charts(made):
        out.print(f"\n[bold]{escape(chart.title)}[/], {chart.evidence}")
        for line in styled(lines(chart, min(out.width, MOST_COLUMNS), height=8)):
            out.print(line)
    for name, words in _words(made):
        out.print(f"{name:<9}{escape(words)}", soft_wrap=True)


def _words(made: "Again") -> "Iterator[tuple[str, str]]":
    import math

    from canary.verdict import log_fail

    kept = made.kept
    unit = "answers" if kept.against is None else "pairs"
    yield "judged", f"{minute(kept.at)}, {len(made.points)} {unit}, {len(kept.yardsticks)} signals"
    yield "fail", f"evidence {kept.evidence:+.2f} in {kept.signal}, of {log_fail(kept):.2f} that it takes"
    if kept.better is not None:
        yield "other", f"evidence {kept.better:+.2f} that {kept.against} is the worse one, of as much"
    yield (
        "pass",
        f"evidence {kept.soundness:+.2f}, of {-math.log(kept.beta):.2f} that it takes to exclude {kept.share:.1%}",
    )
    yield "seen", _seen(kept)
    yield "touched", _touched(made)
    yield "again", _again(made)


def _seen(kept: "KeptVerdict") -> str:
    if kept.visible >= 1.0:
        return "too few answers to see any fault"
    return f"a fault in {kept.visible:.1%} of answers would have failed with a chance of {kept.power:.0%}"


def _touched(made: "Again") -> str:
    """The first of the turns that speak against the target, by their first run."""
    slots = [point.slots[0] for point in made.points if point.touched]
    more = f" and {len(slots) - _NAMED} more" if len(slots) > _NAMED else ""
    return (", ".join(slot[:12] for slot in slots[:_NAMED]) or "none") + more


def _again(made: "Again") -> str:
    if not made.differences:
        return f"the same as stored, bit for bit: {made.judgement.verdict.value} by {len(made.kept.slots)} stored runs"
    return f"DIFFERS from the store: {'; '.join(made.differences)}"


def _facts(made: "Again") -> dict[str, object]:
    from dataclasses import asdict

    kept = made.kept
    return {
        "verdict": {
            **{name: value for name, value in asdict(kept).items() if name != "yardsticks"},
            "at": kept.at.isoformat(),
            "detectors": {one.name: one.detector or one.pairs for one in kept.yardsticks},
        },
        "same": not made.differences,
        "differences": made.differences,
        "again": asdict(made.judgement),
        "shown": [asdict(one) for one in made.shown],
        "steps": [asdict(point) for point in made.points],
    }


def require_no_span(span: tuple[object, object]) -> None:
    """Raises: BadParameter."""
    if span != (None, None):
        raise click.BadParameter("a verdict is shown whole: --since and --until are for incidents and alarms")
