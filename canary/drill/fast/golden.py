"""Golden baselines from the bank: recorded, calibrated and promoted as always, the answers dealt instead of fired."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from canary.baseline import REFERENCE_ANSWERS, proposed, references, scales_of, thresholds
from canary.drill.fast.bank import Bank
from canary.drill.fast.deal import Dealer, Track
from canary.drill.fast.odds import Ints
from canary.drill.fast.slots import calm, milliseconds
from canary.drill.fast.units import Units
from canary.pipeline.record import promote_epoch
from canary.records import Observation, Recording, Score, SeriesKey
from canary.score import Scorer, signals, stratified
from canary.store.base import Store


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """The golden units of a track: vectors of its reference part and of its calibration part, of shape (n, burst)."""

    track: Track
    variants: Ints  # of the reference part
    part: Ints
    calibration: Ints


async def deal_golden(track: Track, answers: int, dealer: Dealer, now: datetime) -> Golden:
    """Deal the answers of a recording that begins now."""
    variants = np.repeat(np.arange(len(track.variants)), REFERENCE_ANSWERS)
    drawn = track.chosen(answers, dealer.rng)
    fired = milliseconds(now) + (_pause(track) * np.arange(len(variants) + answers)).astype(np.int64)
    part = await dealer.deal(track, calm(fired[: len(variants)]), variants)
    return Golden(track, variants, part, await dealer.deal(track, calm(fired[len(variants) :]), drawn))


def _pause(track: Track) -> float:
    """Milliseconds between two units: an answer takes half a second, and as many are under way as are allowed."""
    return 500.0 * track.entry.burst / track.entry.target.limits.concurrency


def learn(
    store: Store,
    recording: Recording,
    golden: Sequence[Golden],
    bank: Bank,
    units: Units,
    scorers: Mapping[str, Scorer],
) -> None:
    """Judge all that a target answered by its golden answers, and make its baselines the ones that judge."""
    probes = {probe.digest: probe for one in golden for probe in one.track.entry.probes}
    families = _families(bank, golden)
    found = tuple(reference for seen in families for reference in references(seen))
    scales = {of: scale for seen in families for of, scale in scales_of(seen, probes, scorers).items()}
    known = {(one.probe_digest, one.salt): one for one in found}
    bank.judge(recording.target, probes, known, scorers)
    names, strict, now = signals(scorers), stratified(scorers), recording.started_at
    with store.transaction() as tx:
        tx.put_references(recording.target, recording.epoch, found)
        for one in golden:
            part = [(units.first(unit).seen, units.scores(unit)) for unit in set(units.of(one.part).tolist())]
            limits = thresholds(part, strict)
            judged = _by_series(recording, one, units)
            for baseline in proposed(recording, judged, limits, names, now=now, scales=scales):
                tx.put_baseline(baseline)
        tx.put_recording(replace(recording, finished_at=now))
    promote_epoch(store, recording.target, recording.epoch, names)


def _families(bank: Bank, golden: Sequence[Golden]) -> Collection[Sequence[Observation]]:
    """The reference parts by family: answers alone and in bursts share references."""
    families: dict[str, list[Observation]] = defaultdict(list)
    for one in golden:
        burst = one.track.entry.burst
        seen = families[one.track.entry.probes[0].group]
        for vector in one.part[:, 0].tolist():
            nth = len(seen)
            seen.append(replace(bank.vectors[vector].seen, slot_id=str(nth), ordinal=nth * burst))
    return families.values()


def _by_series(recording: Recording, golden: Golden, units: Units) -> Mapping[SeriesKey, Sequence[tuple[str, Score]]]:
    target, group = golden.track.entry.key
    judged: dict[SeriesKey, list[tuple[str, Score]]] = defaultdict(list)
    for unit, times in zip(*np.unique(units.of(golden.calibration), return_counts=True), strict=True):
        digest = units.first(int(unit)).variant.probe
        for score in units.scores(int(unit)):
            if isinstance(score, Score):
                judged[SeriesKey(target, recording.region, group, score.signal)] += [(digest, score)] * int(times)
    return judged
