"""What the store holds as rows: flat, of fixed columns, read one after the other, or page by page."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Literal

from canary.records import Finding, Incident, Observation, Score
from canary.store.base import Kept, ScoreRow, Transaction

Cell = str | int | float | bool | datetime | None
Row = tuple[Cell, ...]
Column = tuple[str, Literal["text", "number", "count", "flag", "moment"]]

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be exported: its columns, and how its rows are read: all, or those of one kept observation (`each`)."""

    columns: Sequence[Column]
    read: Callable[[Transaction, datetime | None, datetime | None], Iterator[Row]]
    each: Callable[[Transaction, Kept], Iterator[Row]] | None = None


class Name(StrEnum):
    """What the store holds."""

    OBSERVATIONS = "observations"
    SCORES = "scores"
    INCIDENTS = "incidents"
    ALARMS = "alarms"
    CHANGES = "changes"


def page(
    tx: Transaction, kind: Kind, span: tuple[datetime | None, datetime | None], after: int, limit: int
) -> tuple[list[Row], int | None]:
    """The rows of at most `limit` observations, or so many rows, and after what to go on; None at the end."""
    since, until = span
    if kind.each is None:
        rows = list(islice(kind.read(tx, since, until), after, after + limit))
        return rows, after + limit if len(rows) == limit else None
    kept = tx.kept(after=after, since=since, until=until, limit=limit)
    each = kind.each
    return [row for one in kept for row in each(tx, one)], kept[-1].seq if len(kept) == limit else None


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple((name, "text") for name in names)


def _observations(tx: Transaction, since: datetime | None, until: datetime | None) -> Iterator[Row]:
    yield from map(_observation, tx.observations(since=since, until=until))


def _answered(tx: Transaction, since: datetime | None, until: datetime | None) -> Iterator[Row]:
    for seen in tx.observations(since=since, until=until, bodies=True):
        yield (*_observation(seen), *_answer(seen))


def _one(_: Transaction, kept: Kept) -> Iterator[Row]:
    yield _observation(kept.observation)


def _one_answered(tx: Transaction, kept: Kept) -> Iterator[Row]:
    seen = tx.observation(kept.observation.slot_id) or kept.observation
    yield (*_observation(kept.observation), *_answer(seen))


def _marks(_: Transaction, kept: Kept) -> Iterator[Row]:
    return map(_score, kept.scores)


def _observation(seen: Observation) -> Row:
    return (
        seen.slot_id,
        seen.slot_time,
        seen.started_at,
        seen.duration.total_seconds(),
        seen.target,
        seen.region,
        seen.group,
        seen.probe_id,
        seen.probe_digest,
        seen.salt,
        seen.ordinal,
        seen.affinity,
        seen.replica,
        None if seen.failure is None else seen.failure.kind.value,
        None if seen.failure is None else seen.failure.status,
    )


def _answer(seen: Observation) -> Row:
    answer = seen.response
    if answer is None:
        return (None,) * len(_ANSWER)
    calls = json.dumps(answer.tool_calls) if answer.tool_calls else None
    return answer.finish.value, answer.prompt_tokens, answer.completion_tokens, answer.text, calls


def _scores(tx: Transaction, since: datetime | None, until: datetime | None) -> Iterator[Row]:
    after = 0
    while page := tx.kept(after=after, since=since, until=until, limit=_PAGE):
        yield from (_score(row) for kept in page for row in kept.scores)
        after = page[-1].seq


def _score(row: ScoreRow) -> Row:
    series, judged = row.series, row.score
    scored = judged if isinstance(judged, Score) else None
    return (
        row.slot_id,
        row.slot_time,
        series.target,
        series.region,
        series.group,
        series.signal,
        judged.version,
        row.probe_digest,
        row.replica,
        None if scored is None else scored.value,
        None if scored is None else scored.exposure,
        None if isinstance(judged, Score) else judged.reason.value,
        row.event,
        "" if scored is None else scored.note,
    )


