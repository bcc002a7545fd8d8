"""What a config would have made of the stored past: the product's own pipeline over a scratch store.

The stored scores go through `muster`, `advance` and `attend` as if they came in anew, batch by batch, in the order of
their commits. Detectors begin with R = 0. With the config and the baselines that judged then, over all that is stored,
that gives exactly the alarms that were raised: any other alarm is the other config's.

An incident's times are those of its batch, which is not the one of then; people's hands (acknowledge, resolve) are not
repeated.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from canary.alert.incident import Policy
from canary.alert.maintenance import Window, frozen, windows_of
from canary.hindsight.golden import Nursery
from canary.hindsight.reign import Epochs, Group, Reign, pages, survey
from canary.hindsight.rescore import Rescorer
from canary.hindsight.verdicts import Side
from canary.pipeline.advance import Judged, advance
from canary.pipeline.attend import attend
from canary.pipeline.inquiry import HISTORY
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.records import Baseline, BaselineStatus, Observation, Probe
from canary.score import Scorer
from canary.store.base import Kept, Retention, Store, Transaction

_BATCH, _BATCH_TIME = 500, timedelta(minutes=1)
_COMMIT = 2_000  # answers

Progress = Callable[[int, int], None]
"""Answers that passed, of so many."""


class Judge(StrEnum):
    """Which baselines judge an answer of the past."""

    IN_FORCE = "in-force"  # those that judged then; where nothing did, the active ones
    CURRENT = "current"  # the active ones


@dataclass(frozen=True, slots=True)
class Setting:
    """What the config asks for, and its maintenance windows.

    `aliases` are digests of probes that it asks alike but scores for more, old to new.
    """

    rhythms: tuple[Rhythm, ...]
    terms: Terms
    region: str
    scorers: Mapping[str, Scorer]
    aliases: Mapping[str, str]
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Rerun:
    """What became of a span.

    `rescored` and `lost` count answers that lacked a score that the config asks for, `grown` the baselines that were
    made of golden answers for it.
    """

    answers: int
    first: datetime | None
    last: datetime | None
    fed: int
    rescored: int
    lost: int
    grown: int
    watch: Watch
    would: Side


def rerun(
    source: Store,
    scratch: Store,
    setting: Setting,
    judge: Judge,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress = lambda _, __: None,
) -> Rerun:
    """Run the setting over the span of `source`; all that comes of it is written to `scratch`, which is empty."""
    with source.reading() as tx:
        setting = replace(setting, windows=(*setting.windows, *windows_of(tx.silences())))
    past = survey(source, setting.region, since, until)
    active = _active(source, setting)
    if judge is Judge.CURRENT:
        past = replace(past, switches=())
    stage = _Stage(source, scratch, setting, Reign(past, setting.rhythms, active))
    passed = 0
    for page in pages(source, since, until):
        for kept in page:
            stage.take(kept)
        passed += len(page)
        progress(min(passed, past.answers), past.answers)
    stage.flush()
    with scratch.reading() as tx:
        would = Side(tuple(tx.alarms()), tuple(tx.incidents()))
    return Rerun(
        answers=past.answers,
        first=past.first,
        last=past.last,
        fed=stage.fed,
        rescored=stage.rescorer.rescored,
        lost=stage.rescorer.lost,
        grown=stage.nursery.count,
        watch=stage.watch,
        would=would,
    )


class _Stage:
    """Gathers observations into batches and commits them."""

    def __init__(self, source: Store, scratch: Store, setting: Setting, reign: Reign) -> None:
        self.fed = 0
        self.rescorer = Rescorer(source, {probe.digest: probe for rhythm in setting.rhythms for probe in rhythm.probes})
        self.nursery = Nursery(source, setting.region, setting.scorers, setting.aliases)
        self._source, self._scratch, self._setting, self._reign = source, scratch, setting, reign
        self._policy = Policy()
        self._batch: list[Judged] = []
        self._batches: list[list[Judged]] = []
        self._gathered = 0  # answers in them
        longest = max((rhythm.interval for rhythm in setting.rhythms), default=timedelta(0))
        self._retention = Retention(timedelta(0), timedelta(0), observations=2 * HISTORY * longest)
        self._arm()

    def take(self, kept: Kept) -> None:
        if kept.observation.region != self._setting.region:
            return
        if self._reign.reach(kept.seq):
            self.flush()
            self._arm()
        one = self._judged(kept)
        if self._batch and not self._fits(one.observation):
            self._close()
        self._batch.append(one)

    def flush(self) -> None:
        """Commit what was gathered, each batch as the ledger of a daemon does."""
        if self._batch:
            self._batches.append(self._batch)
            self._batch = []
        with self._scratch.transaction() as tx:
            for batch in self._batches:
                now = max(_came(one.observation) for one in batch)
                step = advance(tx, batch, self.watch, lambda seen: frozen(self._setting.windows, seen))
                attend(tx, step, self.watch, self._policy, _silent, now)
                self.fed += sum(row.detector is not None for row in step.rows)
            if self._batches:
                tx.forget(self._retention, _came(self._batches[-1][-1].observation))
        self._batches, self._gathered = [], 0

    def _close(self) -> None:
        """End a batch; many are committed at once, for a commit takes longer than all the rest."""
        self._batches.append(self._batch)
        self._gathered += len(self._batch)
        self._batch = []
        if self._gathered >= _COMMIT:
            self.flush()

    def _fits(self, observation: Observation) -> bool:
        return len(self._batch) < _BATCH and _came(observation) - _came(self._batch[0].observation) <= _BATCH_TIME

    def _judged(self, kept: Kept) -> Judged:
        """Without scores where nothing judged it then."""
        seen = kept.observation
        seen = replace(seen, probe_digest=self._setting.aliases.get(seen.probe_digest, seen.probe_digest))
        if not self._reign.judges(kept):
            return Judged(seen, ())
        wanted = self._wanted.get((seen.target, seen.group), {})
        return Judged(seen, self.rescorer.complete(replace(kept, observation=seen), self.watch, wanted))

    def _arm(self) -> None:
        self.watch = _watch(self._source, self._setting, self._reign.epochs, self.nursery)
        self._wanted: dict[Group, dict[str, int]] = {}
        for series, watched in self.watch.armed.items():
            self._wanted.setdefault((series.target, series.group), {})[series.signal] = watched.version


def _came(observation: Observation) -> datetime:
    return observation.started_at + observation.duration


def _silent(*_: object) -> None:
    """Nobody is told."""


def _watch(source: Store, setting: Setting, epochs: Epochs, nursery: Nursery) -> Watch:
    """What these epochs arm: baselines one at a time, as `muster` lets them go."""
    with source.reading() as tx:
        baselines = _baselines(tx, setting, epochs, nursery)
        return muster(setting.rhythms, baselines, setting.terms, setting.region, setting.scorers)


def _baselines(tx: Transaction, setting: Setting, epochs: Epochs, nursery: Nursery) -> Iterator[Baseline]:
    known: dict[Group, set[str]] = {}
    for target, wanted in _by_target(epochs).items():
        for epoch in sorted(set(wanted.values())):
            for baseline in tx.baselines(target=target, epoch=epoch):
                group, proposed = baseline.series.group, baseline.status is BaselineStatus.PROPOSED
                if wanted.get(group) == epoch and baseline.series.region == setting.region and not proposed:
                    known.setdefault((target, group), set()).add(baseline.series.signal)
                    yield _aliased(baseline, setting.aliases)
    for rhythm in setting.rhythms:
        place = (rhythm.target, rhythm.group)
        if place in epochs:
            yield from nursery.grow(rhythm, epochs[place], known.get(place, set()))


def _by_target(epochs: Epochs) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (target, group), epoch in epochs.items():
        found.setdefault(target, {})[group] = epoch
    return found


def _active(source: Store, setting: Setting) -> Epochs:
    targets = dict.fromkeys(rhythm.target for rhythm in setting.rhythms)
    with source.reading() as tx:
        return {
            (target, baseline.series.group): baseline.epoch
            for target in targets
            for baseline in tx.baselines(target=target, status=BaselineStatus.ACTIVE)
            if baseline.series.region == setting.region
        }


def _aliased(baseline: Baseline, aliases: Mapping[str, str]) -> Baseline:
    """Golden answers of a probe that is asked alike are golden answers of the other."""
    if not any(part.probe_digest in aliases for part in baseline.parts):
        return baseline
    parts = (replace(part, probe_digest=aliases.get(part.probe_digest, part.probe_digest)) for part in baseline.parts)
    return replace(baseline, parts=tuple(parts))


def aliases(old: Iterable[Probe], new: Iterable[Probe]) -> Mapping[str, str]:
    """Digests of probes that differ in their scorers alone, old to new: what was scored then still counts.

    A digest that is in use still is no other probe's.
    """
    after = {probe.id: probe for probe in new}
    digests = {probe.digest for probe in after.values()}
    pairs = ((probe, after[probe.id]) for probe in old if probe.id in after and probe.digest not in digests)
    return {one.digest: other.digest for one, other in pairs if _asked(one) == _asked(other)}


def _asked(probe: Probe) -> Probe:
    return replace(probe, scorers=(), why="")
