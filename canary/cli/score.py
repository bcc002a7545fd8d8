"""`canary score`."""

import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from canary.cli.common import config_at
from canary.cli.word import Word
from canary.errors import CanaryError
from canary.records import Dialect

if TYPE_CHECKING:
    from canary.records import Failure, Observation, Probe, Response, Score, Unscored
    from canary.score import Scorer

_MOST_LINE = 10_000_000


@click.command(
    cls=Word,
    exits={0: "scored", 2: "bad input; the lines before it are scored"},
    examples=(
        "canary score < answers.jsonl > scores.jsonl",
        'canary score < answers.jsonl | curl --data-binary @- -H "Authorization: Bearer $TOKEN" '
        "'http://canary:9464/api/v1/scores?target=mid/edge/main'",
    ),
)
@click.option(
    "--dialect",
    type=click.Choice([one.value for one in Dialect]),
    default=Dialect.OPENAI_CHAT.value,
    show_default=True,
    help="Of whole responses.",
)
@click.pass_obj
def command(path: str, dialect: str) -> None:
    """Score answers inside a serving boundary: JSON lines in, JSON lines of numbers out, and no text.

    A line has "probe" (its id) and either "text" (the answer) or "response" (the server's whole JSON); perhaps "id"
    (of your own; handed in again, it counts once), "at" (ISO 8601 with a zone) and "replica". Signals that compare with
    golden answers are left out. Without a config the built-in probes are known.
    """
    probes, scorers = _known(path)
    for number, line in enumerate(_lines(sys.stdin.buffer), start=1):
        try:
            told = _scored(line, probes, scorers, Dialect(dialect))
        except (ValueError, KeyError, TypeError) as error:
            raise CanaryError(f"line {number}: {_why(error)}") from None
        click.echo(json.dumps(told, separators=(",", ":"), allow_nan=False))


def _known(path: str) -> "tuple[Mapping[str, Probe], Mapping[str, Scorer]]":
    from canary.config import load_probes
    from canary.daemon.assembly import scorers_of
    from canary.resources import data_folder
    from canary.score import SCORERS

    if not Path(path).exists():
        return {probe.id: probe for probe in load_probes([data_folder("probes")])}, SCORERS
    config = config_at(path)
    return {probe.id: probe for probe in config.probes}, scorers_of(config)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(_MOST_LINE + 1):
        if len(line) > _MOST_LINE:
            raise CanaryError(f"a line is longer than {_MOST_LINE:,} bytes")
        if line.strip():
            yield line


def _scored(
    line: bytes, probes: "Mapping[str, Probe]", scorers: "Mapping[str, Scorer]", dialect: Dialect
) -> dict[str, object]:
    from canary.score import score

    given = json.loads(line)
    if not isinstance(given, dict) or not isinstance(given.get("probe"), str):
        raise TypeError('should be an object with a "probe"')
    if given["probe"] not in probes:
        raise ValueError("names a probe that is not known: see `canary probe list`")
    probe, at = probes[given["probe"]], _at(given.get("at"))
    answer = _answer(given, dialect, at)
    scores = score(probe, _observation(probe, answer, at), None, scorers)
    return {
        "id": str(given.get("id") or secrets.token_hex(8)),
        "probe": probe.id,
        "digest": probe.digest,
        "at": at.isoformat(),
        "replica": str(given.get("replica", "")),
        "scores": [facts for one in scores if (facts := _facts(one)) is not None],
    }


def _answer(given: dict[str, Any], dialect: Dialect, at: datetime) -> "Response | Failure":
    from canary.probe.wire import decode
    from canary.records import Finish, Response

    if isinstance(given.get("text"), str):
        return Response(given["text"], Finish.STOP)
    if isinstance(given.get("response"), dict):
        return decode(dialect, 200, {}, json.dumps(given["response"]).encode(), at)
    raise ValueError('has neither a "text" nor a "response"')


def _observation(probe: "Probe", answer: "Response | Failure", at: datetime) -> "Observation":
    from datetime import timedelta

    from canary.records import Observation, Response

    bare = Observation("", probe.id, probe.digest, probe.group, "", "", at, at, timedelta(0))
    return replace(bare, response=answer) if isinstance(answer, Response) else replace(bare, failure=answer)


def _facts(one: "Score | Unscored") -> dict[str, object] | None:
    """Numbers alone: a note may say where in the answer something stands."""
    from canary.records import Score, UnscoredReason

    if isinstance(one, Score):
        return {"signal": one.signal, "version": one.version, "value": one.value, "exposure": one.exposure}
    if one.reason is UnscoredReason.NO_REFERENCE:
        return None
    return {"signal": one.signal, "version": one.version, "unscored": one.reason.value}


def _at(written: object) -> datetime:
    from canary.changes import moment
    from canary.clock import SystemClock

    if written is None:
        return SystemClock().now()
    if not isinstance(written, str):
        raise TypeError("at should be a text")
    try:
        return moment(written)
    except ValueError as error:
        raise ValueError(f"at {error}") from None


def _why(error: Exception) -> str:
    """Without a word of the line: it holds an answer."""
    return "is not JSON" if isinstance(error, json.JSONDecodeError) else str(error)
