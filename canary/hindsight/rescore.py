"""Scores for signals that were not scored then, from the answers whose bodies are still kept."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from canary.hindsight.scope import own_rows
from canary.pipeline.references import References
from canary.pipeline.watch import Watch
from canary.records import Observation, Probe, Score, Unscored
from canary.score import AVAILABILITY, score
from canary.store.base import Kept, Store


@dataclass(slots=True)
class Rescorer:
    """Completes what was scored by what the watch asks for; counts the answers that it judged, and those it could not.

    `probes` are those of the config by their digest.
    """

    store: Store
    probes: Mapping[str, Probe]
    rescored: int = 0
    lost: int = 0
    _references: References = field(default_factory=References)

    def complete(self, kept: Kept, watch: Watch, wanted: Mapping[str, int]) -> tuple[Score | Unscored, ...]:
        """The scores of an observation, with those of `wanted` (signal to version) that it has none of."""
        known = tuple(row.score for row in own_rows(kept))
        probe = self.probes.get(kept.observation.probe_digest)
        if probe is None:
            return known
        asked = wanted.keys() & {*probe.scorers, AVAILABILITY.name}
        missing = asked - {s.signal for s in known if isinstance(s, Unscored) or s.version == wanted.get(s.signal)}
        if not missing:
            return known
        found = self._again(probe, kept.observation, watch, missing)
        if found is None:
            self.lost += 1
            return known
        self.rescored += 1
        return (*(one for one in known if one.signal not in missing), *found)

    def _again(
        self, probe: Probe, observation: Observation, watch: Watch, missing: Set[str]
    ) -> tuple[Score | Unscored, ...] | None:
        with self.store.reading() as tx:
            whole = tx.observation(observation.slot_id)
            if whole is None or (whole.response is None and whole.failure is None):
                return None
            golden = (self._references.of(tx, watch, one) for one in (observation, whole))
            reference = next((found for found in golden if found is not None), None)
        again = score(probe, whole, reference, watch.scorers)
        return tuple(one for one in again if one.signal in missing)
