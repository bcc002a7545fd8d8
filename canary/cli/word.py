"""What every word is made of: help that ends with exit codes and examples, and errors that fit on a line."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import IO, Any

import click
from typing_extensions import override

from canary.cli.common import printable
from canary.errors import CanaryError

_EXITS = {0: "done", 2: "bad input or an error"}


class Word(click.Command):
    """A command whose help tells its exit codes and shows examples."""

    def __init__(
        self, *args: Any, exits: Mapping[int, str] = _EXITS, examples: Sequence[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.exits = exits
        self.examples = examples

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name != "--url":
                raise
            raise click.UsageError(
                "this works with the config and the store of its machine, and fires from there where it fires:"
                " run it beside the daemon, without --url",
                ctx,
            ) from None

    @override
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in self.exits.items()])
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{' ' * formatter.current_indent}{line}\n")


class Noun(click.Group):
    """A group of words, which knows what a slip of the finger meant."""

    command_class = Word

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            near = get_close_matches(args[0], known, n=1)
            ctx.fail(f'no command "{args[0]}"; ' + (f'did you mean "{near[0]}"?' if near else f"try {_listed(known)}"))
        return super().resolve_command(ctx, args)


class Refused(click.ClickException):
    """An expected error: a line for each problem on standard error, and no traceback."""

    exit_code = 2

    @override
    def show(self, file: IO[Any] | None = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"canary: {printable(line)}", file=file, err=True)


class Stopped(Refused):
    """Somebody pressed Ctrl-C: neither a pass nor a fail."""

    exit_code = 130


def refusal(error: CanaryError | OSError | KeyboardInterrupt | click.Abort) -> Refused:
    """What a person is told of it."""
    match error:
        case CanaryError():
            return Refused(str(error))
        case OSError():
            return Refused(": ".join(filter(None, (error.filename, error.strerror or str(error)))))
        case _:
            return Stopped("stopped")


def leaves(group: ExceptionGroup[Any]) -> Iterator[CanaryError | OSError]:
    """The errors inside groups of groups."""
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from leaves(error)
        else:
            yield error


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
