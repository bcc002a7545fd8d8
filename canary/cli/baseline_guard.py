"""What speaks against golden data, said before it is recorded or promoted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from canary.errors import BaselineError

if TYPE_CHECKING:
    from canary.config import Config
    from canary.pipeline.guard import Objection
    from canary.records import Recording, Target
    from canary.store.base import Store

accept_option = click.option(
    "--accept-drift",
    is_flag=True,
    help="Though something speaks against it: an incident, a change, or golden answers that differ.",
)


def require_quiet(config: "Config", store: "Store", targets: "Sequence[Target]", version: str, *, accept: bool) -> None:
    """Raises: BaselineError where an incident or a change speaks against recording now."""
    from canary.clock import SystemClock
    from canary.pipeline.guard import against_recording

    now = SystemClock().now()
    with store.reading() as tx:
        found = [one for target in targets for one in against_recording(tx, target.name, config.region, now, version)]
    _heed(found, accept=accept)


def require_same(config: "Config", store: "Store", epochs: Mapping[str, int], *, accept: bool) -> None:
    """Raises: BaselineError where something speaks against promoting these epochs of these targets."""
    from canary.daemon.assembly import scorers_of
    from canary.pipeline.guard import against_promoting

    probes, scorers = {probe.digest: probe for probe in config.probes}, scorers_of(config)
    recordings = [_recording(store, target, config.region, epoch) for target, epoch in epochs.items()]
    found = (against_promoting(store, one, probes, scorers) for one in recordings if one is not None)
    _heed([objection for each in found for objection in each], accept=accept)


def _recording(store: "Store", target: str, region: str, epoch: int) -> "Recording | None":
    with store.reading() as tx:
        return next((one for one in tx.recordings(target) if (one.region, one.epoch) == (region, epoch)), None)


def _heed(found: "Iterable[Objection]", *, accept: bool) -> None:
    objections = list(found)
    if not objections:
        return
    lines = [line for one in objections for line in (f"{one.target}: {one.reason}", f"  {one.remedy}")]
    if not accept:
        raise BaselineError("\n".join([*lines, "stopped here; --accept-drift goes on nevertheless"]))
    click.echo("\n".join(f"accepted: {one.target}: {one.reason}" for one in objections), err=True)
