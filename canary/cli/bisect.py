"""`canary bisect`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, config_at, console, json_option, printable, run_async, say, store_of
from canary.cli.complete import bisectable
from canary.cli.ondemand import EXIT, STYLES, ground, share_option
from canary.cli.word import Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from canary.config import Config
    from canary.pipeline.record import Groups
    from canary.records import Incident, Observation, Target
    from canary.store.base import Store
    from canary.verdict import Volley
    from canary.verdict.bisect import Found
    from canary.verdict.hunt import Field, Told

_WORDS = {"fail": "carries it", "pass": "clean", "inconclusive": "open"}


@click.command(
    cls=Word,
    exits={
        0: "every part is clean to --share",
        1: "some part carries a fault",
        2: "inconclusive, or bad input or an error",
    },
    examples=(
        "canary bisect 3f2a9c1e                  # an incident: which pool, replica, burst, session?",
        "canary bisect mid/api/short --share 0.1 -n 400",
        "canary bisect 3f2a9c1e --json | jq .carriers",
    ),
)
@click.argument("what", shell_complete=bisectable)
@click.option(
    "-n", "n", type=click.IntRange(1, 100_000), default=600, show_default=True, help="Probes at most; a burst is one."
)
@share_option
@json_option
@click.pass_obj
def command(path: str, what: str, n: int, share: float | None, as_json: bool) -> None:
    """Which part carries the fault: pool, replica, context class, burst size or session.

    WHAT is an incident or a target. Each part is judged by the target's baseline, and the next probe goes where it
    tells most, until one part is shown to carry the fault and the others beside it to be clean. Ctrl-C gives what is
    known so far. Replicas are those that answers named; bursts those that have a baseline of their own; sessions those
    of the incident's evidence, against fresh ones. The answers are kept, but feed neither baselines nor detectors.
    """
    from canary.cli.bisect_arms import field_of

    config = config_at(path)
    wanted = share or config.detect.smallest_share
    with store_of(config) as store:
        target, groups, incident = _aim(config, store, what)
        field = field_of(config, store, target, groups, incident, wanted)
        fired, found = run_async(_hunt(config, store, field, n))
    if as_json:
        say(_facts(found, field, wanted, fired))
    else:
        _show(console(), found, field, wanted, fired)
    raise SystemExit(EXIT[found.verdict.value])


def _aim(config: "Config", store: "Store", what: str) -> "tuple[Target, Groups, Incident | None]":
    """Raises: NotFound."""
    from canary.cli.replay import aim
    from canary.daemon.assembly import probes_on, target_of
    from canary.errors import NotFound

    if any(one.name == what for one in config.targets):
        target = target_of(config, what)
        return target, probes_on(config, target), None
    try:
        with store.reading() as tx:
            incident = tx.incident(what)
    except NotFound as error:
        raise NotFound(f'"{what}" is no target, and as an incident: {error}') from None
    return *aim(config, store, incident.id, None), incident


async def _hunt(config: "Config", store: "Store", field: "Field", n: int) -> "tuple[int, Found]":
    from canary.clock import SystemClock
    from canary.verdict.hunt import hunt

    async with ground() as (client, stop):

        async def fire(session: str, volley: "Volley") -> "Sequence[Observation]":
            return await (client.fire_within(session, volley) if session else client.fire_at_once(volley))

        with _board(n) as told:
            return await hunt(store, fire, field, config.region, n, SystemClock().now(), told, stop)


@contextmanager
def _board(n: int) -> "Iterator[Told]":
    """The standings while they change, on a terminal."""
    from rich.console import Group
    from rich.live import Live

    out = console(stderr=True)
    if not out.is_terminal:
        yield lambda _, __: None
        return
    with Live(console=out, transient=True, refresh_per_second=8) as live:
        yield lambda fired, found: live.update(Group(f"{fired} of {n} probes", _table(found)))


def _show(out: "Console", found: "Found", field: "Field", share: float, fired: int) -> None:
    from rich.markup import escape

    from canary.verdict.bisect import words

    style = STYLES[found.verdict.value]
    out.print(f"[{style}]{found.verdict.value.upper()}[/] {escape(printable(words(found, field.target.name, share)))}")
    out.print(f"after {fired} probes")
    out.print(_table(found))
    if field.unasked:
        out.print(f"not asked, for want of golden data: {escape(', '.join(arm.name for arm in field.unasked))}")


def _table(found: "Found") -> "Table":
    from rich.markup import escape

    table = columns("part", "", "evidence", "answers", "")
    for one in found.standings:
        style = STYLES[one.verdict.value] if one.verdict.value != "inconclusive" else "dim"
        bar = "█" * min(20, max(0, round(one.evidence))) if one.evidence > 0.0 else ""
        name = (one.arm.dimension.value, escape(printable(one.arm.value)))
        table.add_row(*name, f"{one.evidence:+.1f}", f"{one.answers}", f"[{style}]{_WORDS[one.verdict.value]}[/] {bar}")
    return table


def _facts(found: "Found", field: "Field", share: float, fired: int) -> dict[str, object]:
    from canary.verdict.bisect import words

    return {
        "target": field.target.name,
        "verdict": found.verdict.value,
        "words": words(found, field.target.name, share),
        "carriers": [{"dimension": arm.dimension.value, "value": arm.value} for arm in found.carriers],
        "everywhere": found.everywhere,
        "excludes_share": share,
        "fired": fired,
        "parts": [
            {
                "dimension": one.arm.dimension.value,
                "value": one.arm.value,
                "state": _WORDS[one.verdict.value],
                "evidence_nats": one.evidence,
                "answers": one.answers,
            }
            for one in found.standings
        ],
        "unasked": [arm.name for arm in field.unasked],
    }
