"""A scenario: its file, read and checked, and what is wrong with the fleet at any moment of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

import msgspec

from canary.changes import scope
from canary.config.document import read
from canary.config.problem import Place, Problem, render, suggestion
from canary.config.validate import validated
from canary.drill.shape import ChangePlan, Expected, FaultPlan, ScenarioFile, Stage
from canary.errors import ConfigError, NotFound
from canary.lab.faults import Fault
from canary.lab.spec import FleetSpec, Platform, Pool
from canary.records import Change, Scope

_SHIPPED = Path(__file__).parent / "_scenarios"
_NEVER = datetime.max.replace(tzinfo=UTC)
_TOLD_ELSEWHERE = ("kind", "model", "platform", "pool", "share", "rate")


@dataclass(frozen=True)
class Truth:
    """A fault as it really is in a part of the fleet: on which targets, and how strong over time.

    `plan` speaks of that part alone: what is elsewhere too is a truth of the same name.
    """

    plan: FaultPlan
    targets: frozenset[str]
    stages: tuple[tuple[datetime, Stage], ...]
    faults: tuple[Fault, ...]  # at full share

    @property
    def name(self) -> str:
        return self.plan.name

    @cached_property
    def began(self) -> datetime:
        """When it was there first, or the end of time."""
        return next((at for at, stage in self.stages if stage.share > 0.0), _NEVER)

    @cached_property
    def ended(self) -> datetime:
        """When it was gone for good, or the end of time."""
        at, last = self.stages[-1]
        return at + last.over if last.share == 0.0 else _NEVER

    def share(self, now: datetime) -> float:
        """Of requests that are touched."""
        before, share = 0.0, 0.0
        for at, stage in self.stages:
            if now < at:
                break
            way = min(1.0, (now - at) / stage.over) if stage.over else 1.0
            before, share = stage.share, before + (stage.share - before) * way
        return share

    def at(self, now: datetime) -> tuple[Fault, ...]:
        """What the lab has to do now."""
        share = self.share(now)
        if share == 0.0:
            return ()
        rate = next((stage.rate for at, stage in reversed(self.stages) if at <= now and stage.rate is not None), None)
        return tuple(replace(fault, share=share, rate=fault.rate if rate is None else rate) for fault in self.faults)


@dataclass(frozen=True)
class Scenario:
    """A file that fits together."""

    name: str
    path: Path
    file: ScenarioFile

    @property
    def begin(self) -> datetime:
        return self.moment(self.file.start)

    @property
    def end(self) -> datetime:
        return self.begin + self.file.lasts

    def moment(self, when: datetime | timedelta) -> datetime:
        """Of a time as the file has it."""
        if isinstance(when, datetime):
            return when
        if isinstance(self.file.start, timedelta):
            raise TypeError("a start is a moment")
        return self.file.start + when

    def spec(self, seed: int | None = None) -> FleetSpec:
        """The lab's fleet."""
        fleet = self.file.fleet
        platforms = tuple(
            Platform(
                one.name,
                tuple(Pool(p.name, p.scaling, p.context, p.replicas, p.latency.total_seconds()) for p in one.pools),
                one.drift,
            )
            for one in fleet.platforms
        )
        return FleetSpec(fleet.models, platforms, self.file.seed if seed is None else seed, fleet.swing)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """By name."""
        return tuple("/".join(names) for names in self.spec().targets)

    def covered(self, *where: str) -> frozenset[str]:
        """The targets in these parts of the fleet."""
        return frozenset(name for name in self.targets for part in where if scope(part).covers(name, ""))

    @cached_property
    def truths(self) -> tuple[Truth, ...]:
        """Every fault, and the noise, in each of its parts of the fleet."""
        return tuple(self._truth(part) for plan in self.file.faults for part in _parts(plan))

    def faults(self, now: datetime) -> tuple[Fault, ...]:
        """What is wrong now."""
        return tuple(fault for truth in self.truths for fault in truth.at(now))

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """In the order in which they are made."""
        return tuple(sorted(map(self._change, self.file.changes), key=lambda change: change.at))

    def _truth(self, plan: FaultPlan) -> Truth:
        stages = tuple((self.moment(stage.at), stage) for stage in plan.timeline)
        parts = scope(plan.where)
        faults = tuple(_lab_fault(plan, *names) for names in self._names(parts))
        return Truth(plan, self.covered(plan.where), stages, faults)

    def _names(self, parts: Scope) -> Iterator[tuple[str, str, str]]:
        """The lab knows names and "any", no globs."""
        spec = self.spec()
        pools = dict.fromkeys(pool.name for platform in spec.platforms for pool in platform.pools)
        for model in _fitting(parts.model, spec.models):
            for platform in _fitting(parts.platform, [platform.name for platform in spec.platforms]):
                for pool in _fitting(parts.pool, pools):
                    yield model, platform, pool

    def _change(self, plan: ChangePlan) -> Change:
        finished = None if plan.until is None else self.moment(plan.until)
        where, at = scope(plan.where), self.moment(plan.at)
        return Change(plan.id, plan.kind, at, plan.summary, where, finished_at=finished)


