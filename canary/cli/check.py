"""`canary check`."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, config_at, console, json_option, run_async, say, short
from canary.cli.reach import reach, require_answers
from canary.cli.word import Word

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from canary.config import Config
    from canary.forecast import Escalated, Forecast
    from canary.records import Observation

KINDS = {"event": "events", "distance": "distances", "bounded": "balances"}
_NOTE = """\
Medians, for each series alone and once it is armed, in brackets the number of
probes; a fault that shows in several series is found sooner. "distances" are
logprob, kl, divergence, surprisal, forced and length, "balances" balance,
"events" all others.
"-": not seen; more golden answers (--golden) or a smaller
detect.smallest_share would help. "escalated": while the tokens for it last."""


@click.command(
    cls=Word,
    exits={
        0: "the config is good (and, with --reach, every target answered)",
        2: "it is not: each problem with file, line and key; or a target did not answer",
    },
    examples=("canary check", "canary check --golden 5000", "canary -c fleet.yaml check --reach"),
)
@click.option(
    "--golden",
    type=click.IntRange(1, 10_000_000),
    help="Golden answers per group to suppose. [default: enough to arm]",
)
@click.option("--reach", "reaching", is_flag=True, help="Also fire one cheap probe at each target.")
@json_option
@click.pass_obj
def command(path: str, golden: int | None, reaching: bool, as_json: bool) -> None:
    """Check the config, and forecast what it costs and what it can see."""
    from canary.forecast import forecast

    config = config_at(path)
    result = forecast(config, golden)
    if as_json:
        from dataclasses import asdict

        say({"config": path, **asdict(result)})
    else:
        _show(console(), path, result)
    if reaching:
        _reach(config, quiet=as_json)


def _reach(config: "Config", *, quiet: bool) -> None:
    async def fire() -> "tuple[Observation, ...]":
        from canary.clock import SystemClock
        from canary.http import HttpClient
        from canary.probe.client import ProbeClient

        http = HttpClient()
        try:
            return await reach(ProbeClient(http, SystemClock()), config, config.targets)
        finally:
            await http.aclose()

    seen = run_async(fire())
    require_answers(seen)
    if not quiet:
        console().print(
            f"[green]all {len(seen)} targets answered[/], the slowest in {short(max(s.duration for s in seen))}"
        )


def _show(out: "Console", path: str, result: "Forecast") -> None:
    from rich.markup import escape
    from rich.table import Table

    out.print(f"[green]{escape(path)} is good[/]")
    facts = Table.grid(padding=(0, 2))
    cost = result.recording
    for name, fact in (
        ("fleet", f"{result.targets} targets, {result.probes} probes, {result.series} series"),
        ("runs", f"{result.runs_per_second:.3g} per second, at most {result.tokens_per_day:,} tokens per day"),
        ("golden", f"{result.golden:,} answers per group, so that a fault in {result.smallest_share:.1%} is seen"),
        ("", f"recording: {cost.runs:,} runs, at most {cost.tokens:,} tokens, {short(cost.least)} or more"),
        *_escalation(result),
        ("false alarms", f"at most {result.false_alarms_per_week:g} per week on average, over the whole fleet,"),
        ("", f"if all baseline bounds hold (probability {1 - result.delta:g})"),
    ):
        facts.add_row(name, fact)
    out.print(facts)
    out.print(_sights(result))
    out.print(_NOTE, style="dim")


def _escalation(result: "Forecast") -> list[tuple[str, str]]:
    one = result.escalation
    if one is None:
        return [("escalation", "off")]
    return [
        ("escalation", f"{one.factor} times as fast from evidence {one.warning:g} on, at most {_often(one)} in vain;"),
        ("", f"about {one.tokens_while_healthy:,} tokens per week while all is well, at most {one.tokens_per_week:,}"),
    ]


def _often(one: "Escalated") -> str:
    return f"{one.false_warnings_per_week:,.0f} times per week"


def _sights(result: "Forecast") -> "Table":
    table = columns(
        "signals", "series", "every", title="Time until a fault is found, by the share of answers it touches"
    )
    for share in (delay[0] for delay in result.sights[0].delays):
        table.add_column(f"{share:.1%}", justify="right")
    for sight in result.sights:
        cells = [_delay(probes, time) for _, probes, time in sight.delays]
        table.add_row(KINDS[sight.kind.value], str(sight.series), short(sight.interval), *cells)
        if sight.hastened:
            table.add_row("  escalated", "", "", *("-" if time is None else short(time) for time in sight.hastened))
    return table


def _delay(probes: int | None, time: timedelta | None) -> str:
    return "-" if probes is None or time is None else f"{short(time)} ({probes:,})"
