"""`canary probe`."""

from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, config_at, console, json_option, panel, printable, run_async, say
from canary.cli.complete import probe_ids, target_names
from canary.cli.probe_calibrate import calibrate
from canary.cli.probe_lint import lint
from canary.cli.probe_list import list_
from canary.cli.word import Noun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console
    from rich.table import Table

    from canary.config import Config
    from canary.records import Observation, Probe, Response, Score, Signal, Unscored

_HEAD, _TAIL = 1_500, 500  # characters shown of a long message: its question stands at its end


@click.group(cls=Noun)
def command() -> None:
    """List, show and fire probes."""


for _word in (list_, lint, calibrate):
    command.add_command(_word)


@command.command(
    exits={0: "shown", 2: "no such probe, or bad config"},
    examples=("canary probe show prose-glass", "canary probe show context-8k-end --whole"),
)
@click.argument("probe_id", shell_complete=probe_ids)
@click.option("--whole", is_flag=True, help="Long messages too, to their end; with --json they always are.")
@json_option
@click.pass_obj
def show(path: str, probe_id: str, whole: bool, as_json: bool) -> None:
    """One probe: its prompt, its expectations, and why it exists."""
    from rich.markup import escape

    probe = probe_of(config_at(path), probe_id)
    if as_json:
        say({**_facts(probe), "messages": [{"role": m.role, "content": m.content} for m in probe.messages]})
        return
    out = console()
    out.print(f"[bold]{probe.id}[/] family {probe.family}, digest {probe.digest}")
    out.print(escape(printable(probe.why)))
    out.print(escape(_expectations(probe)))
    for message in probe.messages:
        text = printable(message.content)
        out.print(panel(text if whole else _cut(text), message.role))


@command.command(
    exits={0: "an answer came", 1: "the target failed to give one", 2: "no such probe or target, or bad config"},
    examples=("canary probe fire prose-glass --target mid/api/short",),
)
@click.argument("probe_id", shell_complete=probe_ids)
@click.option("--target", "target_name", required=True, help="MODEL/PLATFORM/POOL", shell_complete=target_names)
@json_option
@click.pass_obj
def fire(path: str, probe_id: str, target_name: str, as_json: bool) -> None:
    """Fire a probe once, off the books, and show the answer with its scores."""
    from canary.daemon.assembly import signals_of

    config = config_at(path)
    observation, scores = run_async(_fire(config, probe_of(config, probe_id), target_name))
    if as_json:
        from canary.desk.evidence import outcome

        say(outcome(observation, scores))
    else:
        show_outcome(observation, scores, signals_of(config))
    if observation.failure is not None:
        raise SystemExit(1)


def probe_of(config: "Config", probe_id: str) -> "Probe":
    """Raises: NotFound."""
    for probe in config.probes:
        if probe.id == probe_id:
            return probe
    raise _no("probe", probe_id, [probe.id for probe in config.probes])


def probes_of(probes: "tuple[Probe, ...]", family: str) -> "tuple[Probe, ...]":
    """Raises: NotFound."""
    found = tuple(probe for probe in probes if probe.family == family)
    if not found:
        raise _no("family", family, sorted({probe.family for probe in probes}))
    return found


def show_outcome(
    observation: "Observation",
    scores: "tuple[Score | Unscored, ...]",
    signals: "Mapping[str, Signal] | None" = None,
) -> None:
    """What came back, for a person; `signals` are those of the config where it has scorers of its own."""
    from rich.markup import escape

    out = console()
    if observation.failure is not None:
        out.print(f"[red]{observation.failure.kind.value}[/]: {escape(observation.failure.detail)}")
    if observation.response is not None:
        seconds = observation.duration.total_seconds()
        title = f"{observation.response.completion_tokens or '?'} tokens in {seconds:.2f} s"
        if observation.replica:
            title += f" from {escape(printable(observation.replica))}"
        _show_answer(out, observation.response, title)
    out.print(_scores(scores, signals))


def _show_answer(out: "Console", response: "Response", title: str) -> None:
    """The text, and each call of a tool; a model that calls one mostly says nothing."""
    from rich.markup import escape

    if response.text or not response.tool_calls:
        out.print(panel(printable(response.text), title))
    for name, arguments in response.tool_calls:
        called = f"calls {escape(printable(name))}"
        out.print(panel(printable(arguments), called if response.text else f"{called}, {title}"))


def _scores(scores: "tuple[Score | Unscored, ...]", signals: "Mapping[str, Signal] | None") -> "Table":
    from rich.markup import escape

    from canary.records import Unscored
    from canary.score import SIGNALS

    table = columns("signal", "value", "unit", "per", "note")
    for score in scores:
        signal = (signals or SIGNALS)[score.signal]
        if isinstance(score, Unscored):
            table.add_row(score.signal, "unscored", "", "", score.reason.value)
        else:
            exposure = f"{score.exposure:g} {signal.exposure_unit}"
            table.add_row(score.signal, f"{score.value:.4g}", signal.unit, exposure, escape(score.note))
    return table


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


def _no(kind: str, name: str, known: list[str]) -> Exception:
    from difflib import get_close_matches

    from canary.errors import NotFound

    near = get_close_matches(name, known, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else "; see `canary probe list`"
    return NotFound(f'no {kind} "{name}"{hint}')


def _cut(text: str) -> str:
    """A long text without its middle."""
    left = len(text) - _HEAD - _TAIL
    if left <= 0:
        return text
    return f"{text[:_HEAD]}\n\n… {left:,} more characters (--whole to print all) …\n\n{text[-_TAIL:]}"


def _expectations(probe: "Probe") -> str:
    """What the answer should be like."""
    facts = {
        "language": probe.language,
        "scripts": " ".join(probe.scripts),
        "code": probe.code_language,
        "tokens": f"{probe.min_tokens} to {probe.sampling.max_tokens}",
    }
    told = ", ".join(f"{name} {fact}" for name, fact in facts.items() if fact)
    return f"expects {told}; scored by {' '.join(probe.scorers)}"


def _facts(probe: "Probe") -> dict[str, object]:
    return {
        "id": probe.id,
        "family": probe.family,
        "digest": probe.digest,
        "scorers": probe.scorers,
        "min_tokens": probe.min_tokens,
        "max_tokens": probe.sampling.max_tokens,
        "temperature": probe.sampling.temperature,
        "logprobs": probe.sampling.logprobs,
        "prompt_logprobs": probe.sampling.prompt_logprobs,
        "salts": len(probe.salts),
        "language": probe.language,
        "code_language": probe.code_language,
        "why": probe.why,
    }
