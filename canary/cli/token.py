"""`canary token`."""

import getpass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, config_at, console, json_option, minute, say, store_of
from canary.cli.complete import token_names
from canary.cli.moment import ahead
from canary.cli.word import Noun
from canary.records import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from canary.records import Token

_who = click.option("--by", "who", default=getpass.getuser, help="Who does it. [default: your user name]")


@click.group(cls=Noun)
def command() -> None:
    """Make, list and revoke tokens of the HTTP API."""


@command.command(
    exits={0: "made", 2: "bad input, config or store"},
    examples=(
        "canary token add ada --role operate",
        "canary token add ci --role ingest --expires 90d",
        "canary token add grafana --role read --expires 2027-01-01",
    ),
)
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What it may do.")
@click.option("--expires", callback=ahead, metavar="TIME", help="In 90d, or at 2027-01-01. [default: never]")
@_who
@json_option
@click.pass_obj
def add(path: str, name: str, role: str, expires: datetime | None, who: str, as_json: bool) -> None:
    """Make a token and show it, this once: the store keeps a digest of its secret only.

    read sees what the page shows, with answers; operate also acknowledges, resolves, records changes and runs gates;
    ingest hands in changes, feedback counts and scores, and sees nothing.
    """
    from canary.clock import SystemClock
    from canary.desk.tokens import facts, mint

    now = SystemClock().now()
    with store_of(config_at(path), create=True) as store, store.transaction() as tx:
        try:
            token, text = mint(tx, name, Role(role), now, who, expires)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="NAME") from None
    if as_json:
        say({**facts(token, now), "token": text})
    else:
        click.echo(text)
        click.echo(
            f"canary: {role} token {name}; it is shown only now: keep it in a file that only its user reads", err=True
        )


@command.command("list", exits={0: "listed", 2: "bad config or store"}, examples=("canary token list --json",))
@json_option
@click.pass_obj
def list_(path: str, as_json: bool) -> None:
    """Every token that was ever made, without its secret."""
    from canary.clock import SystemClock
    from canary.desk.tokens import facts

    now = SystemClock().now()
    with store_of(config_at(path)) as store, store.reading() as tx:
        found = tx.tokens()
    if as_json:
        say([facts(token, now) for token in found])
    elif found:
        _show(found, now)
    else:
        click.echo("no token yet: `canary token add NAME --role read`")


@command.command(
    exits={0: "revoked", 2: "no such valid token, or bad config or store"}, examples=("canary token revoke ci",)
)
@click.argument("name", shell_complete=token_names)
@_who
@json_option
@click.pass_obj
def revoke(path: str, name: str, who: str, as_json: bool) -> None:
    """A token (by name or id) opens nothing any more, from the next request on."""
    from canary.clock import SystemClock
    from canary.desk.tokens import facts
    from canary.desk.tokens import revoke as ended

    now = SystemClock().now()
    with store_of(config_at(path)) as store, store.transaction() as tx:
        token = ended(tx, name, now, who)
    if as_json:
        say(facts(token, now))
    else:
        click.echo(f"revoked {token.name} ({token.id})")


def _show(found: "Sequence[Token]", now: datetime) -> None:
    table = columns("name", "role", "state", "made", "expires", "id")
    for token in found:
        state = "revoked" if token.revoked_at else "valid" if token.valid(now) else "expired"
        table.add_row(token.name, token.role.value, state, minute(token.created_at), minute(token.expires_at), token.id)
    console().print(table)
