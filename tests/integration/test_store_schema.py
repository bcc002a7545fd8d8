"""Migrations: they make the tables that the code expects, and undo them, on both databases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from canary.errors import SchemaMismatch, StoreError, StoreUnavailable
from canary.resources import data_folder
from canary.store import open_store
from canary.store.sql import schema
from canary.store.sql.engine import engine_for, parse, reader, writer
from canary.store.sql.tables import HEAD, metadata

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/canary.db"
    found: str = request.getfixturevalue("postgres").new_database(empty=True)
    return found


def pretend(url: str, revision: str) -> None:
    engine = engine_for(parse(url))
    with writer(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    engine.dispose()


def test_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    schema.upgrade(url)
    engine = engine_for(parse(url))
    with reader(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_downgrade_to_base_leaves_no_table_of_ours(url: str) -> None:
    schema.upgrade(url)
    schema.downgrade(url, "base")
    engine = engine_for(parse(url))
    with reader(engine) as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    engine.dispose()


def test_up_down_and_up_again_works(url: str) -> None:
    schema.upgrade(url)
    schema.downgrade(url, "base")
    schema.upgrade(url)
    assert schema.current(url) == HEAD


def test_an_upgrade_of_an_upgraded_store_keeps_what_is_in_it(url: str) -> None:
    store = open_store(url, create=True)
    with store.transaction() as tx:
        tx.put_fact("a", "b")
    schema.upgrade(url)
    with store.reading() as tx:
        assert tx.fact("a") == "b"
    store.close()


def test_an_empty_database_has_no_revision(url: str) -> None:
    assert schema.current(url) is None


def test_an_empty_database_is_a_mismatch_that_names_the_remedy(url: str) -> None:
    with pytest.raises(SchemaMismatch, match="canary db upgrade"):
        open_store(url)


def test_an_older_schema_is_a_mismatch_that_names_the_remedy(url: str) -> None:
    schema.upgrade(url)
    pretend(url, "0000")
    with pytest.raises(SchemaMismatch, match="canary db upgrade"):
        open_store(url, create=True)


def test_a_newer_schema_is_a_mismatch_that_names_the_remedy(url: str) -> None:
    schema.upgrade(url)
    pretend(url, "9999")
    with pytest.raises(SchemaMismatch, match="newer Canary"):
        open_store(url)


def test_several_daemons_may_create_the_tables_at_once(url: str) -> None:
    code = f"from canary.store import open_store; open_store({url!r}, create=True).close()"
    started = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]


def test_a_developer_can_run_the_migration_tool_itself(url: str) -> None:
    environment = {**os.environ, "CANARY_STORE_URL": url}
    subprocess.run([sys.executable, "-m", "alembic", "upgrade", "head"], cwd=ROOT, env=environment, check=True)
    assert schema.current(url) == HEAD


def test_the_code_expects_the_last_migration() -> None:
    assert ScriptDirectory(data_folder("migrations")).get_current_head() == HEAD


def test_the_migration_tool_reads_alembic_ini_from_any_folder() -> None:
    assert ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_current_head() == HEAD


def test_an_absent_file_is_not_made_by_looking_for_it(tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatch):
        open_store(f"sqlite:///{tmp_path}/canary.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["", "canary.db", "mysql://h/d", "sqlite://", "sqlite:///:memory:"])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match=r"sqlite:///FILE or postgresql://HOST/NAME"):
        open_store(url)


@pytest.mark.parametrize(
    "url",
    ["postgresql://ann:s%40cret@127.0.0.1:1/x", "postgresql://127.0.0.1:1/x?password=s%40cret&sslpassword=s%40cret"],
)
def test_no_secret_of_the_url_is_in_an_error(url: str) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        open_store(url)
    assert "cret" not in str(raised.value)
    assert "127.0.0.1" in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    "url", ["postgresql://ann:p@ss@h/x", "postgresql://h/x?password=p@ss", "postgresql://a:b/c@h/x"]
)
def test_an_at_that_is_not_escaped_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(StoreError, match="write %40") as raised:
        open_store(url)
    assert "ss" not in str(raised.value).replace("passwords", "")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_postgresql_has_one_driver(scheme: str) -> None:
    assert parse(f"{scheme}://ann@h/x").drivername == "postgresql+psycopg"


def test_importing_the_store_does_not_import_the_database_tools() -> None:
    code = "import sys, canary.store; sys.exit('sqlalchemy' in sys.modules or 'alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_opening_a_made_store_does_not_import_the_migration_tool(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/canary.db"
    open_store(url, create=True).close()
    code = f"import sys, canary.store as s; s.open_store({url!r}).close(); sys.exit('alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
