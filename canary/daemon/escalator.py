"""Who is probed faster: what evidence asks for, as far as the tokens and the targets' limits reach."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from canary.config import Config, cost
from canary.daemon.fund import Fund
from canary.daemon.purse import Purse
from canary.detect.escalation import Levels
from canary.pipeline.escalation import Escalation, Key
from canary.pipeline.scopes import of_place
from canary.pipeline.watch import Watch
from canary.records import Incident, Run, SeriesKey
from canary.store.base import StateKind, Store, StoredState

HORIZON = timedelta(hours=6)
"""Together the escalated would not use up what is left of the week's tokens sooner. So the tokens last for the next
warning too, and a scope with a thousand members escalates them in turn, those with the most evidence first."""

_WEEK, _SECOND = timedelta(weeks=1), timedelta(seconds=1)
_FACT = "daemon.escalation."


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store knows of a daemon's escalation: whom at the last heartbeat, and the tokens spent by the hour."""

    at: datetime | None = None
    keys: frozenset[Key] = frozenset()
    hours: Mapping[str, int] = field(default_factory=dict)


def kept(store: Store, region: str) -> Kept:
    """As `Escalator.fact` wrote it."""
    with store.reading() as tx:
        text = tx.fact(_FACT + region)
    if text is None:
        return Kept()
    facts = json.loads(text)
    keys = frozenset((target, group) for target, group in facts["keys"])
    return Kept(datetime.fromisoformat(facts["at"]), keys, facts["hours"])


def alarm_states(store: Store) -> Collection[StoredState]:
    """All that the store has."""
    with store.reading() as tx:
        return tx.states(StateKind.ALARM).values()


class Escalator:
    """Lives in the event loop. `keys` are those that are probed faster at present."""

    def __init__(self, config: Config, watch: Watch, purse: Purse, states: Iterable[StoredState], fund: Fund) -> None:
        self.keys: frozenset[Key] = frozenset()
        self._purse = purse
        self._fund = fund
        self.configure(config, watch, states)

    def configure(self, config: Config, watch: Watch, states: Iterable[StoredState]) -> None:
        """Another config, or other baselines, with what the store has of their series."""
        rules = config.detect.escalation
        self._on = rules.extra_share > 0.0
        self._extra = rules.factor - 1
        self._region = config.region
        self._assignments = {(one.target.name, one.group): one for one in config.fired()}
        self._rates, self._daily = defaultdict[str, float](float), defaultdict[str, float](float)
        for one in self._assignments.values():
            self._rates[one.target.name] += one.burst * (_SECOND / one.interval)
            self._daily[one.target.name] += one.tokens_in(timedelta(days=1))
        self._fund.weekly = rules.extra_share * sum(one.tokens_in(_WEEK) for one in self._assignments.values())
        self._escalation = Escalation(watch, Levels(rules.warning), states if self._on else ())

    def heed(self, states: Iterable[StoredState]) -> None:
        """A batch left these."""
        if self._on:
            self._escalation.heed(states)

    def choose(self, now: datetime, unresolved: Iterable[Incident]) -> bool:
        """Set `keys` anew; whether they are others than before."""
        before = self.keys
        self.keys = self._affordable(self._escalation.wanted(now, _reported(unresolved)), now)
        return self.keys != before

    def pays(self, volley: Sequence[Run], now: datetime) -> bool:
        """Whether an extra slot may be fired; then its tokens are spent, every answer as long as its probe allows."""
        first = volley[0]
        tokens = len(volley) * cost(first.probe).total
        planned = self._daily[first.target.name]
        if tokens > self._fund.left(now) or not self._purse.spares(first.target, tokens, planned, now):
            return False
        self._fund.spend(tokens, now)
        return True

    def left(self, now: datetime) -> float:
        """Tokens that extra runs may still cost now."""
        return self._fund.left(now)

    def fact(self, now: datetime) -> tuple[str, str]:
        """Name and value of what `kept` reads."""
        facts = {"at": now.isoformat(), "keys": sorted(self.keys), "hours": self._fund.hours}
        return _FACT + self._region, json.dumps(facts)

    def _affordable(self, wanted: Sequence[Key], now: datetime) -> frozenset[Key]:
        """The first ones that fit. Tokens for one at a time there always are, while there are any."""
        chosen: list[Key] = []
        tokens, room = 0.0, self._fund.left(now) if wanted else 0.0
        rates: dict[str, float] = {}
        for one in (self._assignments[key] for key in wanted if key in self._assignments):
            name, times = one.target.name, self._extra * one.burst
            rate = rates.get(name, self._rates[name]) + times * (_SECOND / one.interval)
            if rate > one.target.limits.rate_per_second:
                continue
            tokens += self._extra * one.tokens_in(HORIZON)
            if tokens > room and (chosen or not room):
                break
            rates[name] = rate
            chosen.append((name, one.group))
        return frozenset(chosen)


def _reported(unresolved: Iterable[Incident]) -> frozenset[SeriesKey]:
    """What watches the places of findings that stand."""
    standing = (finding for incident in unresolved for finding in incident.findings if finding.recovered_at is None)
    return frozenset(of_place(one.blame.place, one.series) if one.blame else one.series for one in standing)
