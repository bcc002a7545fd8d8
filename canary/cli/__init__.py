"""The on-call words. Each command's module is imported only when it is called."""

import importlib
import io
import os
import sys
from typing import Any

import click
from typing_extensions import override

from canary import __version__
from canary.cli.word import Noun, leaves, refusal
from canary.errors import CanaryError

_COMMANDS = {
    "run": ("canary.cli.run", "Run the daemon."),
    "demo": ("canary.cli.demo", "Watch the canary find a fault in a simulated fleet."),
    "init": ("canary.cli.init", "Write a commented starter config."),
    "check": ("canary.cli.check", "Check a config and forecast its cost and power."),
    "config": ("canary.cli.config", "Show the effective config, or its JSON Schema."),
    "status": ("canary.cli.status", "The fleet at a glance."),
    "tail": ("canary.cli.tail", "Observations as they come in."),
    "probe": ("canary.cli.probe", "List, show and fire probes."),
    "baseline": ("canary.cli.baseline", "Record, list, show and promote golden baselines."),
    "replay": ("canary.cli.replay", "Fire probes at a target and judge them against its baseline."),
    "bisect": ("canary.cli.bisect", "Which pool, replica, context class, burst size or session carries a fault?"),
    "compare": ("canary.cli.compare", "Fire the same probes at two targets: is one worse than the other?"),
    "gate": ("canary.cli.gate", "Pass or fail a target, for CI and rollouts."),
    "incident": ("canary.cli.incident", "List, show, acknowledge and resolve incidents."),
    "silence": ("canary.cli.silence", "Silence incidents for a while, or freeze what is worked on."),
    "notify": ("canary.cli.notify", "See what receivers would be sent, and test them."),
    "change": ("canary.cli.change", "Record, import and list changes, the suspects of incidents."),
    "explain": ("canary.cli.explain", "Why an alarm or a verdict: the evidence, computed again and drawn."),
    "backtest": ("canary.cli.backtest", "What another config would have made of the stored past."),
    "export": ("canary.cli.export", "Write observations, scores, incidents, alarms or changes to a file."),
    "drill": ("canary.cli.drill", "Play a scenario in a simulated fleet, and judge what was found."),
    "prometheus": ("canary.cli.prometheus", "Write the alert rules for Prometheus."),
    "grafana": ("canary.cli.grafana", "Dashboards and alert rules for Grafana: as files, or pushed."),
    "score": ("canary.cli.score", "Score answers inside a serving boundary: numbers out, no text."),
    "token": ("canary.cli.token", "Make, list and revoke tokens of the HTTP API."),
    "audit": ("canary.cli.audit", "Who did what."),
    "db": ("canary.cli.db", "Upgrade the store, or show its version."),
    "lab": ("canary.cli.lab", "A simulated fleet with the faults of the postmortem."),
    "completion": ("canary.cli.completion", "Print the completion script of a shell."),
}


_PIPE_CLOSED = 141


class _Words(Noun):
    """Knows the commands by name and one line, and imports what is asked for."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command = importlib.import_module(module).command
        assert isinstance(command, click.Command)  # noqa: S101  our own table
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader has seen enough; no exit code that speaks of a fault
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(_PIPE_CLOSED) from None
        except (CanaryError, OSError, KeyboardInterrupt, click.Abort) as error:
            raise refusal(error) from error
        except ExceptionGroup as group:  # a task of several failed
            expected, others = group.split((CanaryError, OSError))
            if expected is None or others is not None:
                raise
            raise refusal(next(leaves(expected))) from group


@click.group(cls=_Words, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="canary")
@click.option(
    "-c",
    "--config",
    "config_path",
    envvar="CANARY_CONFIG",
    default="canary.yaml",
    show_default=True,
    type=click.Path(),
    help="The config file (or CANARY_CONFIG).",
)
@click.option("--color/--no-color", default=None, help="Colour, or plain output. Default: colour on a terminal.")
@click.pass_context
def words(ctx: click.Context, config_path: str, color: bool | None) -> None:
    """A continuous production quality canary for LLM serving fleets.

    Exit codes: 0 fine or pass, 1 fail (a fault was shown), 2 inconclusive, bad input or error, 130 stopped by Ctrl-C.
    Each command's own --help tells them exactly.

    New here? `canary demo` shows it at work; `canary init FOLDER` starts a config of your own.
    """
    ctx.color = color
    ctx.obj = config_path


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter is no error
    words(prog_name="canary")
