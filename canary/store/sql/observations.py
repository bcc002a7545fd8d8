"""Observations, their bodies and their scores."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from canary.errors import StoreError
from canary.records import Observation, Purpose, SeriesKey
from canary.store.base import Kept, ScoreRow, everything
from canary.store.codec import micros, moment
from canary.store.sql import rows
from canary.store.sql.session import Session, series_id
from canary.store.sql.statements import chunks, insert
from canary.store.sql.tables import answers, observations, scores

_STREAMED = {"yield_per": 1_000}
_MOST_NAMED = 10_000  # series in one query: databases bound its parameters
_SCORES = select(
    scores, observations.c.slot_id, observations.c.slot_time, observations.c.probe_digest, observations.c.replica
).join(observations, scores.c.seq == observations.c.seq)


class ObservationPart(Session):
    """Sequence numbers are given here: the transaction is the only writer, so they rise in the order of commits."""

    def __init__(self, connection: Connection, *, writable: bool) -> None:
        super().__init__(connection, writable=writable)
        self._entered: dict[str, int] = {}  # by slot id, in this transaction

    def add_observations(self, observations_: Sequence[Observation]) -> Mapping[str, int]:
        known = self._seqs([o.slot_id for o in observations_])
        new: dict[str, Observation] = {}
        for observation in observations_:
            if observation.slot_id not in known:
                new.setdefault(observation.slot_id, observation)
        start = 1 + (self._connection.scalar(select(func.max(observations.c.seq))) or 0)
        numbered = list(enumerate(new.values(), start))
        insert(self._writer, observations, [rows.observation_row(seq, o) for seq, o in numbered])
        bodies = [rows.answer_row(seq, o, o.response) for seq, o in numbered if o.response is not None]
        insert(self._writer, answers, bodies)
        entered = {o.slot_id: seq for seq, o in numbered}
        self._entered.update(entered)
        return entered

    def add_scores(self, rows_: Sequence[ScoreRow]) -> None:
        missing = {row.slot_id for row in rows_ if row.slot_id not in self._entered}
        seqs = {**self._entered, **self._seqs(missing)}
        self._enter_series(row.series for row in rows_)
        try:
            insert(self._writer, scores, [rows.score_row(seqs[row.slot_id], row) for row in rows_])
        except KeyError as error:
            raise StoreError(f"a score of slot {error}, whose observation is not in the store") from None

    def observation(self, slot_id: str) -> Observation | None:
        row = self._connection.execute(
            select(observations, answers.c.body).outerjoin(answers).where(observations.c.slot_id == slot_id)
        ).one_or_none()
        return None if row is None else rows.to_observation(row, row.body)

    def observations(
        self,
        *,
        target: str | None = None,
        group: str | None = None,
        purpose: Purpose = Purpose.SCHEDULED,
        since: datetime | None = None,
        until: datetime | None = None,
        bodies: bool = False,
    ) -> Iterator[Observation]:
        query = select(observations, answers.c.body).outerjoin(answers) if bodies else select(observations)
        conditions = _between(since, until)
        conditions += [] if target is None else [observations.c.target == target]
        conditions += [] if group is None else [observations.c.probe_group == group]
        query = query.where(observations.c.purpose == purpose.value, *conditions).order_by(observations.c.seq)
        for row in self._connection.execute(query, execution_options=_STREAMED):
            yield rows.to_observation(row, row.body if bodies else None)

    def kept(
        self, *, after: int = 0, since: datetime | None = None, until: datetime | None = None, limit: int = 1_000
    ) -> Sequence[Kept]:
        scheduled = observations.c.purpose == Purpose.SCHEDULED.value
        within = _between(since, until, observations.c.slot_time + 0)  # no index of it: each page would sort them all
        query = select(observations).where(observations.c.seq > after, scheduled, *within)
        page = self._connection.execute(query.order_by(observations.c.seq).limit(limit)).all()
        found = self._scored(scores.c.seq.between(page[0].seq, page[-1].seq)) if page else {}
        return [Kept(row.seq, rows.to_observation(row, None), tuple(found.get(row.seq, ()))) for row in page]

    def judged(self, slot_ids: Collection[str]) -> Mapping[str, Kept]:
        kept: dict[str, Kept] = {}
        for chunk in chunks(list(slot_ids)):
            page = self._connection.execute(select(observations).where(observations.c.slot_id.in_(chunk))).all()
            found = self._scored(scores.c.seq.in_([row.seq for row in page]))
            for row in page:
                kept[row.slot_id] = Kept(row.seq, rows.to_observation(row, None), tuple(found.get(row.seq, ())))
        return kept

    def slot_ids(self, *, since: datetime) -> frozenset[str]:
        query = select(observations.c.slot_id).where(
            observations.c.purpose == Purpose.SCHEDULED.value, *_between(since, None)
        )
        return frozenset(self._connection.scalars(query))

    def last_slot(self, target: str, region: str) -> datetime | None:
        at = observations.c.slot_time
        ours = (observations.c.target == target, observations.c.region == region)
        scheduled = observations.c.purpose == Purpose.SCHEDULED.value
        latest = self._connection.scalar(select(at).where(*ours, scheduled).order_by(at.desc()).limit(1))
        return None if latest is None else moment(latest)

    def scores(
        self, series: SeriesKey, *, since: datetime | None = None, fed: bool = True, limit: int | None = None
    ) -> Sequence[ScoreRow]:
        query = _SCORES.where(scores.c.series == series_id(series), *_between(since, None))
        if fed:
            query = query.where(scores.c.detector.is_not(None))
        query = query.order_by(scores.c.seq.desc(), scores.c.id.desc()).limit(limit)
        found = [rows.to_score_row(row, series) for row in self._connection.execute(query)]
        return found[::-1]

    def feed(self, chosen: Callable[[SeriesKey], bool] = everything) -> Iterator[ScoreRow]:
        known = self._all_series()
        keys = {number: key for number, key in known.items() if chosen(key)}
        query = _SCORES.where(scores.c.detector.is_not(None)).order_by(scores.c.seq, scores.c.id)
        if len(keys) < len(known) and len(keys) <= _MOST_NAMED:
            query = query.where(scores.c.series.in_(keys))
        for row in self._connection.execute(query, execution_options=_STREAMED):
            if row.series in keys:
                yield rows.to_score_row(row, keys[row.series])

    def tokens_spent(self, *, target: str, since: datetime) -> int:
        query = select(func.coalesce(func.sum(observations.c.tokens), 0)).where(
            observations.c.target == target, *_between(since, None)
        )
        return int(self._connection.execute(query).scalar_one())

    def _scored(self, chosen: ColumnElement[bool]) -> Mapping[int, list[ScoreRow]]:
        query = _SCORES.where(chosen).order_by(scores.c.seq, scores.c.id)
        page = self._connection.execute(query).all()
        keys = self._series({row.series for row in page})
        found: dict[int, list[ScoreRow]] = defaultdict(list)
        for row in page:
            found[row.seq].append(rows.to_score_row(row, keys[row.series]))
        return found

    def _seqs(self, slot_ids: Collection[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for chunk in chunks(list(slot_ids)):
            query = select(observations.c.slot_id, observations.c.seq).where(observations.c.slot_id.in_(chunk))
            found.update((row.slot_id, row.seq) for row in self._connection.execute(query))
        return found


def _between(
    since: datetime | None, until: datetime | None, at: ColumnElement[int] = observations.c.slot_time
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if since is not None:
        conditions.append(at >= micros(since))
    if until is not None:
        conditions.append(at < micros(until))
    return conditions
