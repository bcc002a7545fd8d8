"""The rounds: what was left untold is told when silences end, repeat intervals pass, routes change."""

import asyncio
import logging
from collections.abc import Callable

from canary.clock import Clock
from canary.errors import StoreUnavailable
from canary.pipeline.ledger import Ledger
from canary.pipeline.tell import is_due, make_rounds
from canary.store.base import Store

EVERY = 10.0  # seconds

_log = logging.getLogger(__name__)


async def go_round(store: Store, ledger: Ledger, region: str, clock: Clock, wake: Callable[[], None]) -> None:
    """Make the rounds for ever; `wake` is called when they left something owed."""
    while True:
        try:
            owed = await asyncio.to_thread(_round, store, ledger, region, clock)
        except StoreUnavailable as error:
            _log.warning("rounds_put_off", extra={"reason": str(error)})
        else:
            if owed:
                wake()
        await asyncio.sleep(EVERY)


def _round(store: Store, ledger: Ledger, region: str, clock: Clock) -> int:
    now, audience, watched = clock.now(), ledger.audience, ledger.watch.spots
    with store.reading() as tx:  # writers are exclusive: do not queue among them for nothing
        if not is_due(tx, now, region, audience, watched):
            return 0
    with store.transaction() as tx:
        return make_rounds(tx, now, region, audience, watched)
