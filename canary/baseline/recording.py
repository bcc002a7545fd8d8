"""What to fire for a golden recording: a deterministic plan, so that it can be resumed.

Each (probe, salt) is first fired `k` times: the *reference part*, from which the scorers that compare, the thresholds
and the scales of distances are made. Then, for each probe group, `recording.n` runs with probe and salt drawn at random
as in production: the *calibration part*. Given the reference part, calibration answers are exchangeable with healthy
production answers, which is what the golden bounds of `canary.detect` stand on.

A group of bursts is fired in bursts, in both parts, and a burst counts as one.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from canary.errors import BaselineError
from canary.records import Observation, Probe, Purpose, Recording, Run, Target, burst_size

REFERENCE_ANSWERS = 20


def plan_recording(
    recording: Recording, target: Target, groups: Mapping[str, Sequence[Probe]], *, k: int = REFERENCE_ANSWERS
) -> tuple[Run, ...]:
    """The runs of a recording, in order, those of a burst side by side; what is in the store is not fired again.

    `groups` are the probes by probe group. Within each part the order is random: neither a probe nor a group is tied
    to a time.

    Raises:
        BaselineError: the recording is of another target, or a group has no probe.
    """
    if recording.target != target.name:
        raise BaselineError(f"recording {recording.id} is of {recording.target}, not of {target.name}")
    if empty := sorted(name for name, probes in groups.items() if not probes):
        raise BaselineError(f"no probe in the group {empty[0]}")
    rng = np.random.default_rng(_seed(recording))
    ordered = [(burst_size(name), sorted(groups[name], key=lambda probe: probe.digest)) for name in sorted(groups)]
    reference = [
        (burst, probe, salt)
        for burst, probes in ordered
        for probe in probes
        for salt in _salts(probe)
        for _ in range(k)
    ]
    drawn = [(burst, *_draw(probes, rng)) for burst, probes in ordered for _ in range(recording.n)]
    order = [*_shuffled(reference, rng), *_shuffled(drawn, rng)]
    place = target, recording.region, recording.started_at
    return tuple(
        run
        for position, (burst, probe, salt) in enumerate(order)
        for run in Run(probe, *place, position * burst, salt, Purpose.GOLDEN, burst).volley
    )


def reference_part(observations: Sequence[Observation], *, k: int = REFERENCE_ANSWERS) -> frozenset[str]:
    """The slot ids of the first `k` runs, or bursts, of each (probe, salt), answered or not."""
    units: dict[tuple[str, str, int], set[int]] = defaultdict(set)
    chosen = []
    for each in sorted(observations, key=lambda one: one.ordinal):
        seen = units[each.group, each.probe_digest, each.salt]
        seen.add(each.ordinal // each.burst)
        if len(seen) <= k:
            chosen.append(each.slot_id)
    return frozenset(chosen)


def _salts(probe: Probe) -> range:
    return range(max(1, len(probe.salts)))


def _draw(probes: Sequence[Probe], rng: np.random.Generator) -> tuple[Probe, int]:
    probe = probes[int(rng.integers(len(probes)))]
    return probe, int(rng.integers(len(_salts(probe))))


def _shuffled(chosen: list[tuple[int, Probe, int]], rng: np.random.Generator) -> list[tuple[int, Probe, int]]:
    return [chosen[at] for at in rng.permutation(len(chosen))]


def _seed(recording: Recording) -> int:
    return int.from_bytes(hashlib.blake2b(recording.id.encode(), digest_size=8).digest(), "little")
