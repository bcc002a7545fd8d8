"""Observations and scores as rows, and back."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from canary.records import Failure, Observation, Purpose, Response, Score, SeriesKey, Unscored, UnscoredReason
from canary.store.base import ScoreRow
from canary.store.codec import dumps, loads, micros, moment, pack_response, span, unpack_response
from canary.store.sql.session import series_id


def observation_row(seq: int, observation: Observation) -> tuple[object, ...]:
    o = observation
    return (
        seq,
        o.slot_id,
        o.probe_id,
        o.probe_digest,
        o.group,
        o.target,
        o.region,
        micros(o.slot_time),
        micros(o.started_at),
        span(o.duration),
        o.ordinal,
        o.salt,
        o.purpose.value,
        o.affinity,
        o.replica,
        tokens(o.response),
        None if o.failure is None else dumps(o.failure),
    )


def answer_row(seq: int, observation: Observation, response: Response) -> tuple[object, ...]:
    return (seq, micros(observation.slot_time), "", pack_response(response))


def to_observation(row: Row[Any], body: bytes | None) -> Observation:
    return Observation(
        slot_id=row.slot_id,
        probe_id=row.probe_id,
        probe_digest=row.probe_digest,
        group=row.probe_group,
        target=row.target,
        region=row.region,
        slot_time=moment(row.slot_time),
        started_at=moment(row.started_at),
        duration=timedelta(microseconds=row.duration),
        ordinal=row.ordinal,
        salt=row.salt,
        purpose=Purpose(row.purpose),
        affinity=row.affinity,
        replica=row.replica,
        response=None if body is None else unpack_response(body),
        failure=None if row.failure is None else loads(row.failure, Failure),
    )


def score_row(seq: int, row: ScoreRow) -> tuple[object, ...]:
    result = row.score
    judged = (
        (float(result.value), float(result.exposure), result.note, None)
        if isinstance(result, Score)
        else (None, None, None, result.reason.value)
    )
    event = None if row.event is None else bool(row.event)
    return (seq, series_id(row.series), result.version, *judged, row.detector, row.log_budget, event)


def to_score_row(row: Row[Any], series: SeriesKey) -> ScoreRow:
    result = (
        Unscored(series.signal, row.version, UnscoredReason(row.reason))
        if row.reason is not None
        else Score(series.signal, row.version, row.value, row.exposure, row.note)
    )
    return ScoreRow(
        slot_id=row.slot_id,
        series=series,
        slot_time=moment(row.slot_time),
        score=result,
        probe_digest=row.probe_digest,
        detector=row.detector,
        log_budget=row.log_budget,
        event=row.event,
        replica=row.replica,
        seq=row.seq,
    )


def tokens(response: Response | None) -> int:
    return 0 if response is None else (response.prompt_tokens or 0) + (response.completion_tokens or 0)
