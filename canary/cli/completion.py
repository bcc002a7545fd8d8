"""`canary completion`."""

import click

from canary.cli.word import Word


@click.command(
    cls=Word,
    exits={0: "done", 2: "an unknown shell"},
    examples=(
        'eval "$(canary completion bash)"',
        "canary completion fish > ~/.config/fish/completions/canary.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands, options, and the names of your targets, probes, incidents and baselines.
    """
    from click.shell_completion import get_completion_class

    maker = get_completion_class(shell)
    root = ctx.find_root().command
    assert maker is not None  # noqa: S101  the choices are click's own
    click.echo(maker(root, {}, "canary", "_CANARY_COMPLETE").source())
