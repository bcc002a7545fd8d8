"""`canary probe list`."""

from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, console, json_option, say
from canary.cli.complete import families
from canary.cli.word import Word

if TYPE_CHECKING:
    from canary.config import Config
    from canary.records import Probe

_MILLION = 1_000_000

Prices = tuple[float, float] | None


@click.command(
    "list",
    cls=Word,
    exits={0: "listed", 2: "no such family or suite, or bad config"},
    examples=("canary probe list --family prose", "canary probe list --suite main --prices 3 15"),
)
@click.option("--family", help="Only this family (probe group).", shell_complete=families)
@click.option("--suite", help="Only what this suite of the config fires.")
@click.option("--prices", nargs=2, type=float, metavar="PROMPT ANSWER", help="Price of a million tokens of each.")
@json_option
@click.pass_obj
def list_(path: str, family: str | None, suite: str | None, prices: Prices, as_json: bool) -> None:
    """Every probe of the config (built-in and your own), with what it costs.

    Tokens are an upper bound: the prompt as estimated, the answer as long as the probe allows. A round is each probe
    once, or in one burst, at each target that a suite of the config fires it at.
    """
    from canary.cli.probe import probes_of

    config = config_at(path)
    runs = _runs_per_round(config, suite)
    known = config.probes if family is None else probes_of(config.probes, family)
    probes = [probe for probe in known if suite is None or probe.id in runs]
    rows = [_facts(probe, runs.get(probe.id, 0), prices) for probe in probes]
    if as_json:
        say(rows)
    else:
        _show(rows, prices)


def _runs_per_round(config: "Config", suite: str | None) -> dict[str, int]:
    from collections import Counter

    runs: Counter[str] = Counter()
    for one in config.assignments():
        if suite in {None, one.suite}:
            runs.update({probe.id: one.burst for probe in one.probes})
    return dict(runs)


def _facts(probe: "Probe", runs: int, prices: Prices) -> dict[str, object]:
    from canary.config import cost

    tokens = cost(probe)
    facts: dict[str, object] = {
        "id": probe.id,
        "family": probe.family,
        "digest": probe.digest,
        "scorers": probe.scorers,
        "temperature": probe.sampling.temperature,
        "logprobs": probe.sampling.logprobs,
        "salts": len(probe.salts),
        "language": probe.language,
        "code_language": probe.code_language,
        "why": probe.why,
        "prompt_tokens": tokens.prompt,
        "max_tokens": tokens.answer,
        "runs_per_round": runs,
        "tokens_per_round": runs * tokens.total,
    }
    if prices is not None:
        facts["cost_per_round"] = runs * (tokens.prompt * prices[0] + tokens.answer * prices[1]) / _MILLION
    return facts


def _show(rows: list[dict[str, object]], prices: Prices) -> None:
    from rich.table import Table

    counts = ["prompt_tokens", "max_tokens", "salts", "runs_per_round", "tokens_per_round"]
    table = Table("probe", "family", "scorers")
    for head in ("prompt", "answer", "salts", "runs a round", "tokens a round", *(["cost a round"] if prices else [])):
        table.add_column(head, justify="right")
    for row in rows:
        cells = [f"{row[name]:,}" for name in counts] + ([f"{row['cost_per_round']:,.4f}"] if prices else [])
        table.add_row(str(row["id"]), str(row["family"]), " ".join(_names(row)), *cells)
    out = console()
    out.print(table)
    runs, tokens = (sum(int(str(row[name])) for row in rows) for name in counts[3:])
    money = f", {sum(float(str(row['cost_per_round'])) for row in rows):,.4f} at these prices" if prices else ""
    out.print(f"{len(rows)} probes; one round is {runs:,} runs and at most {tokens:,} tokens{money}")


def _names(row: dict[str, object]) -> list[str]:
    scorers = row["scorers"]
    return [str(name) for name in scorers] if isinstance(scorers, tuple) else []
