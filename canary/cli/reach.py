"""One probe to each target, off the books: does anybody answer?"""

import asyncio
from typing import TYPE_CHECKING

from canary.errors import CanaryError

if TYPE_CHECKING:
    from canary.config import Config
    from canary.probe.client import ProbeClient
    from canary.records import Observation, Target


async def reach(client: "ProbeClient", config: "Config", targets: "tuple[Target, ...]") -> "tuple[Observation, ...]":
    """What each target that is probed answers to its cheapest probe."""
    from canary.clock import SystemClock
    from canary.daemon.assembly import probes_on
    from canary.records import Purpose, Run

    now = SystemClock().now()
    runs = []
    for target in targets:
        probes = [probe for group in probes_on(config, target).values() for probe in group]
        if probes and not target.external:
            cheapest = min(probes, key=lambda probe: (probe.sampling.max_tokens, probe.id))
            runs.append(Run(cheapest, target, config.region, now, purpose=Purpose.REPLAY))
    return tuple(await asyncio.gather(*(client.fire(run) for run in runs)))


def require_answers(observations: "tuple[Observation, ...]") -> None:
    """Raises: CanaryError, with a line for each target that gave no answer."""
    silent = [f"{seen.target}: {seen.failure.kind}: {seen.failure.detail}" for seen in observations if seen.failure]
    if silent:
        raise CanaryError("\n".join(silent))
