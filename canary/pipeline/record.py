"""Record a golden baseline: fire, keep, calibrate. It can be stopped at any moment and resumed."""

import asyncio
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from canary.baseline import Scales, calibrate, plan_recording, promote, reference_part, references, scales_of
from canary.clock import Clock
from canary.pipeline.guard import changes_under
from canary.pipeline.writer import Writer, weight
from canary.records import (
    AuditEntry,
    Baseline,
    BaselineStatus,
    Observation,
    Probe,
    Purpose,
    Recording,
    Reference,
    Run,
    Score,
    Signal,
    Target,
    Unscored,
)
from canary.score import SCORERS, SIGNALS, Scorer, score, signals, stratified
from canary.store.base import Store, Transaction

RESUMABLE = timedelta(days=1)
"""Golden answers of one recording are of one time: an older one that was broken off is not gone on with."""

Groups = Mapping[str, Sequence[Probe]]
Fire = Callable[[Sequence[Run]], Awaitable[Sequence[Observation]]]
"""Fires a run, or all of a burst at once."""
Progress = Callable[[int, int], None]


def begin(store: Store, target: Target, region: str, n: int, now: datetime, version: str = "") -> Recording:
    """The target's unfinished recording of this size and model version; or a new one in a new epoch.

    One that is older than a day, or that something was changed under, is not gone on with.
    """
    with store.transaction() as tx:
        known = tx.recordings(target.name)
        for recording in known:
            if _resumable(recording, region, n, now, version) and not _changed(tx, recording, now):
                return recording
        epoch = 1 + max((recording.epoch for recording in known), default=0)
        identity = _identity(target.name, region, epoch, version)
        recording = Recording(identity, target.name, region, epoch, n, now)
        tx.put_recording(recording)
        return recording


def _resumable(recording: Recording, region: str, n: int, now: datetime, version: str) -> bool:
    fits = recording.finished_at is None and (recording.n, recording.region) == (n, region)
    same = recording.id == _identity(recording.target, region, recording.epoch, version)
    return fits and same and now - recording.started_at <= RESUMABLE


def _identity(target: str, region: str, epoch: int, version: str) -> str:
    facts = (target, region, str(epoch), *([version] if version else []))
    return hashlib.blake2b("\0".join(facts).encode(), digest_size=6).hexdigest()


def _changed(tx: Transaction, recording: Recording, now: datetime) -> bool:
    return any(changes_under(tx, recording.target, recording.region, recording.started_at, now))


async def record(
    store: Store,
    fire: Fire,
    clock: Clock,
    recording: Recording,
    target: Target,
    groups: Groups,
    fired: Progress,
    judged: Progress,
    scorers: Mapping[str, Scorer] = SCORERS,
    version: str = "",
) -> tuple[Baseline, ...]:
    """Fire what is left of the recording, then propose its baselines. `judged` is called in a worker thread.

    `version` is that of the model, if it is declared.

    Bursts are fired one by one, with nothing beside them: together they would be larger bursts.

    Raises:
        BaselineError: nothing of it could be judged.
    """
    runs = plan_recording(recording, target, groups)
    done = await asyncio.to_thread(_done, store, recording)
    left = [volley for volley in _volleys(runs) if volley[0].slot_id not in done]
    count = itertools.count(1 + len(runs) - sum(map(len, left)))

    def told() -> None:
        fired(next(count), len(runs))

    await _fire_all(store, fire, clock, [one for one in left if len(one) == 1], target.limits.concurrency, told)
    await _fire_all(store, fire, clock, [one for one in left if len(one) > 1], 1, told)
    count = itertools.count(1)
    planned = frozenset(run.slot_id for run in runs)
    return await asyncio.to_thread(
        propose,
        store,
        recording,
        groups,
        planned,
        clock.now(),
        lambda: judged(next(count), len(runs)),
        scorers,
        version,
    )


def propose(
    store: Store,
    recording: Recording,
    groups: Groups,
    planned: frozenset[str],
    now: datetime,
    judged: Callable[[], None],
    scorers: Mapping[str, Scorer] = SCORERS,
    version: str = "",
) -> tuple[Baseline, ...]:
    """Calibrate a recording, one family after the other, and keep what comes of it.

    Only `planned` slots count: those of another plan (the suite was edited, and the recording resumed) are no random
    draws of this one.
    """
    proposed: list[Baseline] = []
    known_signals, worst = signals(scorers), stratified(scorers)
    for family in _families(groups):
        with store.reading() as tx:
            found, scales = _learnt(tx, recording, {group: groups[group] for group in family}, planned, scorers)
            known = {(reference.probe_digest, reference.salt): reference for reference in found}
            for group in family:
                by_digest = {probe.digest: probe for probe in groups[group]}
                answers = (answer for answer in _golden(tx, recording, group, bodies=True) if answer.slot_id in planned)
                rows = _judged(answers, by_digest, known, scorers, judged)
                made = calibrate(recording, rows, known_signals, stratified=worst, now=now, scales=scales)
                proposed += [replace(one, version=version) for one in made]
        with store.transaction() as tx:
            tx.put_references(recording.target, recording.epoch, found)
    with store.transaction() as tx:
        for baseline in proposed:
            tx.put_baseline(baseline)
        tx.put_recording(replace(recording, finished_at=now))
    return tuple(proposed)


