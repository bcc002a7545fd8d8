"""Engines that behave alike: exclusive writers, readers that do not block them, bounded waits, speaking errors.

SQLite: WAL, so that readers go on beside the writer. A writer starts with BEGIN IMMEDIATE: a deferred transaction that
reads first and writes later fails at once where another one wrote meanwhile, however long the busy timeout.
synchronous=FULL, so that what was acknowledged survives a loss of power too; NORMAL survives a killed process only.

PostgreSQL: a writer holds an advisory lock until it ends, so that `seq` is the order of commits across all daemons. The
statement that waits for the lock sees nothing older than it: writers read committed, readers have one snapshot.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from canary.errors import StoreError, StoreUnavailable

_WAIT_S = 10  # for a lock, a connection, or a reply
_WRITER_LOCK = int.from_bytes(b"canary")
_SERVER_LIMITS = """
SELECT set_config('lock_timeout', '10s', true), set_config('idle_in_transaction_session_timeout', '60s', true)
"""
_DEAD_CLIENT = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"


def parse(url: str) -> URL:
    """Raises: StoreError when it is neither of SQLite nor of PostgreSQL."""
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise StoreError("the store's URL cannot be read; write sqlite:///FILE or postgresql://HOST/NAME") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return _with_defaults(parsed.set(drivername="sqlite+pysqlite"), timeout=_WAIT_S)
        case "postgresql" | "postgres":
            _require_plain_at(url)
            return _with_defaults(
                parsed.set(drivername="postgresql+psycopg"),
                connect_timeout=5,
                keepalives_idle=30,
                keepalives_interval=10,
                keepalives_count=3,
                tcp_user_timeout=1_000 * 3 * _WAIT_S,
            )
        case _:
            raise StoreError("the store is sqlite:///FILE or postgresql://HOST/NAME, nothing else")


def engine_for(url: URL) -> Engine:
    """An engine; `writer` and `reader` begin its transactions."""
    try:
        if url.get_backend_name() == "sqlite":
            return _sqlite(url)
        return _postgresql(url)
    except ModuleNotFoundError:
        raise StoreError("PostgreSQL needs its driver: pip install '.[postgres]'") from None


@contextmanager
def writer(engine: Engine) -> Iterator[Connection]:
    """The one writer; commits at the end, rolls back on an exception."""
    with translated(engine.url), engine.execution_options(canary_begin="BEGIN IMMEDIATE").begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(_SERVER_LIMITS)
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")
        yield connection


@contextmanager
def reader(engine: Engine) -> Iterator[Connection]:
    """One consistent view."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if engine.name == "postgresql" else {}
    with translated(engine.url), engine.execution_options(**options).begin() as connection:
        yield connection


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Errors of the database become ours, without a secret of the URL and without a row's content."""
    try:
        yield
    except exc.DBAPIError as error:
        kind = StoreUnavailable if _is_passing(error) else StoreError
        raise kind(f"{_place(url)}: {_reason(url, error)}") from None
    except exc.TimeoutError:
        raise StoreUnavailable(f"{_place(url)}: no free connection within {_WAIT_S} s") from None


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, pool_timeout=_WAIT_S)

    @event.listens_for(engine, "do_connect")
    def keep_private(*_: object) -> None:
        """It holds answers, and digests of tokens; what SQLite puts beside it is as private as the file."""
        file = Path(url.database or "")
        with suppress(OSError):  # SQLite says better what is wrong
            if url.database and not file.exists():
                file.touch(mode=0o600)

    @event.listens_for(engine, "connect")
    def prepare(connection: PoolProxiedConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # we say BEGIN ourselves
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.cursor().execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("canary_begin", "BEGIN"))

    return engine


def _postgresql(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, pool_timeout=_WAIT_S, pool_pre_ping=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: PoolProxiedConnection, _: ConnectionPoolEntry) -> None:
        connection.cursor().execute(_DEAD_CLIENT)
        connection.commit()

    return engine


def _require_plain_at(url: str) -> None:
    """An @ that is not escaped makes a part of a password pass for the host, which errors name."""
    rest = url.partition("://")[2]
    authority = rest.partition("/")[0].partition("?")[0]
    if rest.count("@") > 1 or rest.count("@") != authority.count("@"):
        raise StoreError("the store's URL has an @ too many; in names, passwords and options write %40 for it")


def _with_defaults(url: URL, **defaults: int) -> URL:
    return url.update_query_dict({k: str(v) for k, v in defaults.items() if k not in url.query})


def _is_passing(error: exc.DBAPIError) -> bool:
    """Whether a later try may succeed: no connection, locked, full, or a server that became read-only."""
    return error.connection_invalidated or isinstance(
        error, exc.OperationalError | exc.InterfaceError | exc.InternalError
    )


def _place(url: URL) -> str:
    return URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database).render_as_string()


def _reason(url: URL, error: exc.DBAPIError) -> str:
    first, *_ = str(error.orig).strip().splitlines() or [""]
    for secret in _secrets(url):
        first = first.replace(secret, "***")
    return first or type(error.orig).__name__


def _secrets(url: URL) -> Iterator[str]:
    found = [url.password, *(value for name, value in url.query.items() if "password" in name)]
    for secret in found:
        if secret:
            yield str(secret)
            yield quote(str(secret), safe="")
