"""What each part of the product takes from the config."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from canary.config import Config
from canary.daemon.audience import audience_of
from canary.desk.ground import Ground
from canary.errors import ConfigError, NotFound
from canary.pipeline import feedback
from canary.pipeline.declared import outdated
from canary.pipeline.remembered import remembered
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.records import BaselineStatus, Probe, Signal, Target
from canary.schedule.plan import Plan, PlanEntry
from canary.score import SCORERS, Scorer, signals
from canary.store.base import Retention, Store, Transaction
from canary.web.api.kit import Access

_SEED = "canary"


def store_url(config: Config) -> str:
    """Where the store is; may hold a password."""
    return config.store.url.get_secret_value()


def retention_of(config: Config) -> Retention:
    kept = config.store.retention
    return Retention(kept.healthy_bodies, kept.failure_bodies, kept.observations)


def plan_of(config: Config) -> Plan:
    entries = [
        PlanEntry(one.suite, one.target, one.group, one.probes, one.interval, one.jitter, one.burst)
        for one in config.fired()
    ]
    return Plan(tuple(entries), config.region, _SEED, config.detect.escalation.factor)


def rhythms_of(config: Config) -> tuple[Rhythm, ...]:
    known = signals_of(config)
    return tuple(
        Rhythm(
            one.target.name,
            one.group,
            one.probes,
            one.interval,
            config.detect.replicas and one.target.endpoint.replica_header is not None,
            known,
        )
        for one in config.assignments()
    )


def scorers_of(config: Config) -> Mapping[str, Scorer]:
    """Canary's scorers and the user's own."""
    return remembered({**SCORERS, **config.scorers})


def signals_of(config: Config) -> Mapping[str, Signal]:
    """What these scorers measure, by name."""
    return signals(scorers_of(config))


def terms_of(config: Config) -> Terms:
    return Terms(
        config.budget.false_alarms_per_week, config.budget.delta, config.detect.smallest_share, config.budget.weights
    )


def watch_of(config: Config, store: Store) -> Watch:
    """What the active baselines of the store arm, but for those of a model that was changed since."""
    with store.reading() as tx:
        changes = tx.changes()
        active = (
            baseline
            for target in config.targets
            for baseline in tx.baselines(target=target.name, status=BaselineStatus.ACTIVE)
            if not outdated(baseline, changes)
        )
        counted = feedback_rhythms(tx, config)
        rhythms = (*rhythms_of(config), *counted)
        return muster(
            rhythms, feedback.in_use(active, feedback_of(config)), terms_of(config), config.region, scorers_of(config)
        )


def feedback_of(config: Config) -> feedback.Terms | None:
    """What is counted elsewhere, if anything."""
    given = config.feedback
    return None if given is None else feedback.Terms(given.classes, given.window, given.golden, given.since)


def feedback_rhythms(tx: Transaction, config: Config) -> list[Rhythm]:
    """Of what was handed in."""
    terms = feedback_of(config)
    names = [target.name for target in config.targets]
    return [] if terms is None else feedback.rhythms(tx, terms, names, config.region)


def watch_of_groups(config: Config, store: Store, target: Target, groups: Mapping[str, Sequence[Probe]]) -> Watch:
    """What the target's active baselines say of these probes alone, for a verdict.

    A probe may show more events than its group does on average, so a verdict on some probes of a group stands on their
    own golden answers. All that any golden data can judge may bring a fail; the bench says what a pass speaks of.
    Golden answers of a model that was changed since have no say.
    """
    rhythms = [
        Rhythm(target.name, group, tuple(members), timedelta(minutes=1), known=signals_of(config))
        for group, members in groups.items()
    ]
    terms = replace(terms_of(config), smallest_share=1.0)
    with store.reading() as tx:
        changes = tx.changes()
        active = tx.baselines(target=target.name, status=BaselineStatus.ACTIVE)
        active = [baseline for baseline in active if not outdated(baseline, changes)]
        return muster(rhythms, active, terms, config.region, scorers_of(config))


def watch_of_pairs(config: Config, targets: Sequence[Target], groups: Mapping[str, Sequence[Probe]]) -> Watch:
    """What answers of these probes are scored for, of targets that are compared: no baseline has a say."""
    rhythms = [
        Rhythm(target.name, group, tuple(members), timedelta(minutes=1), known=signals_of(config))
        for target in targets
        for group, members in groups.items()
    ]
    return muster(rhythms, (), terms_of(config), config.region, scorers_of(config))


def ground_of(config: Config, watch: Watch | None = None) -> Ground:
    """What acts and documents need to know."""
    return Ground(config.region, tuple(target.name for target in config.targets), audience_of(config), watch)


def access_of(config: Config) -> Access:
    """Who may ask the API."""
    web = config.web
    open_reading = web.on_loopback if web.require_tokens is None else not web.require_tokens
    secret = web.github_secret.get_secret_value() if web.github_secret else None
    return Access(open_reading, web.names, web.requests_per_second, secret)


def target_of(config: Config, name: str) -> Target:
    """Raises: NotFound."""
    for target in config.targets:
        if target.name == name and target.external:
            raise NotFound(f"{name} is external: it is not fired at, its scores are handed in")
        if target.name == name:
            return target
    known = ", ".join(target.name for target in config.targets[:8])
    raise NotFound(f'no target "{name}": the config has {known}{" and more" if len(config.targets) > 8 else ""}')


def probes_on(config: Config, target: Target) -> dict[str, tuple[Probe, ...]]:
    """The probe groups that are fired at the target, with their probes."""
    return {one.group: one.probes for one in config.assignments() if one.target.name == target.name}


def require_same_ground(old: Config, new: Config) -> None:
    """Raises: ConfigError when the new config would need a restart."""
    moved = [
        name
        for name, before, after in (
            ("store.url", store_url(old), store_url(new)),
            ("region", old.region, new.region),
            ("web", old.web, new.web),
        )
        if before != after
    ]
    if moved:
        raise ConfigError(f"{new.path}: {', '.join(moved)} cannot change while the daemon runs: restart it")
