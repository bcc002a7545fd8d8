"""`canary probe`."""

from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, console, json_option, run_async, say
from canary.cli.probe_calibrate import calibrate
from canary.cli.probe_lint import lint
from canary.cli.probe_list import list_

if TYPE_CHECKING:
    from canary.config import Config
    from canary.records import Observation, Probe, Score, Unscored


@click.group()
def command() -> None:
    """List, show and fire probes."""


for _word in (list_, lint, calibrate):
    command.add_command(_word)


@command.command()
@click.argument("probe_id")
@json_option
@click.pass_obj
def show(path: str, probe_id: str, as_json: bool) -> None:
    """One probe: its prompt, its expectations, and why it exists."""
    from rich.panel import Panel

    probe = probe_of(config_at(path), probe_id)
    if as_json:
        say({**_facts(probe), "messages": [{"role": m.role, "content": m.content} for m in probe.messages]})
        return
    out = console()
    out.print(f"[bold]{probe.id}[/] family {probe.family}, digest {probe.digest}")
    out.print(probe.why)
    for message in probe.messages:
        out.print(Panel(message.content, title=message.role, title_align="left"))


@command.command()
@click.argument("probe_id")
@click.option("--target", "target_name", required=True, help="MODEL/PLATFORM/POOL")
@json_option
@click.pass_obj
def fire(path: str, probe_id: str, target_name: str, as_json: bool) -> None:
    """Fire a probe once, off the books, and show the answer with its scores.

    Exit codes: 0 an answer came, 1 it failed.
    """
    config = config_at(path)
    observation, scores = run_async(_fire(config, probe_of(config, probe_id), target_name))
    if as_json:
        say(_outcome(observation, scores))
    else:
        _show_outcome(observation, scores)
    if observation.failure is not None:
        raise SystemExit(1)


async def _fire(
    config: "Config", probe: "Probe", target_name: str
) -> "tuple[Observation, tuple[Score | Unscored, ...]]":
    from canary.clock import SystemClock
    from canary.daemon.assembly import scorers_of, target_of
    from canary.http import HttpClient
    from canary.probe.client import ProbeClient
    from canary.records import Purpose, Run
    from canary.score import score

    clock, http = SystemClock(), HttpClient()
    run = Run(probe, target_of(config, target_name), config.region, clock.now(), purpose=Purpose.REPLAY)
    try:
        observation = await ProbeClient(http, clock).fire(run)
    finally:
        await http.aclose()
    return observation, score(probe, observation, None, scorers_of(config))


def probe_of(config: "Config", probe_id: str) -> "Probe":
    """Raises: NotFound."""
    from difflib import get_close_matches

    from canary.errors import NotFound

    for probe in config.probes:
        if probe.id == probe_id:
            return probe
    near = get_close_matches(probe_id, [probe.id for probe in config.probes], n=1)
    hint = f'; did you mean "{near[0]}"?' if near else "; see `canary probe list`"
    raise NotFound(f'no probe "{probe_id}"{hint}')


def _facts(probe: "Probe") -> dict[str, object]:
    return {
        "id": probe.id,
        "family": probe.family,
        "digest": probe.digest,
        "scorers": probe.scorers,
        "max_tokens": probe.sampling.max_tokens,
        "temperature": probe.sampling.temperature,
        "logprobs": probe.sampling.logprobs,
        "salts": len(probe.salts),
        "language": probe.language,
        "code_language": probe.code_language,
        "why": probe.why,
    }


def _outcome(observation: "Observation", scores: "tuple[Score | Unscored, ...]") -> dict[str, object]:
    from dataclasses import asdict

    response, failure = observation.response, observation.failure
    return {
        "slot_id": observation.slot_id,
        "duration_seconds": observation.duration.total_seconds(),
        "replica": observation.replica,
        "failure": None if failure is None else {"kind": failure.kind.value, "detail": failure.detail},
        "answer": None if response is None else response.text,
        "finish": None if response is None else response.finish.value,
        "completion_tokens": None if response is None else response.completion_tokens,
        "logprobs": response is not None and response.logprobs is not None,
        "scores": [asdict(score) for score in scores],
    }


def _show_outcome(observation: "Observation", scores: "tuple[Score | Unscored, ...]") -> None:
    from rich.markup import escape
    from rich.panel import Panel
    from rich.table import Table

    from canary.records import Unscored

    out = console()
    if observation.failure is not None:
        out.print(f"[red]{observation.failure.kind.value}[/]: {observation.failure.detail}")
    if observation.response is not None:
        seconds = observation.duration.total_seconds()
        title = f"{observation.response.completion_tokens or '?'} tokens in {seconds:.2f} s"
        out.print(Panel(escape(observation.response.text), title=title, title_align="left"))
    table = Table("signal", "value", "exposure", "note")
    for score in scores:
        if isinstance(score, Unscored):
            table.add_row(score.signal, "unscored", "", score.reason.value)
        else:
            table.add_row(score.signal, f"{score.value:.4g}", f"{score.exposure:g}", escape(score.note))
    out.print(table)
