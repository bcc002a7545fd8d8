"""`canary export`: what the store holds, in three formats."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from canary.cli.export_formats import writer
from canary.desk.rows import KINDS
from canary.records import Alarm, Change, ChangeKind, SeriesKey
from canary.store import open_store
from tests.integration.kept import SECRET, WHEN, an_observation, desk_in, keep
from tests.integration.test_cli import SHORT, TOKEN, Desk, an_incident


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Twelve observations, an incident, an alarm, a change."""
    made = desk_in(tmp_path_factory.mktemp("export"))
    keep(made, [an_observation(nth, failed=nth == 4) for nth in range(12)], ["slot-000007"])
    store = open_store(made.store_url)
    with store.transaction() as tx:
        tx.put_incident(an_incident("aaaa1111", an_observation(7)))
        series = SeriesKey(SHORT, "local", "prose", "script")
        tx.add_alarms([Alarm("alarm-1", series, "slot-000007", WHEN, 2.5, "detector")])
        tx.add_change(Change("change-1", ChangeKind.DEPLOY, WHEN, "sampler\n2.1"))
    store.close()
    return made


def rows(desk: Desk, *args: str) -> list[dict[str, Any]]:
    result = desk("export", *args)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("kind", "n"), [("observations", 12), ("scores", 24), ("incidents", 1), ("alarms", 1), ("changes", 1)]
)
def test_every_kind_is_written_whole_in_every_format(desk: Desk, tmp_path: Path, kind: str, n: int) -> None:
    names = [name for name, _ in KINDS[kind].columns]
    lines = rows(desk, kind)
    table = list(csv.DictReader(io.StringIO(desk("export", kind, "--format", "csv").stdout)))
    out = tmp_path / "out.parquet"
    assert desk("export", kind, "--format", "parquet", "-o", str(out)).exit_code == 0
    parquet = pq.read_table(out)
    assert [len(lines), len(table), parquet.num_rows] == [n, n, n]
    assert [list(lines[0]), list(table[0]), parquet.column_names] == [names, names, names]


def test_the_formats_hold_the_same(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    desk("export", "scores", "--format", "parquet", "-o", str(out))
    values = [(row["slot_id"], row["at"], row["value"], row["event"]) for row in rows(desk, "scores")]
    kept = pq.read_table(out).to_pylist()
    assert [(row["slot_id"], row["at"].isoformat(), row["value"], row["event"]) for row in kept] == values


def test_a_span_holds_its_beginning_and_not_its_end(desk: Desk) -> None:
    span = ("--since", "2025-08-25T12:00:03Z", "--until", "2025-08-25T12:00:06Z")
    assert [row["slot_id"] for row in rows(desk, "observations", *span)] == [f"slot-00000{nth}" for nth in (3, 4, 5)]
    assert {row["slot_id"] for row in rows(desk, "scores", *span)} == {f"slot-00000{nth}" for nth in (3, 4, 5)}


@pytest.mark.parametrize("kind", list(KINDS))
def test_no_answer_is_written_unless_somebody_says_so(desk: Desk, kind: str) -> None:
    assert "secret" not in desk("export", kind).stdout


def test_answers_are_written_when_somebody_says_so(desk: Desk) -> None:
    first, *_ = rows(desk, "observations", "--with-answers")
    assert (first["answer"], first["completion_tokens"]) == (SECRET, 5)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_answer_that_is_no_unicode_is_spelt_out(desk: Desk, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    result = desk("export", "observations", "--with-answers", "--format", form, "-o", str(out))
    assert (result.exit_code, b"\\ud800" in out.read_bytes() or form == "parquet") == (0, True)


def test_json_lines_cannot_steer_a_terminal(desk: Desk) -> None:
    assert "\x1b" not in desk("export", "observations", "--with-answers").stdout


def test_a_file_is_there_when_it_is_whole(desk: Desk, tmp_path: Path) -> None:
    desk("export", "scores", "-o", str(tmp_path / "scores.jsonl"))
    assert [path.name for path in tmp_path.iterdir()] == ["scores.jsonl"]


def test_without_pyarrow_it_says_what_to_install(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = desk("export", "scores", "--format", "parquet", "-o", str(tmp_path / "scores"))
    assert (result.exit_code, ".[parquet]" in result.stderr, list(tmp_path.iterdir())) == (2, True, [])


def test_answers_of_scores_are_refused(desk: Desk) -> None:
    assert desk("export", "scores", "--with-answers").exit_code == 2


def test_what_was_never_kept_is_no_rows(tmp_path: Path) -> None:
    assert rows(desk_in(tmp_path), "alarms") == []


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@x", "'@x"),
        ("\x1b[2J", "\\x1b[2J"),
        ("api-short-0", "api-short-0"),
    ],
)
def test_a_cell_is_nothing_but_text(text: str, cell: str) -> None:
    file = io.BytesIO()
    writer("csv", file, [("replica", "text")])([(text,)])
    assert next(csv.DictReader(io.StringIO(file.getvalue().decode())))["replica"] == cell


def test_parquet_is_not_written_to_a_terminal(desk: Desk) -> None:
    terminal, held = os.openpty()
    command = [sys.executable, "-m", "canary", "-c", str(desk.config), "export", "scores", "--format", "parquet"]
    done = subprocess.run(
        command, env={**os.environ, "TOKEN": TOKEN}, stdout=held, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(held)
    os.close(terminal)
    assert (done.returncode, "name a file with -o" in done.stderr) == (2, True)
