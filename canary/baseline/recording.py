"""What to fire for a golden recording: a deterministic plan, so that it can be resumed.

Each (probe, salt) is first fired `k` times: the *reference part*, from which the scorers that compare, and the
thresholds, are made. Then, for each probe group, `recording.n` runs with probe and salt drawn at random as in
production: the
*calibration part*. Given the reference part, calibration answers are exchangeable with healthy production answers,
which is what the golden bounds of `canary.detect` stand on.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from canary.errors import BaselineError
from canary.records import Observation, Probe, Purpose, Recording, Run, Target

REFERENCE_ANSWERS = 20


def plan_recording(
    recording: Recording, target: Target, groups: Mapping[str, Sequence[Probe]], *, k: int = REFERENCE_ANSWERS
) -> tuple[Run, ...]:
    """The runs of a recording, in order; runs whose slot id is in the store are not fired again.

    Within each part the order is random: neither a probe nor a group is tied to a time.

    Raises:
        BaselineError: the recording is of another target, or a group has no probe.
    """
    if recording.target != target.name:
        raise BaselineError(f"recording {recording.id} is of {recording.target}, not of {target.name}")
    if empty := sorted(name for name, probes in groups.items() if not probes):
        raise BaselineError(f"no probe in the group {empty[0]}")
    rng = np.random.default_rng(_seed(recording))
    ordered = [sorted(groups[name], key=lambda probe: probe.digest) for name in sorted(groups)]
    reference = [(probe, salt) for probes in ordered for probe in probes for salt in _salts(probe) for _ in range(k)]
    drawn = [_draw(probes, rng) for probes in ordered for _ in range(recording.n)]
    order = [*_shuffled(reference, rng), *_shuffled(drawn, rng)]
    return tuple(
        Run(probe, target, recording.region, recording.started_at, position, salt, Purpose.GOLDEN)
        for position, (probe, salt) in enumerate(order)
    )


def reference_part(observations: Sequence[Observation], *, k: int = REFERENCE_ANSWERS) -> frozenset[str]:
    """The slot ids of the first `k` runs of each (probe, salt), answered or not."""
    counts: dict[tuple[str, int], int] = {}
    chosen = []
    for each in sorted(observations, key=lambda one: one.ordinal):
        variant = (each.probe_digest, each.salt)
        counts[variant] = counts.get(variant, 0) + 1
        if counts[variant] <= k:
            chosen.append(each.slot_id)
    return frozenset(chosen)


def _salts(probe: Probe) -> range:
    return range(max(1, len(probe.salts)))


def _draw(probes: Sequence[Probe], rng: np.random.Generator) -> tuple[Probe, int]:
    probe = probes[int(rng.integers(len(probes)))]
    return probe, int(rng.integers(len(_salts(probe))))


def _shuffled(runs: list[tuple[Probe, int]], rng: np.random.Generator) -> list[tuple[Probe, int]]:
    return [runs[at] for at in rng.permutation(len(runs))]


def _seed(recording: Recording) -> int:
    return int.from_bytes(hashlib.blake2b(recording.id.encode(), digest_size=8).digest(), "little")
