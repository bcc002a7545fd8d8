"""`canary db`."""

import click

from canary.cli.common import config_at, json_option, say
from canary.cli.word import Noun


@click.group(cls=Noun)
def command() -> None:
    """Upgrade the store, or show its version."""


@command.command(exits={0: "the tables are those of this release", 2: "they are not"}, examples=("canary db upgrade",))
@json_option
@click.pass_obj
def upgrade(path: str, as_json: bool) -> None:
    """Bring the tables of the config's store to this release. Stop the daemons first."""
    from canary.daemon.assembly import store_url
    from canary.store.sql import schema

    url = store_url(config_at(path))
    before = schema.current(url)
    schema.upgrade(url)
    after = schema.current(url)
    if as_json:
        say({"before": before, "after": after})
    else:
        click.echo(f"{before or 'empty'} -> {after}")


@command.command(
    exits={0: "the tables are those of this release", 1: "they are not: `canary db upgrade`", 2: "no store answers"},
    examples=("canary db current --json",),
)
@json_option
@click.pass_obj
def current(path: str, as_json: bool) -> None:
    """The version of the store's tables, and the one that this release wants."""
    from canary.daemon.assembly import store_url
    from canary.store.sql import schema
    from canary.store.sql.tables import HEAD

    found = schema.current(store_url(config_at(path)))
    if as_json:
        say({"current": found, "wanted": HEAD})
    else:
        click.echo(f"{found or 'empty'} (this release: {HEAD})")
    if found != HEAD:
        raise SystemExit(1)
