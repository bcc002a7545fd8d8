"""Observations, their bodies and their scores."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from operator import itemgetter

from canary.errors import StoreError
from canary.records import Observation, Purpose, SeriesKey
from canary.store.base import Kept, ScoreRow, everything
from canary.store.memory.tables import KeptObservation, Session, between


class ObservationPart(Session):
    def add_observations(self, observations: Sequence[Observation]) -> Mapping[str, int]:
        table, entered = self._draft.observations, dict[str, int]()
        for o in observations:
            if o.slot_id not in table:
                seq = entered[o.slot_id] = self._next("seq")
                table[o.slot_id] = KeptObservation(seq, replace(o, response=None), _tokens(o), o.response)
        return entered

    def add_scores(self, rows: Sequence[ScoreRow]) -> None:
        for row in rows:
            kept = self._draft.observations.get(row.slot_id)
            if kept is None:
                raise StoreError(f"a score of slot {row.slot_id}, whose observation is not in the store")
            o = kept.observation
            full = replace(row, seq=kept.seq, slot_time=o.slot_time, probe_digest=o.probe_digest, replica=o.replica)
            entry = (kept.seq, self._next("score"), full)
            self._draft.scores[row.series] = (*self._draft.scores.get(row.series, ()), entry)

    def observation(self, slot_id: str) -> Observation | None:
        kept = self._tables.observations.get(slot_id)
        return None if kept is None else replace(kept.observation, response=kept.response)

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
        for kept in list(self._tables.observations.values()):
            o = kept.observation
            if (
                o.purpose == purpose
                and target in (None, o.target)
                and group in (None, o.group)
                and between(o.slot_time, since, until)
            ):
                yield replace(o, response=kept.response) if bodies else o

    def kept(
        self, *, after: int = 0, since: datetime | None = None, until: datetime | None = None, limit: int = 1_000
    ) -> Sequence[Kept]:
        later = (k for k in self._tables.observations.values() if k.seq > after)
        fitting = (k for k in later if _scheduled(k.observation) and between(k.observation.slot_time, since, until))
        return self._with_scores({kept.seq: kept.observation for kept in islice(fitting, limit)})

    def judged(self, slot_ids: Collection[str]) -> Mapping[str, Kept]:
        found = [self._tables.observations[slot] for slot in slot_ids if slot in self._tables.observations]
        page = self._with_scores({kept.seq: kept.observation for kept in found})
        return {kept.observation.slot_id: kept for kept in page}

    def _with_scores(self, page: Mapping[int, Observation]) -> Sequence[Kept]:
        scores: dict[int, list[tuple[int, ScoreRow]]] = {seq: [] for seq in page}
        for entries in self._tables.scores.values():
            for seq, n, row in entries:
                if seq in page:
                    scores[seq].append((n, row))
        in_order = {seq: tuple(row for _, row in sorted(found, key=itemgetter(0))) for seq, found in scores.items()}
        return [Kept(seq, observation, in_order[seq]) for seq, observation in page.items()]

    def slot_ids(self, *, since: datetime) -> frozenset[str]:
        return frozenset(o.slot_id for o in self.observations(since=since))

    def last_slot(self, target: str, region: str) -> datetime | None:
        ours = (o.slot_time for o in self.observations(target=target) if o.region == region)
        return max(ours, default=None)

    def scores(
        self, series: SeriesKey, *, since: datetime | None = None, fed: bool = True, limit: int | None = None
    ) -> Sequence[ScoreRow]:
        found = [
            row
            for _, _, row in sorted(self._tables.scores.get(series, ()), key=_order)
            if (row.detector is not None or not fed) and between(row.slot_time, since, None)
        ]
        return found if limit is None else found[max(0, len(found) - limit) :]

    def feed(self, chosen: Callable[[SeriesKey], bool] = everything) -> Iterator[ScoreRow]:
        entries = [entry for key, entries in self._tables.scores.items() if chosen(key) for entry in entries]
        yield from (row for _, _, row in sorted(entries, key=_order) if row.detector is not None)

    def tokens_spent(self, *, target: str, since: datetime) -> int:
        kept = self._tables.observations.values()
        return sum(k.tokens for k in kept if k.observation.target == target and k.observation.slot_time >= since)


def _scheduled(observation: Observation) -> bool:
    return observation.purpose is Purpose.SCHEDULED


def _order(entry: tuple[int, int, ScoreRow]) -> tuple[int, int]:
    return entry[:2]


def _tokens(observation: Observation) -> int:
    response = observation.response
    return 0 if response is None else (response.prompt_tokens or 0) + (response.completion_tokens or 0)
