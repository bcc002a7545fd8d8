"""Baselines for signals that nobody scored when an epoch was recorded, from the golden answers that are still kept."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from canary.baseline import Scales, calibrate, scales_of
from canary.errors import BaselineError
from canary.pipeline.record import reference_observations
from canary.pipeline.watch import Rhythm
from canary.records import Baseline, Observation, Probe, Purpose, Recording, Score, Unscored
from canary.score import Scorer, score, signals, stratified
from canary.store.base import Store, Transaction

_Scored = tuple[Observation, tuple[Score | Unscored, ...]]


@dataclass(slots=True)
class Nursery:
    """Grows baselines, each once, for groups with a probe that is an alias (see `Setting`): others are as they were."""

    store: Store
    region: str
    scorers: Mapping[str, Scorer]
    aliases: Mapping[str, str]
    _grown: dict[tuple[str, str, int], tuple[Baseline, ...]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Baselines that were grown."""
        return sum(map(len, self._grown.values()))

    def grow(self, rhythm: Rhythm, epoch: int, known: Collection[str]) -> tuple[Baseline, ...]:
        """For the signals that the rhythm asks for beyond those with a known baseline of this epoch."""
        missing = {signal.name for signal in rhythm.signals} - set(known)
        new = {probe.digest for probe in rhythm.probes} & set(self.aliases.values())
        if not missing or not new:
            return ()
        key = (rhythm.target, rhythm.group, epoch)
        if key not in self._grown:
            self._grown[key] = self._calibrated(rhythm, epoch, missing)
        return self._grown[key]

    def _calibrated(self, rhythm: Rhythm, epoch: int, missing: Collection[str]) -> tuple[Baseline, ...]:
        with self.store.reading() as tx:
            recorded = [r for r in tx.recordings(rhythm.target) if (r.epoch, r.region) == (epoch, self.region)]
            if not recorded or recorded[0].finished_at is None:
                return ()
            scored = self._scored(tx, recorded[0], rhythm, missing)
            scales = self._scales(tx, recorded[0], rhythm, missing)
            now, worst = recorded[0].finished_at, stratified(self.scorers)
            try:
                return calibrate(recorded[0], scored, signals(self.scorers), stratified=worst, now=now, scales=scales)
            except BaselineError:  # nothing that is kept can be judged
                return ()

    def _scored(
        self, tx: Transaction, recording: Recording, rhythm: Rhythm, missing: Collection[str]
    ) -> Iterator[_Scored]:
        probes = _only(rhythm, missing)
        began = recording.started_at
        answers = tx.observations(
            target=rhythm.target,
            group=rhythm.group,
            purpose=Purpose.GOLDEN,
            since=began,
            until=began + timedelta(milliseconds=1),
            bodies=True,
        )
        for answer in answers:
            digest = self._known(answer)
            if digest in probes:
                found = self._score(tx, recording, probes[digest], answer)
                yield (
                    replace(answer, probe_digest=digest, response=None),
                    tuple(one for one in found if one.signal in missing),
                )

    def _scales(self, tx: Transaction, recording: Recording, rhythm: Rhythm, missing: Collection[str]) -> Scales:
        probes = _only(rhythm, missing)
        golden = reference_observations(tx, recording, rhythm.group)
        ours = [replace(one, probe_digest=self._known(one)) for one in golden if self._known(one) in probes]
        return scales_of(ours, probes, self.scorers)

    def _known(self, answer: Observation) -> str:
        """The digest by which the probe is known now."""
        return self.aliases.get(answer.probe_digest, answer.probe_digest)

    def _score(
        self, tx: Transaction, recording: Recording, probe: Probe, answer: Observation
    ) -> tuple[Score | Unscored, ...]:
        """Nothing where the body is not kept any more."""
        if answer.response is None and answer.failure is None:
            return ()
        reference = tx.reference(recording.target, recording.epoch, answer.probe_digest, answer.salt)
        return score(probe, answer, reference, self.scorers)


def _only(rhythm: Rhythm, scorers: Collection[str]) -> Mapping[str, Probe]:
    """The probes by digest, with these scorers alone."""
    return {
        probe.digest: replace(probe, scorers=tuple(name for name in probe.scorers if name in scorers))
        for probe in rhythm.probes
    }
