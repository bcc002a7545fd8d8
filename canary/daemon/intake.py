"""Takes what is handed in over HTTP: it is kept, fed to detectors and written down in one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from canary.clock import Clock
from canary.config import Config
from canary.daemon.assembly import feedback_of
from canary.errors import NotFound
from canary.pipeline import feedback
from canary.pipeline.advance import Judged
from canary.pipeline.feedback import Terms, Window
from canary.pipeline.ledger import Committed, Ledger
from canary.records import Act, AuditEntry, SeriesKey
from canary.store.base import Transaction
from canary.web.intake import Taken


class LedgerIntake:
    """Lives in the event loop; `told` takes note of what was committed."""

    def __init__(
        self, ledger: Ledger, clock: Clock, config: Callable[[], Config], told: Callable[[Committed], None]
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._config = config
        self._told = told

    async def windows(self, windows: Sequence[Window], who: str) -> Taken:
        config, now = self._config(), self._clock.now()
        terms = feedback_of(config)
        if terms is None:
            raise NotFound("no feedback is taken: add feedback to the config")
        _require(windows, {target.name for target in config.targets}, terms)
        judged = [feedback.judged(window, config.region) for window in sorted(windows, key=_at)]
        entry = AuditEntry(
            now, who, Act.FEEDBACK, ", ".join(sorted({one.target for one in windows})[:5]), _count(windows)
        )
        keys = {
            SeriesKey(one.observation.target, config.region, one.observation.group, feedback.NAME) for one in judged
        }

        def also(tx: Transaction) -> None:
            tx.note(entry)
            feedback.learn(tx, terms, sorted(keys), now)

        return await self._keep(judged, also)

    async def _keep(self, judged: Sequence[Judged], also: Callable[[Transaction], None]) -> Taken:
        committed = await asyncio.to_thread(self._ledger.hand_in, judged, also)
        self._told(committed)
        new = len(committed.step.fresh)
        return Taken(new, len(judged) - new)


def _require(windows: Sequence[Window], targets: set[str], terms: Terms) -> None:
    for one in windows:
        if one.target not in targets:
            raise NotFound(f"no target {one.target} in the config")
        if one.kind not in terms.classes:
            raise NotFound(f"no class {one.kind}: the config's feedback has {', '.join(terms.classes)}")


def _at(window: Window) -> datetime:
    return window.at


def _count(windows: Sequence[Window]) -> str:
    return f"{len(windows)} windows" if len(windows) > 1 else "1 window"
