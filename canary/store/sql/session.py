"""What all parts of a transaction share: its connection, and the series' numbers."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b

from sqlalchemy import Connection, Row, select

from canary.errors import StoreError
from canary.records import SeriesKey
from canary.store.sql.statements import chunks, insert_new
from canary.store.sql.tables import series


class Session:
    """An open transaction."""

    def __init__(self, connection: Connection, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable

    @property
    def _writer(self) -> Connection:
        if not self._writable:
            raise StoreError("a reading transaction cannot write")
        return self._connection

    def _enter_series(self, keys: Iterable[SeriesKey]) -> None:
        rows = [(series_id(k), k.target, k.region, k.group, k.signal) for k in dict.fromkeys(keys)]
        insert_new(self._writer, series, rows)

    def _all_series(self) -> Mapping[int, SeriesKey]:
        return {row.id: series_key(row) for row in self._connection.execute(select(series))}

    def _series(self, ids: Collection[int]) -> Mapping[int, SeriesKey]:
        return {
            row.id: series_key(row)
            for chunk in chunks(list(ids))
            for row in self._connection.execute(select(series).where(series.c.id.in_(chunk)))
        }


def series_key(row: Row[tuple[object, ...]]) -> SeriesKey:
    return SeriesKey(row.target, row.region, row.probe_group, row.signal)


@lru_cache(maxsize=100_000)
def series_id(key: SeriesKey) -> int:
    """63 bits of a digest: the same in every process, so that nothing must be looked up or kept in step."""
    facts = "\x1f".join((key.target, key.region, key.group, key.signal))
    return int.from_bytes(blake2b(facts.encode(), digest_size=8).digest()) >> 1
