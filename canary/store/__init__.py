"""Where everything is kept: `open_store` for SQLite and PostgreSQL, `MemoryStore` for tests and simulations."""

from canary.store.base import Kept, Retention, ScoreRow, StateKind, Store, StoredState, Transaction
from canary.store.memory import MemoryStore

__all__ = [
    "Kept",
    "MemoryStore",
    "Retention",
    "ScoreRow",
    "StateKind",
    "Store",
    "StoredState",
    "Transaction",
    "open_store",
]


def open_store(url: str, *, create: bool = False) -> Store:
    """Open the store at `sqlite:///FILE` or `postgresql://HOST/NAME`; with `create`, an empty one gets its tables.

    Raises:
        StoreError: The URL cannot be used.
        StoreUnavailable: The database cannot be reached.
        SchemaMismatch: Its tables are of another version.
    """
    from canary.store.sql.store import open_sql  # a start without a SQL store does not pay for SQLAlchemy

    return open_sql(url, create=create)
