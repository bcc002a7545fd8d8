"""`canary check`."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, console, json_option, run_async, say, short
from canary.cli.reach import reach, require_answers
from canary.cli.word import Word

if TYPE_CHECKING:
    from rich.console import Console

    from canary.config import Config
    from canary.forecast import Forecast
    from canary.records import Observation


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

    from canary.cli.sights import NOTE, table, unseen

    out.print(f"[green]{escape(path)} is good[/]")
    facts = Table.grid(padding=(0, 2))
    cost = result.recording
    for name, fact in (
        ("fleet", f"{result.targets} targets, {result.probes} probes, {result.series} series, {result.scopes} scopes"),
        ("runs", f"{result.runs_per_second:.3g} per second, at most {result.tokens_per_day:,} tokens per day"),
        ("golden", _golden(result)),
        ("", f"recording: {cost.runs:,} runs, at most {cost.tokens:,} tokens, {short(cost.least)} or more"),
        *_escalation(result),
        ("false alarms", f"at most {result.false_alarms_per_week:g} per week on average, over the whole fleet:"),
        ("", f"one in {result.arl / timedelta(weeks=1):.3g} weeks or more (its ARL), if all"),
        ("", f"baseline bounds hold (delta {result.delta:g} in sum: probability {1 - result.delta:g})"),
    ):
        facts.add_row(name, fact)
    out.print(facts)
    if result.sights:
        out.print(table(result.sights))
        for line in unseen(result.sights):
            out.print(line)
        out.print(NOTE, style="dim")


def _golden(result: "Forecast") -> str:
    if result.armed == result.series:
        return f"{result.golden:,} answers per group, so that a fault in {result.smallest_share:.1%} is seen"
    return (
        f"{result.golden:,} answers per group arm {result.armed} of {result.series} series; the others learn, "
        f"{result.golden:,} of {result.needed:,}"
    )


def _escalation(result: "Forecast") -> list[tuple[str, str]]:
    one = result.escalation
    if one is None:
        return [("escalation", "off")]
    return [
        ("escalation", f"{one.factor} times as fast from evidence {one.warning:g} on,"),
        ("", f"in vain at most {one.false_warnings_per_week:,.0f} times per week;"),
        ("", f"about {one.tokens_while_healthy:,} tokens per week while all is well,"),
        ("", f"at most {one.tokens_per_week:,}"),
    ]
