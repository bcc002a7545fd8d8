"""Where the time of the pipeline goes: CPU of the writer's thread by stage, and how late the event loop is."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from typing_extensions import override

from canary.pipeline.advance import Judged
from canary.pipeline.ledger import Committed, Fired, Ledger
from canary.pipeline.watch import Watch
from canary.store import Store
from canary.store.base import Transaction

P = ParamSpec("P")
T = TypeVar("T")


class Stopwatch:
    """CPU seconds of the calling thread."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        began = time.thread_time()
        try:
            yield
        finally:
            self.seconds += time.thread_time() - began

    def timed(self, work: Callable[P, T]) -> Callable[P, T]:
        @wraps(work)
        def inner(*args: P.args, **kwargs: P.kwargs) -> T:
            with self.running():
                return work(*args, **kwargs)

        return inner


class MeteredStore:
    """A store that knows how long it took."""

    def __init__(self, store: Store) -> None:
        self.watch = Stopwatch()
        self._store = store

    def transaction(self) -> AbstractContextManager[Transaction]:
        return self._metered(self._store.transaction())

    def reading(self) -> AbstractContextManager[Transaction]:
        return self._metered(self._store.reading())

    def close(self) -> None:
        self._store.close()

    @contextmanager
    def _metered(self, opened: AbstractContextManager[Transaction]) -> Iterator[Transaction]:
        tx = self.watch.timed(opened.__enter__)()
        yield cast("Transaction", _Metered(tx, self.watch))
        self.watch.timed(opened.__exit__)(None, None, None)


class _Metered:
    def __init__(self, tx: Transaction, watch: Stopwatch) -> None:
        self._tx = tx
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return self._watch.timed(getattr(self._tx, name))


class MeteredLedger(Ledger):
    """A ledger that knows where its time went."""

    def __init__(self, store: MeteredStore, watch: Watch, *args: Any) -> None:
        super().__init__(store, watch, *args)
        self._keeping, self._scoring, self._all = store.watch, Stopwatch(), Stopwatch()
        self._lookups = 0.0

    def clear(self) -> None:
        self._lookups = 0.0
        for one in (self._keeping, self._scoring, self._all):
            one.seconds = 0.0

    @property
    def seconds(self) -> tuple[float, float, float]:
        """Of scoring, of the store, of detectors and incidents."""
        scoring, keeping = self._scoring.seconds - self._lookups, self._keeping.seconds
        return scoring, keeping, self._all.seconds - scoring - keeping

    def keep(self, fired: Sequence[Fired]) -> None:
        self.commit(fired)

    @override
    def commit(self, fired: Sequence[Fired]) -> Committed:
        with self._all.running():
            return super().commit(fired)

    @override
    def _judge(self, fired: Sequence[Fired], watch: Watch) -> list[Judged]:
        before = self._keeping.seconds
        with self._scoring.running():
            judged = super()._judge(fired, watch)
        self._lookups += self._keeping.seconds - before
        return judged


async def lag(late: list[float], every: float = 0.01) -> None:
    """Note again and again how many seconds too late the event loop wakes a sleeper."""
    while True:
        due = time.perf_counter() + every
        await asyncio.sleep(every)
        late.append(time.perf_counter() - due)
