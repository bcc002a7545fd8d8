"""The config as the daemon takes it, and how its parts fit together."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import Field, InstanceOf

from canary import records
from canary.config.cost import cost
from canary.config.fleet import repeated
from canary.config.problem import Place, Problem, suggestion
from canary.config.settings import Common, Settings, Suite
from canary.config.suites import builtin_suites
from canary.config.ways import idle_windows, lost_ways


@dataclass(frozen=True, slots=True)
class Assignment:
    """One probe group that one suite fires at one target: one of `probes` in each interval, `burst` times at once."""

    suite: str
    target: records.Target
    group: str
    probes: tuple[records.Probe, ...]
    interval: timedelta
    jitter: timedelta
    burst: int = 1

    @property
    def tokens(self) -> float:
        """What one slot costs on average, every answer as long as its probe allows."""
        return self.burst * sum(cost(probe).total for probe in self.probes) / len(self.probes)

    def tokens_in(self, span: timedelta) -> float:
        """What its slots cost in so long a time."""
        return self.tokens * (span / self.interval)


class Config(Common):
    """All that the user wrote, checked. `digest` tells two configs apart, but not two values of a secret."""

    path: InstanceOf[Path]
    settings: Settings = Field(repr=False)
    targets: tuple[InstanceOf[records.Target], ...] = Field(repr=False)
    probes: tuple[InstanceOf[records.Probe], ...] = Field(repr=False)
    scorers: InstanceOf[Mapping] = Field(repr=False)  # type: ignore[type-arg]
    digest: str

    def assignments(self) -> tuple[Assignment, ...]:
        """By suite, target, group: each (target, group) at most once."""
        return tuple(
            assignment for suite in self.suites for assignment in _assignments(suite, self.targets, self.probes)
        )

    def fired(self) -> tuple[Assignment, ...]:
        """Those of targets that we fire at."""
        return tuple(one for one in self.assignments() if not one.target.external)

    def fired_by(self, name: str) -> tuple[Assignment, ...]:
        """By one suite of the config, or as the built-in suite of that name would; nothing where there is neither."""
        own = tuple(assignment for assignment in self.assignments() if assignment.suite == name)
        choice = builtin_suites().get(name)
        if own or choice is None:
            return own
        suite = Suite(name=name, interval=timedelta(minutes=1), **choice.model_dump(exclude={"why"}, exclude_none=True))
        return tuple(_assignments(suite, self.targets, self.probes))


def misfits(
    settings: Settings,
    suites: Sequence[Suite],
    targets: Sequence[records.Target],
    probes: Sequence[records.Probe],
    signals: Collection[str],
) -> list[Problem]:
    """What is wrong between suites, receivers, targets, probes and signals."""
    problems = [
        *_unheard_of(settings.budget.weights, signals),
        *repeated([suite.name for suite in settings.suites], ("suites",)),
        *repeated([receiver.name for receiver in settings.receivers], ("receivers",)),
        *repeated([window.name for window in settings.maintenance], ("maintenance",)),
    ]
    problems += lost_ways(settings.route, settings.receivers, targets)
    problems += idle_windows(settings.maintenance, targets, settings.region)
    owners: dict[tuple[str, str], str] = {}
    for index, suite in enumerate(suites):
        place = ("suites", index)
        assignments = _assignments(suite, targets, probes)
        problems += _strangers(suite, place, probes) or _overlaps(suite, place, assignments, owners)
        problems += [Problem((*place, "burst"), fault) for fault in filter(None, map(_torn, assignments))][:1]
    return problems


def _unheard_of(weights: Collection[str], signals: Collection[str]) -> Iterator[Problem]:
    for name in weights:
        if name not in signals:
            yield Problem(("budget", "weights", name), f'there is no signal "{name}"; {suggestion(name, signals)}')


def _assignments(suite: Suite, targets: Sequence[records.Target], probes: Sequence[records.Probe]) -> list[Assignment]:
    groups: dict[str, list[records.Probe]] = {}
    for probe in probes:
        if _chosen(suite, probe):
            groups.setdefault(probe.group, []).append(probe)
    return [
        Assignment(
            suite=suite.name,
            target=target,
            group=records.burst_group(group, burst),
            probes=tuple(members),
            interval=suite.interval,
            jitter=suite.spread,
            burst=burst,
        )
        for target in targets
        if suite.targets.fits_target(target)
        for group, members in groups.items()
        for burst in suite.burst
    ]


def _chosen(suite: Suite, probe: records.Probe) -> bool:
    if suite.probes is not None:
        return probe.id in suite.probes
    wanted = suite.families is None or probe.family in suite.families
    return wanted and cost(probe).total <= suite.max_tokens_per_run


def _strangers(suite: Suite, place: Place, probes: Sequence[records.Probe]) -> list[Problem]:
    """Families and probes that the suite names and nobody has."""
    problems = []
    for key, named, known in (
        ("families", suite.families, {probe.family for probe in probes}),
        ("probes", suite.probes, {probe.id for probe in probes}),
    ):
        for index, name in enumerate(named or ()):
            if name not in known:
                problems.append(Problem((*place, key, index), f'there is no "{name}"; {suggestion(name, known)}'))
    return problems


def _overlaps(
    suite: Suite, place: Place, assignments: Sequence[Assignment], owners: dict[tuple[str, str], str]
) -> list[Problem]:
    """A suite that fires nothing, or what another suite fires already: a series has one rhythm."""
    if not assignments:
        fault = "fires nothing: no target fits, or no probe is chosen within max_tokens_per_run"
        return [Problem(place, fault)]
    clashes: dict[str, Problem] = {}
    for assignment in assignments:
        owner = owners.setdefault((assignment.target.name, assignment.group), suite.name)
        if owner != suite.name:
            fault = (
                f'covers the probe group "{assignment.group}" on {assignment.target.name}, '
                f'as the suite "{owner}" does: a series has one rhythm, so part them by families or targets'
            )
            clashes.setdefault(owner, Problem(place, fault))
    return list(clashes.values())


def _torn(assignment: Assignment) -> str | None:
    """Why the limits of the target would pull the burst apart; a torn burst is none."""
    size, limits, name = assignment.burst, assignment.target.limits, assignment.target.name
    if size == 1:
        return None
    if size > min(limits.concurrency, limits.rate_per_second):
        needed = f"its endpoint's limits need concurrency and rate_per_second of at least {size}"
        return f"{size} at once are more than {name} may be asked: {needed}"
    tokens = size * max(cost(probe).total for probe in assignment.probes)
    if limits.tokens_per_day is not None and tokens > limits.tokens_per_day:
        return f"{size} at once may cost {tokens:,} tokens, and {name} has {limits.tokens_per_day:,} tokens_per_day"
    return None
