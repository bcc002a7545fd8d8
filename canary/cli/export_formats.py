"""How `canary export` writes rows: JSON lines, CSV, Parquet. Nothing keeps more than a batch of them."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from canary.cli.common import printable
from canary.errors import CanaryError

if TYPE_CHECKING:
    from canary.desk.rows import Cell, Column, Row

_BATCH = 10_000

FORMATS = ("jsonl", "csv", "parquet")

Write = Callable[["Iterable[Row]"], None]
"""Writes rows to the end."""


def writer(form: str, file: BinaryIO, columns: "Sequence[Column]") -> Write:
    """Raises: CanaryError where Parquet cannot be written."""
    match form:
        case "csv":
            return lambda rows: _csv(file, columns, rows)
        case "parquet":
            return _parquet(file, columns)
        case _:
            return lambda rows: _jsonl(file, columns, rows)


def _jsonl(file: BinaryIO, columns: "Sequence[Column]", rows: "Iterable[Row]") -> None:
    """Pure ASCII, so that an answer cannot steer a terminal."""
    names = [name for name, _ in columns]
    file.writelines(json.dumps(dict(zip(names, map(_plain, row), strict=True))).encode() + b"\n" for row in rows)
    file.flush()


def _csv(file: BinaryIO, columns: "Sequence[Column]", rows: "Iterable[Row]") -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
    out = csv.writer(text)
    out.writerow(name for name, _ in columns)
    for row in rows:
        out.writerow(_cell(_plain(fact)) for fact in row)
    text.flush()
    text.detach()


def _cell(fact: object) -> object:
    """Text that neither a terminal nor a spreadsheet takes for more than text."""
    if not isinstance(fact, str):
        return fact
    return f"'{printable(fact)}" if fact.startswith(("=", "+", "-", "@", "\t", "\r")) else printable(fact)


def _parquet(file: BinaryIO, columns: "Sequence[Column]") -> Write:
    """Raises: CanaryError."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise CanaryError("Parquet needs pyarrow: pip install '.[parquet]', or write jsonl or csv") from None
    types = {
        "text": pa.string(),
        "number": pa.float64(),
        "count": pa.int64(),
        "flag": pa.bool_(),
        "moment": pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema([(name, types[kind]) for name, kind in columns])

    def write(rows: "Iterable[Row]") -> None:
        with pq.ParquetWriter(file, schema) as out:
            for batch in _batches(rows):
                cells = zip(*batch, strict=True)
                arrays = [pa.array(map(_unicode, cell), field.type) for cell, field in zip(cells, schema, strict=True)]
                out.write_batch(pa.record_batch(arrays, schema=schema))

    return write


def _batches(rows: "Iterable[Row]") -> "Iterator[list[Row]]":
    todo = iter(rows)
    while batch := list(islice(todo, _BATCH)):
        yield batch


def _plain(cell: "Cell") -> object:
    return cell.isoformat() if isinstance(cell, datetime) else cell


def _unicode(cell: "Cell") -> Any:
    """A lone surrogate, which a server can send, is spelt out."""
    return cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) else cell
