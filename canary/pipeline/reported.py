"""Scores of answers that somebody else got and judged, inside a serving boundary that no answer leaves.

`canary score` makes them there: numbers alone. Handed in, they are the scores of an external target, which we do not
fire at: of golden answers its baselines are proposed, and the others feed its detectors like those of any target.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from canary.baseline import calibrate
from canary.errors import BaselineError
from canary.pipeline.advance import Judged
from canary.records import Baseline, Observation, Probe, Purpose, Recording, Score, Signal, Unscored
from canary.store.base import Transaction


@dataclass(frozen=True, slots=True)
class Reported:
    """The scores of one answer to a probe. `identity` is its own: handed in again, it counts once."""

    probe: Probe
    identity: str
    at: datetime
    scores: tuple[Score | Unscored, ...]
    replica: str = ""


def judged(one: Reported, target: str, region: str, *, golden: bool) -> Judged:
    """As what the detectors take, and baselines."""
    purpose = Purpose.GOLDEN if golden else Purpose.REPORTED
    facts = ("reported", purpose.value, target, region, one.probe.digest, one.identity)
    seen = Observation(
        slot_id=hashlib.blake2b("\0".join(facts).encode(), digest_size=12).hexdigest(),
        probe_id=one.probe.id,
        probe_digest=one.probe.digest,
        group=one.probe.group,
        target=target,
        region=region,
        slot_time=one.at,
        started_at=one.at,
        duration=timedelta(0),
        purpose=purpose,
        replica=one.replica,
    )
    return Judged(seen, one.scores)


def propose(
    tx: Transaction, target: str, region: str, signals: Mapping[str, Signal], stratified: Collection[str], now: datetime
) -> tuple[Baseline, ...]:
    """Baselines from the golden scores that were handed in since the last recording.

    Raises:
        BaselineError: there are none, or they are of other scorer versions than `signals`.
    """
    recordings = tx.recordings(target)
    since = max((one.finished_at or one.started_at for one in recordings), default=None)
    golden = list(tx.observations(target=target, purpose=Purpose.GOLDEN, since=since))
    ours = [replace(one, ordinal=nth) for nth, one in enumerate(golden) if one.region == region]
    if not ours:
        raise BaselineError(f"no golden score of {target} was handed in since its last recording")
    epoch = 1 + max((one.epoch for one in recordings), default=0)
    recording = Recording(
        id=hashlib.blake2b(f"{target}\0{region}\0{epoch}".encode(), digest_size=8).hexdigest(),
        target=target,
        region=region,
        epoch=epoch,
        n=len(ours),
        started_at=min(one.slot_time for one in ours),
        finished_at=now,
    )
    made = calibrate(recording, _scored(tx, ours), signals, stratified=stratified, now=now)
    tx.put_recording(recording)
    for baseline in made:
        tx.put_baseline(baseline)
    return made


def _scored(tx: Transaction, golden: list[Observation]) -> Iterator[tuple[Observation, list[Score | Unscored]]]:
    kept = tx.judged([one.slot_id for one in golden])
    for one in golden:
        yield one, [row.score for row in kept[one.slot_id].scores]
