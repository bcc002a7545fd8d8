"""`canary db`."""

import click

from canary.cli.common import config_at


@click.group()
def command() -> None:
    """Upgrade the store, or show its version."""


@command.command()
@click.pass_obj
def upgrade(path: str) -> None:
    """Bring the tables of the config's store to this release. Stop the daemons first."""
    from canary.daemon.assembly import store_url
    from canary.store.sql import schema

    url = store_url(config_at(path))
    before = schema.current(url)
    schema.upgrade(url)
    click.echo(f"{before or 'empty'} -> {schema.current(url)}")


@command.command()
@click.pass_obj
def current(path: str) -> None:
    """The version of the store's tables, and the one that this release wants."""
    from canary.daemon.assembly import store_url
    from canary.store.sql import schema
    from canary.store.sql.tables import HEAD

    click.echo(f"{schema.current(store_url(config_at(path))) or 'empty'} (this release: {HEAD})")
