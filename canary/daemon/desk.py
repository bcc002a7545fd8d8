"""The daemon's side of the HTTP API: what it stands on, and how it ends."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from canary.clock import Clock
from canary.config import Config
from canary.daemon import assembly
from canary.daemon.board import Board
from canary.daemon.gates import ProcessGates
from canary.daemon.intake import LedgerIntake
from canary.daemon.survey import facts, survey
from canary.pipeline.ledger import Committed, Ledger
from canary.records import Act, AuditEntry, Incident
from canary.store.base import Store
from canary.web.api.kit import Api


class FrontDesk:
    """`config` says which one is in use; `told` and `decided` take note of what came of a request."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        clock: Clock,
        store: Store,
        board: Board,
        ledger: Ledger,
        config: Callable[[], Config],
        told: Callable[[Committed], None],
        decided: Callable[[Iterable[Incident]], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._path = path
        self._gates = ProcessGates(path, environ, clock)
        self.api = Api(
            store,
            clock,
            board,
            lambda: assembly.ground_of(config(), ledger.watch),
            decided,
            assembly.access_of(config()),
            self._gates,
            LedgerIntake(ledger, clock, config, told),
            lambda reach: facts(survey(config(), store, ledger.watch, clock.now(), trends=True), reaching=reach),
        )

    def note_reload(self, config: Config) -> None:
        """Write down that another config is in use. Raises: StoreUnavailable."""
        entry = AuditEntry(self._clock.now(), "daemon", Act.RELOAD, str(self._path), config.digest)
        with self._store.transaction() as tx:
            tx.note(entry)

    async def stop(self) -> None:
        """No request is under way any more: end gates and threads."""
        await self._gates.stop()
        self.api.close()
