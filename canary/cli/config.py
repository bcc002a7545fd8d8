"""`canary config`."""

import click

from canary.cli.common import config_at, say


@click.group()
def command() -> None:
    """Show the effective config, or its JSON Schema."""


@command.command()
@click.pass_obj
def show(path: str) -> None:
    """The config with its defaults, as JSON (which is YAML too); secrets are `***`."""
    from canary.config import effective

    say(effective(config_at(path)))


@command.command()
@click.option("--probe", is_flag=True, help="The schema of probe files instead.")
def schema(probe: bool) -> None:
    r"""The JSON Schema, for editors.

    \b
    Example, with the YAML language server:
      canary config schema > canary.schema.json
      # yaml-language-server: $schema=canary.schema.json
    """
    from canary.config import json_schema, probe_schema

    say(probe_schema() if probe else json_schema())
