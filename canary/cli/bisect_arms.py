"""The arms of `canary bisect`: what is configured, what was seen, what has a baseline."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from canary.errors import BaselineError
from canary.records import Probe, Purpose, SeriesKey, burst_group, burst_size
from canary.verdict.bisect import Arm, Cell, Dimension
from canary.verdict.hunt import Field, Shot

if TYPE_CHECKING:
    from canary.config import Config
    from canary.pipeline.record import Groups
    from canary.pipeline.watch import Watch
    from canary.records import Incident, Target
    from canary.store.base import Store, Transaction
    from canary.verdict.baseline import BaselineBench

BURSTS = (8, 64)
_NEIGHBOURS = 5
_SESSIONS = 2
FRESH = "fresh"
_LOOKED_AT = 500  # observations in which replicas are looked for
_LONG = 4_000  # characters of a prompt, some thousand tokens

Sessions = Mapping[str, Sequence[str]]
"""Sessions by the replica that they met."""


def field_of(
    config: "Config", store: "Store", target: "Target", groups: "Groups", incident: "Incident | None", share: float
) -> Field:
    """Raises: BaselineError when no arm can be judged."""
    from canary.daemon.assembly import watch_of_groups

    fired = {**groups, **_bursts(store, target, groups)}
    neighbours = _neighbours(config, target, groups)
    reach = {target.name: fired, **{one.name: ours for one, ours in neighbours}}
    places = [target, *(one for one, _ in neighbours)]
    watches = {one.name: watch_of_groups(config, store, one, reach[one.name]) for one in places}
    with store.reading() as tx:
        sessions, evidence = _replicas(tx, target, config.region, groups), _evidence(tx, target, incident)
    plain = [shot for one in places for shot in _shots(one, reach[one.name], target)]
    shots = [*plain, *_directed(plain, target, sessions, evidence)]
    arms = _telling(frozenset().union(*(shot.likely for shot in shots)))
    benches = dict(_benches(arms, shots, watches, share))
    if not benches:
        raise BaselineError(f"no baseline of {target.name} can tell a share of {share:.1%} from healthy: record more")
    cells = [Cell(place, frozenset(shot.likely & benches.keys())) for place, shot in enumerate(shots)]
    return Field(target, benches, [one for one in cells if one.arms], shots, watches, sorted(arms - benches.keys()))


def _shots(target: "Target", groups: "Groups", asked: "Target") -> Iterator[Shot]:
    """In fresh sessions, by probe group and context class."""
    bursty = {probes[0].group for group, probes in groups.items() if burst_size(group) > 1}
    for group, probes in sorted(groups.items()):
        for context in ("short", "long"):
            ours = tuple(probe for probe in probes if (_length(probe) >= _LONG) is (context == "long"))
            if not ours or burst_size(group) > target.limits.concurrency:
                continue
            pool = frozenset({Arm(Dimension.POOL, target.name)})
            if target != asked:
                if burst_size(group) == 1:
                    yield Shot(target, group, ours, pool)
            elif burst_size(group) > 1:
                yield Shot(target, group, ours, frozenset({Arm(Dimension.BURST, str(burst_size(group)))}))
            else:
                burst = {Arm(Dimension.BURST, "1")} if probes[0].group in bursty else set()
                fresh = {Arm(Dimension.CONTEXT, context), Arm(Dimension.SESSION, FRESH)}
                yield Shot(target, group, ours, pool | fresh | burst, named=True)


def _directed(plain: Sequence[Shot], target: "Target", sessions: "Sessions", evidence: Sequence[str]) -> Iterator[Shot]:
    """In sessions that met a replica before, and in those of the incident's evidence."""
    for shot in plain:
        if shot.target != target or shot.burst > 1:
            continue
        for replica, known in sessions.items():
            yield from (replace(shot, feeds=frozenset(), session=one, replica=replica) for one in known)
        for session in evidence:
            yield replace(shot, feeds=frozenset({Arm(Dimension.SESSION, session)}), session=session, named=False)


