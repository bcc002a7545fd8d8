"""`canary config`."""

import click

from canary.cli.common import config_at, say
from canary.cli.word import Noun


@click.group(cls=Noun)
def command() -> None:
    """Show the effective config, or its JSON Schema."""


@command.command(
    exits={0: "shown", 2: "the config is not good"},
    examples=("canary config show", "canary config show > effective.yaml"),
)
@click.option("--json", is_flag=True, expose_value=False, help="It is JSON anyway.")
@click.pass_obj
def show(path: str) -> None:
    """The config with its defaults, as JSON (which is YAML too); secrets are `***`."""
    from canary.config import effective

    say(effective(config_at(path)))


@command.command(
    exits={0: "printed"},
    examples=(
        "canary config schema > canary.schema.json",
        "# then, as the first line of the config, for the YAML language server:",
        "# yaml-language-server: $schema=canary.schema.json",
    ),
)
@click.option("--probe", is_flag=True, help="The schema of probe files instead.")
@click.option("--json", is_flag=True, expose_value=False, help="It is JSON anyway.")
def schema(probe: bool) -> None:
    """The JSON Schema, for completion and checks in editors."""
    from canary.config import json_schema, probe_schema

    say(probe_schema() if probe else json_schema())
