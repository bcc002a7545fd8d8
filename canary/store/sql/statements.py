"""Inserts of many rows at the driver's own speed. `ON CONFLICT` is spelled alike in both databases."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import TypeVar

from sqlalchemy import Column, Connection, Table

T = TypeVar("T")
Row = tuple[object, ...]

CHUNK = 5_000
"""Values in one statement: SQLite takes 32,766 and PostgreSQL 65,535."""


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Rows in the order of the table's columns, its generated key left out."""
    _run(connection, _insert(table, _mark(connection)), rows)


def insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Those that are known already are ignored."""
    _run(connection, f"{_insert(table, _mark(connection))} ON CONFLICT DO NOTHING", rows)


def upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Those whose primary key is known replace what stood there."""
    _run(connection, f"{_insert(table, _mark(connection))} {_replace(table)}", rows)


def chunks(values: Sequence[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _run(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    if rows:
        connection.exec_driver_sql(statement, list(rows))


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.name == "sqlite" else "%s"


@cache
def _insert(table: Table, mark: str) -> str:
    names = [column.name for column in _written(table)]
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"  # noqa: S608  ours


@cache
def _replace(table: Table) -> str:
    keys = ", ".join(column.name for column in table.primary_key)
    values = ", ".join(f"{c.name} = excluded.{c.name}" for c in table.columns if not c.primary_key)
    return f"ON CONFLICT ({keys}) DO UPDATE SET {values}"


def _written(table: Table) -> list[Column[object]]:
    return [column for column in table.columns if column.autoincrement is not True]