def _telling(arms: frozenset[Arm]) -> frozenset[Arm]:
    """A dimension of one value says nothing; that of the pool says at least whether anything is wrong."""
    sizes = {one: sum(arm.dimension is one for arm in arms) for one in Dimension}
    return frozenset(arm for arm in arms if sizes[arm.dimension] > 1 or arm.dimension is Dimension.POOL)


def _length(probe: Probe) -> int:
    return sum(len(message.content) for message in probe.messages)


def _bursts(store: "Store", target: "Target", groups: "Groups") -> "Groups":
    """The same families in the burst sizes that have golden answers."""
    from canary.records import BaselineStatus

    with store.reading() as tx:
        golden = {one.series.group for one in tx.baselines(target=target.name, status=BaselineStatus.ACTIVE)}
    wanted = {burst_group(probes[0].group, size): probes for probes in groups.values() for size in (1, *BURSTS)}
    return {group: probes for group, probes in wanted.items() if group in golden}


def _neighbours(config: "Config", target: "Target", groups: "Groups") -> "Sequence[tuple[Target, Groups]]":
    """The other pools of the model, those of the platform first, that are probed with the same probe groups."""
    from canary.daemon.assembly import probes_on

    others = [one for one in config.targets if one.model == target.model and one != target]
    others.sort(key=lambda one: one.platform != target.platform)
    found = [(one, {g: p for g, p in probes_on(config, one).items() if g in groups}) for one in others]
    return [(one, ours) for one, ours in found if ours][:_NEIGHBOURS]


def _replicas(tx: "Transaction", target: "Target", region: str, groups: "Groups") -> "Sessions":
    """Sessions that met it, by the replica's name; of the latest scheduled answers, or else of golden ones."""
    keys = [SeriesKey(target.name, region, group, "availability") for group in groups]
    rows = [row for key in keys for row in tx.scores(key, limit=_LOOKED_AT)]
    slots: dict[str, list[str]] = defaultdict(list)
    for row in reversed(rows):
        if row.replica and len(slots[row.replica]) < _SESSIONS:
            slots[row.replica].append(row.slot_id)
    latest = [one for ours in slots.values() for slot_id in ours if (one := tx.observation(slot_id)) is not None]
    golden = islice(tx.observations(target=target.name, purpose=Purpose.GOLDEN), _LOOKED_AT)
    found: dict[str, list[str]] = defaultdict(list)
    for seen in latest or golden:
        if seen.replica and seen.affinity and len(found[seen.replica]) < _SESSIONS:
            found[seen.replica].append(seen.affinity)
    return {replica: known for replica, known in found.items() if known}


def _evidence(tx: "Transaction", target: "Target", incident: "Incident | None") -> list[str]:
    """The sessions of the incident's strongest evidence."""
    slots = [slot for finding in incident.findings for slot in finding.evidence] if incident else []
    seen = [one for slot in slots if (one := tx.observation(slot)) is not None and one.target == target.name]
    return list(dict.fromkeys(one.affinity for one in seen if one.affinity))[:_SESSIONS]


def _benches(
    arms: frozenset[Arm],
    shots: Sequence[Shot],
    watches: "Mapping[str, Watch]",
    share: float,
) -> "Iterator[tuple[Arm, BaselineBench]]":
    """A judge for each arm at its part of alpha and beta, where golden answers let there be one."""
    from canary.detect import Rule
    from canary.verdict.replay import bench_of

    rule = Rule(share, 0.01 / len(arms), 0.05 / len(arms))
    planned = math.ceil(-2.0 * math.log(rule.beta) / share)
    for arm in sorted(arms):
        ours = [shot for shot in shots if arm in shot.likely]
        groups = {shot.group for shot in ours}
        watch = watches[ours[0].target.name]
        series = [key for key in watch.armed if key.group in groups]
        try:
            yield arm, bench_of(watch, series, rule, {key.group: math.ceil(planned / len(groups)) for key in series})
        except (BaselineError, ValueError):
            continue
