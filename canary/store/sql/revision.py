"""Which schema a database has, read without the migration tool: it must not cost each start."""

from pathlib import Path

from sqlalchemy import Connection, Engine, column, inspect, select, table

from canary.errors import SchemaMismatch
from canary.store.sql.engine import reader
from canary.store.sql.tables import HEAD

_VERSION = table("alembic_version", column("version_num"))


def revision(engine: Engine) -> str | None:
    """None when there are no tables of ours; an absent SQLite file stays absent."""
    if engine.name == "sqlite" and not Path(engine.url.database or "").exists():
        return None
    with reader(engine) as connection:
        return _read(connection)


def require_head(found: str | None) -> None:
    """Raises: SchemaMismatch."""
    if found is None:
        raise SchemaMismatch("the store has no tables yet: run `canary db upgrade`")
    if found != HEAD:
        remedy = "run `canary db upgrade`" if found < HEAD else "it was written by a newer Canary: install that one"
        raise SchemaMismatch(f"the store's tables are of revision {found}, this Canary needs {HEAD}: {remedy}")


def _read(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(select(_VERSION.c.version_num))
    return None if found is None else str(found)