def shipped() -> Mapping[str, Path]:
    """The scenarios that come with Canary, by name."""
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.yaml"))}


def scenario(name: str) -> Scenario:
    """A shipped one by its name, or a file. Raises: ConfigError with everything wrong with the file, NotFound."""
    known = shipped()
    if name in known:
        return load(known[name])
    if Path(name).is_file():
        return load(Path(name))
    raise NotFound(
        f'no scenario "{name}": it is no file, and of those that come with Canary: {suggestion(name, known)}'
    )


def load(path: Path) -> Scenario:
    """Raises: ConfigError, with everything that is wrong with the file."""
    document = read(path)
    if document.problems:
        raise ConfigError(render(path, document.problems))
    file = validated(ScenarioFile, document, document.data, {"folder": path.parent})
    if file is None:
        raise ConfigError(render(path, document.problems))
    found = Scenario(path.stem, path, file)
    if problems := [Problem(place, text, document.line(place)) for place, text in _misfits(found)]:
        raise ConfigError(render(path, problems))
    return found


def _misfits(found: Scenario) -> Iterator[tuple[Place, str]]:
    file = found.file
    yield from _twice(("faults",), [fault.name for fault in file.faults])
    yield from _twice(("changes",), [change.id for change in file.changes])
    for index, fault in enumerate(file.faults):
        yield from _outside(found, ("faults", index, "where"), fault.where)
        for at, part in enumerate(fault.elsewhere):
            yield from _outside(found, ("faults", index, "elsewhere", at, "where"), part.where)
        yield from _unfit(found, fault, ("faults", index, "settings"))
    for index, change in enumerate(file.changes):
        yield from _outside(found, ("changes", index, "where"), change.where)
    names = [fault.name for fault in file.faults]
    for index, note in enumerate(file.history):
        if note.fault is not None and note.fault not in names:
            yield ("history", index, "fault"), f'there is no fault "{note.fault}"; {suggestion(note.fault, names)}'
    for index, expected in enumerate(file.expect.incidents):
        yield from _unheard_of(found, expected, ("expect", "incidents", index))


def _unheard_of(found: Scenario, expected: Expected, place: Place) -> Iterator[tuple[Place, str]]:
    """What an expectation speaks of, and the scenario has not."""
    real = [fault.name for fault in found.file.faults if not fault.benign]
    changes = [change.id for change in found.file.changes]
    for at, where in enumerate(expected.where):
        yield from _outside(found, (*place, "where", at), where)
    if expected.fault not in real:
        yield (*place, "fault"), f'there is no fault "{expected.fault}"; {suggestion(expected.fault, real)}'
    if expected.suspect is not None and expected.suspect not in changes:
        near = suggestion(expected.suspect, changes)
        yield (*place, "suspect"), f'there is no change "{expected.suspect}"; {near}'


def _twice(place: Place, names: list[str]) -> Iterator[tuple[Place, str]]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield (*place, index), f'"{name}" is there already: names are unique'


def _outside(found: Scenario, place: Place, where: str) -> Iterator[tuple[Place, str]]:
    if not found.covered(where):
        yield place, f'"{where}" is no part of the fleet: it covers no target'


def _unfit(found: Scenario, plan: FaultPlan, place: Place) -> Iterator[tuple[Place, str]]:
    """Settings that faults do not have, or that do not fit the kind."""
    known = [field.name for field in fields(Fault) if field.name not in _TOLD_ELSEWHERE]
    if strange := [name for name in plan.settings if name not in known]:
        yield (*place, strange[0]), f"faults have no such setting; {suggestion(strange[0], known)}"
        return
    try:
        fault = _lab_fault(plan)
    except ValueError as error:
        yield place, str(error)
        return
    pools = {pool.name for platform in found.file.fleet.platforms for pool in platform.pools}
    if fault.to_pool and fault.to_pool not in pools:
        yield (*place, "to_pool"), f'there is no pool "{fault.to_pool}"; {suggestion(fault.to_pool, pools)}'


def _lab_fault(plan: FaultPlan, model: str = "", platform: str = "", pool: str = "") -> Fault:
    """Raises: ValueError."""
    facts = {"kind": plan.kind.value, "model": model, "platform": platform, "pool": pool, **plan.settings}
    return msgspec.convert(facts, Fault)


def _parts(plan: FaultPlan) -> Iterator[FaultPlan]:
    yield plan.model_copy(update={"elsewhere": ()})
    for part in plan.elsewhere:
        yield plan.model_copy(update={"where": part.where, "timeline": part.timeline, "elsewhere": ()})


def _fitting(glob: str | None, names: Iterable[str]) -> list[str]:
    """Names as the lab takes them: "" is any."""
    return [""] if glob is None else [name for name in names if fnmatchcase(name, glob)]
