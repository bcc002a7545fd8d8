"""New golden answers, judged by the baselines that they are to replace."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from canary.baseline import Difference, compare, reference_part
from canary.errors import BaselineError
from canary.records import Baseline, Observation, Probe, Purpose, Recording, Score, Signal, Unscored
from canary.score import Scorer, score, signals
from canary.score.burst import bursts, worst
from canary.store.base import Store, Transaction

_Member = tuple[Observation, tuple[Score | Unscored, ...]]


def differences(
    store: Store,
    than: Sequence[Baseline],
    recording: Recording,
    probes: Mapping[str, Probe],
    scorers: Mapping[str, Scorer],
    judged: Callable[[], None] = lambda: None,
) -> tuple[Difference, ...]:
    """What the recording shows beside these baselines of the same target; `probes` are all that is known, by digest.

    Left out are signals whose scorer has changed since, and probes that only one of them has.

    Raises:
        BaselineError: answers of the recording are not kept any more.
    """
    known = signals(scorers)
    comparable = [one for one in than if _comparable(one, recording, known)]
    groups: dict[str, list[Baseline]] = defaultdict(list)
    for one in comparable:
        groups[one.series.group].append(one)
    found = []
    with store.reading() as tx:
        for group, ours in groups.items():
            values = _values(tx, recording, group, ours, probes, scorers, judged)
            each = (compare(one, known[one.series.signal].kind, values[one.series.signal]) for one in ours)
            found += [one for one in each if one is not None]
    return tuple(found)


def _comparable(one: Baseline, recording: Recording, known: Mapping[str, Signal]) -> bool:
    signal, place = known.get(one.series.signal), (one.series.target, one.series.region)
    return signal is not None and signal.version == one.scorer_version and place == (recording.target, recording.region)


def _values(
    tx: Transaction,
    recording: Recording,
    group: str,
    than: Sequence[Baseline],
    probes: Mapping[str, Probe],
    scorers: Mapping[str, Scorer],
    judged: Callable[[], None],
) -> Mapping[str, Mapping[str, Sequence[float]]]:
    """By signal and probe digest; of a burst its worst."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    asked = {one.series.signal for one in than}
    wanted = {part.probe_digest for one in than for part in one.parts} & set(probes)
    narrow = {digest: _only(probes[digest], asked) for digest in wanted}
    for burst in bursts(_judged(tx, recording, group, than[0].epoch, narrow, scorers, judged)):
        for seen, one in worst(burst):
            found[one.signal][seen.probe_digest].append(one.value)
    return found


def _judged(
    tx: Transaction,
    recording: Recording,
    group: str,
    epoch: int,
    probes: Mapping[str, Probe],
    scorers: Mapping[str, Scorer],
    judged: Callable[[], None],
) -> Iterator[_Member]:
    """The calibration part, judged against the references of `epoch`."""
    part = reference_part(list(_golden(tx, recording, group, bodies=False)))
    for answer in _golden(tx, recording, group, bodies=True):
        if answer.slot_id in part or answer.probe_digest not in probes:
            continue
        if answer.response is None and answer.failure is None:
            raise BaselineError(f"answers of {recording.target}, epoch {recording.epoch} are not kept any more")
        reference = tx.reference(recording.target, epoch, answer.probe_digest, answer.salt)
        scores = score(probes[answer.probe_digest], answer, reference, scorers)
        yield replace(answer, response=None), scores
        judged()


def _golden(tx: Transaction, recording: Recording, group: str, *, bodies: bool) -> Iterator[Observation]:
    return tx.observations(
        target=recording.target,
        group=group,
        purpose=Purpose.GOLDEN,
        since=recording.started_at,
        until=recording.started_at + timedelta(milliseconds=1),
        bodies=bodies,
    )


def _only(probe: Probe, asked: set[str]) -> Probe:
    return replace(probe, scorers=tuple(name for name in probe.scorers if name in asked))
