"""Which answers deserve to be kept longer than the healthy ones."""

from collections.abc import Collection, Iterable, Sequence

from canary.records import Observation, Purpose, Recording

EVIDENCE = "evidence"
"""Why an answer is kept: an event or a failure is near it, or a verdict on demand stands on it.

Golden ones are kept for their recording's id."""

ON_DEMAND = (Purpose.REPLAY, Purpose.COMPARE, Purpose.GATE)
"""Why the runs of verdicts are fired."""

NEIGHBOURS = 3
"""Answers kept on each side of one with an event or a failure, on the same target and group."""


def evidence(line: Sequence[tuple[int, bool]]) -> frozenset[int]:
    """Of (seq, whether it is an event or a failure) in slot order: the seqs of those, and of their neighbours."""
    return frozenset(
        line[near][0]
        for i, (_, bad) in enumerate(line)
        if bad
        for near in range(max(0, i - NEIGHBOURS), min(len(line), i + NEIGHBOURS + 1))
    )


def in_force(recordings: Iterable[Recording], epochs: Collection[tuple[str, int]]) -> Sequence[Recording]:
    """The recordings that a baseline not yet retired rests on, by the (target, epoch) of those baselines."""
    return [recording for recording in recordings if (recording.target, recording.epoch) in epochs]


def recording_of(observation: Observation, recordings: Iterable[Recording]) -> Recording | None:
    """The recording in whose session a golden observation was made."""
    return next((r for r in recordings if _covers(r, observation)), None)


def _covers(recording: Recording, observation: Observation) -> bool:
    return (
        (recording.target, recording.region) == (observation.target, observation.region)
        and recording.started_at <= observation.started_at
        and (recording.finished_at is None or observation.started_at <= recording.finished_at)
    )