def _learnt(
    tx: Transaction, recording: Recording, family: Groups, planned: frozenset[str], scorers: Mapping[str, Scorer]
) -> tuple[tuple[Reference, ...], Scales]:
    """What the reference part of a family says; its bodies are let go."""
    golden = [one for group in family for one in reference_observations(tx, recording, group, planned)]
    probes = {probe.digest: probe for group in family.values() for probe in group}
    return references(golden), scales_of(golden, probes, scorers)


def promote_epoch(
    store: Store, target: str, epoch: int, known: Mapping[str, Signal] = SIGNALS, noted: AuditEntry | None = None
) -> tuple[Baseline, ...]:
    """Make the baselines of a recording the ones that judge, and write down whose act it was.

    Raises:
        BaselineError: there is nothing to promote.
    """
    with store.transaction() as tx:
        active = tx.baselines(target=target, status=BaselineStatus.ACTIVE)
        proposed = tx.baselines(target=target, status=BaselineStatus.PROPOSED, epoch=epoch)
        changed = promote(active, proposed, known)
        for baseline in changed:
            tx.put_baseline(baseline)
        revise(tx)
        if noted is not None:
            tx.note(noted)
    return changed


def revise(tx: Transaction) -> None:
    """What judges is not what it was."""
    tx.put_fact(REVISION, str(1 + int(tx.fact(REVISION) or 0)))


REVISION = "baselines.revision"
"""The fact that tells a running daemon that baselines changed."""


def _volleys(runs: Sequence[Run]) -> Iterator[Sequence[Run]]:
    """The bursts of a plan, a lone run as a burst of one."""
    at = 0
    while at < len(runs):
        size = runs[at].burst
        yield runs[at : at + size]
        at += size


def _families(groups: Groups) -> Sequence[Sequence[str]]:
    """The groups that have probes in common: those of one family, fired alone and in bursts. They share references."""
    families: dict[str, list[str]] = defaultdict(list)
    for group, probes in sorted(groups.items()):
        families[probes[0].group].append(group)
    return list(families.values())


def _done(store: Store, recording: Recording) -> frozenset[str]:
    with store.reading() as tx:
        return frozenset(observation.slot_id for observation in _golden(tx, recording, None, bodies=False))


def _golden(tx: Transaction, recording: Recording, group: str | None, *, bodies: bool) -> Iterator[Observation]:
    began = recording.started_at
    until = began + timedelta(milliseconds=1)
    return tx.observations(
        target=recording.target, group=group, purpose=Purpose.GOLDEN, since=began, until=until, bodies=bodies
    )


def reference_observations(
    tx: Transaction, recording: Recording, group: str, planned: Container[str] | None = None
) -> list[Observation]:
    """The reference part of a group, of the `planned` slots if they are known.

    Asked for one by one: to read the bodies of all would cost as much as to judge them.
    """
    bare = (answer for answer in _golden(tx, recording, group, bodies=False) if answer.leads)
    part = reference_part([answer for answer in bare if planned is None or answer.slot_id in planned])
    return [answer for slot_id in part if (answer := tx.observation(slot_id)) is not None]


def _judged(
    answers: Iterable[Observation],
    probes: Mapping[str, Probe],
    known: Mapping[tuple[str, int], Reference],
    scorers: Mapping[str, Scorer],
    judged: Callable[[], None],
) -> Iterator[tuple[Observation, tuple[Score | Unscored, ...]]]:
    for answer in answers:
        scores = score(probes[answer.probe_digest], answer, known.get((answer.probe_digest, answer.salt)), scorers)
        yield replace(answer, response=None), scores
        judged()


async def _fire_all(
    store: Store, fire: Fire, clock: Clock, volleys: Sequence[Sequence[Run]], width: int, told: Callable[[], None]
) -> None:
    """Keep what comes back of each volley, all of it or nothing; `told` is called for each run."""

    def keep(batch: Sequence[Sequence[Observation]]) -> None:
        with store.transaction() as tx:
            tx.add_observations(list(itertools.chain.from_iterable(batch)))

    writer = Writer(keep, clock, weigh=weight)
    todo = iter(volleys)

    async def work() -> None:
        for volley in todo:
            await writer.put(await fire(volley))
            for _ in volley:
                told()

    try:
        async with asyncio.TaskGroup() as tasks:  # a writer that fails ends the workers too
            writing = tasks.create_task(writer.run())
            await asyncio.gather(*[tasks.create_task(work()) for _ in range(width)])
            await writer.drained()
            writing.cancel()
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
