"""`canary baseline diff`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, config_at, console, json_option, say, store_of
from canary.cli.complete import baseline_ids
from canary.cli.word import Word
from canary.errors import BaselineError, NotFound

if TYPE_CHECKING:
    from canary.baseline import Difference
    from canary.config import Config
    from canary.records import Baseline
    from canary.store.base import Store


@click.command(
    cls=Word,
    exits={0: "no difference that is not chance", 1: "they differ", 2: "no such baseline, or bad config or store"},
    examples=("canary baseline diff 3f2a9c1e 77b0d2aa",),
)
@click.argument("before", shell_complete=baseline_ids)
@click.argument("after", shell_complete=baseline_ids)
@json_option
@click.pass_obj
def diff(path: str, before: str, after: str, as_json: bool) -> None:
    """What the recording of AFTER shows beside that of BEFORE, judged by the references and thresholds of BEFORE.

    Both are ids of baselines, or beginnings of ids, of one target; all series of their two epochs are compared, on the
    probes that both know. "Standardised" distances are divided by the scales that BEFORE has for its probes.
    """
    from canary.baseline import striking

    config = config_at(path)
    with store_of(config) as store:
        found = _differences(config, store, known(store, before), known(store, after))
    strange = striking(found)
    if as_json:
        say([_facts(one, differs=one in strange) for one in found])
    else:
        _show(found, strange)
    if strange:
        raise SystemExit(1)


def known(store: "Store", baseline_id: str) -> "Baseline":
    """By its id, or the beginning of it. Raises: NotFound."""
    with store.reading() as tx:
        found = [one for one in tx.baselines() if one.id.startswith(baseline_id)]
    if len(found) != 1:
        count = f"{len(found)} baselines begin" if found else "no baseline begins"
        raise NotFound(f'{count} with "{baseline_id}": see `canary baseline list`')
    return found[0]


def _differences(config: "Config", store: "Store", before: "Baseline", after: "Baseline") -> "tuple[Difference, ...]":
    from canary.daemon.assembly import scorers_of
    from canary.pipeline.drift import differences

    places = {(one.series.target, one.series.region) for one in (before, after)}
    if len(places) > 1:
        raise BaselineError(f"{before.id[:8]} is of {before.series.target}, {after.id[:8]} of {after.series.target}")
    with store.reading() as tx:
        than = [one for one in tx.baselines(target=before.series.target, epoch=before.epoch) if _at(one) == _at(before)]
        recordings = [r for r in tx.recordings(after.series.target) if (r.epoch, r.region) == (after.epoch, _at(after))]
    if not recordings:
        raise BaselineError(f"the recording of {after.id[:8]} is not in the store")
    probes = {probe.digest: probe for probe in config.probes}
    return differences(store, than, recordings[0], probes, scorers_of(config))


def _at(one: "Baseline") -> str:
    return one.series.region


def _show(found: "Sequence[Difference]", strange: "Sequence[Difference]") -> None:
    from canary.cli.sights import share
    from canary.pipeline.guard import beyond

    if not found:
        console().print("they have no probe and signal in common")
        return
    table = columns("group", "signal", "answers", "before", "now", "p", "differs")
    for one in sorted(found, key=lambda one: one.p):
        answers = f"{one.n_before:,}, {one.n_now:,}"
        cut = beyond(one)
        rates = (f"{share(one.before)} {cut}".strip(), f"{share(one.now)} {cut}".strip())
        table.add_row(one.series.group, one.series.signal, answers, *rates, f"{one.p:.2g}", "yes" * (one in strange))
    console().print(table)


def _facts(one: "Difference", *, differs: bool) -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(one), "differs": differs}
