"""`canary baseline propose`."""

from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, json_option, say, store_of
from canary.cli.complete import target_names
from canary.cli.word import Word
from canary.errors import NotFound

if TYPE_CHECKING:
    from canary.config import Config


@click.command(
    cls=Word,
    exits={0: "proposed", 2: "no external target, no golden score of it, or bad config or store"},
    examples=("canary baseline propose mid/edge/main", "canary baseline promote --target mid/edge/main"),
)
@click.argument("target", shell_complete=target_names)
@json_option
@click.pass_obj
def propose(path: str, target: str, as_json: bool) -> None:
    """Propose baselines of an external TARGET from the golden scores that were handed in since the last time.

    Hand in `canary score`'s lines with golden=true, and only while the target is known to be healthy.
    """
    from canary.clock import SystemClock
    from canary.daemon.assembly import scorers_of, signals_of
    from canary.pipeline import reported
    from canary.score import stratified

    config = config_at(path)
    _require_external(config, target)
    with store_of(config) as store, store.transaction() as tx:
        worst, now = stratified(scorers_of(config)), SystemClock().now()
        made = reported.propose(tx, target, config.region, signals_of(config), worst, now)
    if as_json:
        say([{"id": one.id, "group": one.series.group, "signal": one.series.signal, "n": one.n} for one in made])
    else:
        click.echo(f"{len(made)} baselines proposed; next: canary baseline promote --target {target}")


def _require_external(config: "Config", target: str) -> None:
    if not any(one.name == target and one.external for one in config.targets):
        raise NotFound(f"no external target {target} in the config: others are recorded by `canary baseline record`")
