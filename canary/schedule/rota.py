"""A plan from one moment on: what makes the switch from one plan to the next exact.

A slot belongs to the plan that is in force at its slot time. A slot of the old plan whose jitter reaches past the
switch is left to the new one, if the new one has it too; any other slot before the switch is not the new plan's
business. So nothing is fired twice or lost, and nothing is fired at a target that is gone. Extra slots are not
inherited.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from canary.schedule.plan import Key, Plan, Planned

_STRIDE = 500  # slots a step of `walk`
_EVER = datetime.min.replace(tzinfo=UTC)
_LONGEST = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Rota:
    """`plan` for the slots after `since`, and for the slots `inherited` from before."""

    plan: Plan
    since: datetime = _EVER
    inherited: frozenset[tuple[Key, datetime]] = frozenset()

    def due(self, after: datetime, until: datetime, escalated: Collection[Key] = ()) -> tuple[Planned, ...]:
        return tuple(planned for planned in self.plan.due(after, until, escalated) if self._owns(planned))

    def walk(self, after: datetime, until: datetime) -> Iterator[Planned]:
        """As `due`, for an interval of any length."""
        if not self.plan.entries:
            return
        step = min(_LONGEST, timedelta(seconds=max(1.0, _STRIDE / self.plan.rate)))
        while after < until:
            end = until if until - after <= step else after + step
            yield from self.due(after, end)
            after = end

    def switch(self, plan: Plan, now: datetime) -> tuple["Rota", tuple[Planned, ...]]:
        """The rota of `plan` from `now` on, and those inherited runs that are overdue since their jitter has shrunk."""
        pending = frozenset(_slot(p) for p in self.due(now, now + self.plan.jitter) if p.run.slot_time <= now)
        rota = Rota(plan, now, pending)
        return rota, rota.due(now - plan.jitter - self.plan.jitter, now)

    def _owns(self, planned: Planned) -> bool:
        return planned.run.slot_time > self.since or _slot(planned) in self.inherited


def _slot(planned: Planned) -> tuple[Key, datetime]:
    return planned.key, planned.run.slot_time
