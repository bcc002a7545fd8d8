"""`canary audit`."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, config_at, console, json_option, printable, say, store_of
from canary.cli.moment import moment
from canary.cli.word import Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from canary.records import AuditEntry


@click.command(
    cls=Word,
    exits={0: "shown", 2: "bad input, config or store"},
    examples=("canary audit", "canary audit --since 7d", "canary audit -n 1000 --json"),
)
@click.option("--since", callback=moment, metavar="TIME", help="ISO 8601 with a zone, a day, or 36h for so long ago.")
@click.option("-n", "limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="The last so many.")
@json_option
@click.pass_obj
def command(path: str, since: datetime | None, limit: int, as_json: bool) -> None:
    """Who did what: acknowledgements, changes, gates, promotions, reloads, tokens, counts and scores handed in.

    The log can only be appended to: the database itself refuses to change or to delete an entry.
    """
    from canary.desk.audit import facts

    with store_of(config_at(path)) as store, store.reading() as tx:
        found = tx.audit(since=since, limit=limit)
    if as_json:
        say([facts(entry) for entry in found])
    elif found:
        _show(found)
    else:
        click.echo("nobody did anything yet")


def _show(found: "Sequence[AuditEntry]") -> None:
    from rich.markup import escape

    table = columns("at", "who", "act", "what", "")
    for entry in found:
        said = map(escape, map(printable, (entry.who, entry.act.value, entry.subject, entry.detail)))
        table.add_row(f"{entry.at:%Y-%m-%d %H:%M:%S}Z", *said)
    console().print(table)
