"""`canary check`."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, console, json_option, say

if TYPE_CHECKING:
    from canary.forecast import Forecast


@click.command()
@click.option(
    "--golden", type=click.IntRange(min=1), help="Golden answers per series to suppose. [default: enough to arm]"
)
@json_option
@click.pass_obj
def command(path: str, golden: int | None, as_json: bool) -> None:
    r"""Check the config, and forecast what it costs and what it can see.

    \b
    Exit codes: 0 the config is good, 2 it is not (each problem with file, line and key).
    """
    from canary.forecast import forecast

    result = forecast(config_at(path), golden)
    if as_json:
        from dataclasses import asdict

        say({"config": path, **asdict(result)})
    else:
        _show(path, result)


def _show(path: str, result: "Forecast") -> None:
    from rich.table import Table

    out = console()
    out.print(f"[green]{path} is good[/]")
    facts = Table.grid(padding=(0, 2))
    facts.add_row("targets", f"{result.targets}")
    facts.add_row("probes", f"{result.probes}")
    facts.add_row("series", f"{result.series}")
    facts.add_row("runs", f"{result.runs_per_second:.3g} per second")
    facts.add_row("tokens", f"at most {result.tokens_per_day:,} per day")
    facts.add_row(
        "false alarms",
        f"at most {result.false_alarms_per_week:g} per week on average, over the whole fleet",
    )
    facts.add_row("", f"provided that all baseline bounds hold (probability {1 - result.delta:g})")
    facts.add_row("golden", f"{result.golden:,} answers per series arm it (smallest share {result.smallest_share:.1%})")
    out.print(facts)
    table = Table(title="median time until a fault is found, by one series", title_justify="left")
    for head in ("signals", "interval", "series"):
        table.add_column(head)
    for share in (delay[0] for delay in result.sights[0].delays):
        table.add_column(f"{share:.1%} of answers", justify="right")
    for sight in result.sights:
        cells = [_delay(probes, time) for _, probes, time in sight.delays]
        table.add_row(_KINDS[sight.kind.value], _short(sight.interval), str(sight.series), *cells)
    out.print(table)


_KINDS = {"event": "events (script, language, syntax, greedy, availability)", "distance": "logprob deviation"}


def _delay(probes: int | None, time: timedelta | None) -> str:
    return "not seen" if probes is None or time is None else f"{_short(time)} ({probes:,} probes)"


def _short(time: timedelta) -> str:
    seconds = time.total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