def _incidents(tx: Transaction, since: datetime | None, until: datetime | None) -> Iterator[Row]:
    for incident in tx.incidents():
        if _within(incident.opened_at, since, until):
            yield from (_finding(incident, finding) for finding in incident.findings)


def _finding(incident: Incident, finding: Finding) -> Row:
    onset, size = finding.onset, finding.size
    return (
        incident.id,
        incident.state.value,
        incident.target,
        incident.opened_at,
        incident.updated_at,
        incident.acknowledged_by,
        incident.resolved_at,
        incident.resolved_by,
        finding.series.target,
        finding.series.region,
        finding.series.group,
        finding.series.signal,
        finding.symptom.value,
        finding.alarms,
        onset.low,
        onset.best,
        onset.high,
        None if finding.worsened is None else finding.worsened.best,
        finding.recovered_at,
        size.low,
        size.best,
        size.high,
        None if finding.blame is None else finding.blame.place.name,
        " ".join(finding.evidence),
    )


def _alarms(tx: Transaction, since: datetime | None, until: datetime | None) -> Iterator[Row]:
    for alarm in tx.alarms(since=since):
        if _within(alarm.at, since, until):
            series = alarm.series
            place = series.target, series.region, series.group, series.signal
            yield (alarm.id, alarm.at, alarm.slot_id, *place, alarm.evidence, alarm.detector)


def _changes(tx: Transaction, since: datetime | None, until: datetime | None) -> Iterator[Row]:
    for change in tx.changes(since=since, until=until):
        told = change.summary, change.scope.name, change.link, change.author
        yield (change.id, change.kind.value, change.at, change.finished_at, *told)


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at < until)


_SERIES = _texts("target", "region", "group", "signal")

_ANSWER: tuple[Column, ...] = (
    ("finish", "text"),
    ("prompt_tokens", "count"),
    ("completion_tokens", "count"),
    ("answer", "text"),
    ("tool_calls", "text"),
)
_OBSERVATION: tuple[Column, ...] = (
    *_texts("slot_id"),
    ("at", "moment"),
    ("started_at", "moment"),
    ("duration_seconds", "number"),
    *_texts("target", "region", "group", "probe", "probe_digest"),
    ("salt", "count"),
    ("ordinal", "count"),
    *_texts("affinity", "replica", "failure"),
    ("status", "count"),
)

KINDS: Mapping[Name, Kind] = {
    Name.OBSERVATIONS: Kind(_OBSERVATION, _observations, _one),
    Name.SCORES: Kind(
        (
            *_texts("slot_id"),
            ("at", "moment"),
            *_SERIES,
            ("version", "count"),
            *_texts("probe_digest", "replica"),
            ("value", "number"),
            ("exposure", "number"),
            *_texts("unscored"),
            ("event", "flag"),
            *_texts("note"),
        ),
        _scores,
        _marks,
    ),
    Name.INCIDENTS: Kind(
        (
            *_texts("incident", "state", "part"),
            ("opened_at", "moment"),
            ("updated_at", "moment"),
            *_texts("acknowledged_by"),
            ("resolved_at", "moment"),
            *_texts("resolved_by"),
            *_SERIES,
            *_texts("symptom"),
            ("alarms", "count"),
            ("onset_low", "moment"),
            ("onset", "moment"),
            ("onset_high", "moment"),
            ("worsened_at", "moment"),
            ("recovered_at", "moment"),
            ("share_low", "number"),
            ("share", "number"),
            ("share_high", "number"),
            *_texts("place", "evidence"),
        ),
        _incidents,
    ),
    Name.ALARMS: Kind(
        (
            *_texts("alarm"),
            ("at", "moment"),
            *_texts("slot_id"),
            *_SERIES,
            ("evidence_nats", "number"),
            *_texts("detector"),
        ),
        _alarms,
    ),
    Name.CHANGES: Kind(
        (
            *_texts("change", "kind"),
            ("at", "moment"),
            ("finished_at", "moment"),
            *_texts("summary", "scope", "link", "author"),
        ),
        _changes,
    ),
}

ANSWERED = Kind((*_OBSERVATION, *_ANSWER), _answered, _one_answered)
"""Observations with what was answered."""
