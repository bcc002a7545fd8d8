"""`canary completion`."""

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    r"""Print the completion script of a shell.

    \b
    Examples:
      eval "$(canary completion bash)"
      canary completion fish > ~/.config/fish/completions/canary.fish
    """
    from click.shell_completion import get_completion_class

    maker = get_completion_class(shell)
    root = ctx.find_root().command
    assert maker is not None  # noqa: S101  the choices are click's own
    click.echo(maker(root, {}, "canary", "_CANARY_COMPLETE").source())
