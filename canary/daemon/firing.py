"""What becomes of a slot: it is fired, within what its target may cost, and handed to the writer; or it is missed."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from canary.clock import Clock
from canary.daemon.purse import Purse
from canary.metrics import Metrics
from canary.pipeline.ledger import Fired
from canary.pipeline.writer import Writer
from canary.probe.client import ProbeClient
from canary.records import Run
from canary.schedule.scheduler import MissReason

log = logging.getLogger(__name__)

_UNPAID = "token_budget"


class Firing:
    """Lives in the event loop. `pays` says whether an extra volley is paid for."""

    def __init__(
        self,
        client: ProbeClient,
        purse: Purse,
        writer: Writer[Fired],
        metrics: Metrics,
        clock: Clock,
        pays: Callable[[Sequence[Run]], bool],
    ) -> None:
        self._client, self._purse, self._writer, self._metrics, self._clock = client, purse, writer, metrics, clock
        self._pays = pays
        self._misses: Counter[tuple[str, str]] = Counter()
        for reason in (*(one.value for one in MissReason), _UNPAID):
            metrics.missed(reason, 0)  # a counter that appears with its first miss hides it from `rate`

    async def fire(self, volley: Sequence[Run]) -> None:
        """A burst is fired as a whole or not at all, and kept as a whole: cut short, it is as if it had not been."""
        first = volley[0]
        if not self._purse.allows(first.target, self._clock.now()):
            for run in volley:
                self._miss(run, _UNPAID)
            return
        observations = await self._client.fire_at_once(volley)
        for observation in observations:
            self._purse.spent(observation)
        await self._writer.put(Fired(first.probe, observations))

    async def fire_extra(self, volley: Sequence[Run]) -> None:
        if self._pays(volley):
            self._metrics.extra()
            await self.fire(volley)

    def missed(self, run: Run, reason: MissReason) -> None:
        self._miss(run, reason.value)

    def late(self, _run: Run, lateness: timedelta) -> None:
        self._metrics.late(lateness)

    def tell_missed(self) -> None:
        """Log what was missed since it was told last."""
        for (target, reason), slots in self._misses.items():
            log.warning("slots_missed", extra={"target": target, "reason": reason, "slots": slots})
        self._misses.clear()

    def _miss(self, run: Run, reason: str) -> None:
        self._metrics.missed(reason)
        self._misses[run.target.name, reason] += 1
