"""Tokens per day: a target that has had its share is not probed until midnight UTC."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from canary.records import Observation, Target
from canary.store.base import Store

_DAY = timedelta(days=1)


def spent_today(store: Store, targets: Iterable[Target], now: datetime) -> Mapping[str, int]:
    """What each limited target has spent since midnight UTC, by the store."""
    midnight = _midnight(now)
    limited = [target.name for target in targets if target.limits.tokens_per_day is not None]
    with store.reading() as tx:
        return {name: tx.tokens_spent(target=name, since=midnight) for name in limited}


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


class Purse:
    """What each target has spent today. Lives in the event loop."""

    def __init__(self) -> None:
        self._day = date.min
        self._spent: dict[str, int] = {}

    def recall(self, kept: Mapping[str, int], now: datetime) -> None:
        """Take up what the store knows of (`spent_today`); what is not in the store yet was counted already."""
        self._turn(now.date())
        self._spent |= {name: max(tokens, self._spent.get(name, 0)) for name, tokens in kept.items()}

    def allows(self, target: Target, now: datetime) -> bool:
        """Whether the target may be asked once more."""
        self._turn(now.date())
        limit = target.limits.tokens_per_day
        return limit is None or self._spent.get(target.name, 0) < limit

    def spares(self, target: Target, tokens: int, planned: float, now: datetime) -> bool:
        """Whether so many tokens more leave enough for what is `planned` a day, until midnight."""
        self._turn(now.date())
        limit = target.limits.tokens_per_day
        ahead = planned * (1.0 - (now - _midnight(now)) / _DAY)
        return limit is None or self._spent.get(target.name, 0) + tokens + ahead <= limit

    def spent(self, observation: Observation) -> None:
        """Count an answer."""
        if (response := observation.response) is not None:
            tokens = (response.prompt_tokens or 0) + (response.completion_tokens or 0)
            self._spent[observation.target] = self._spent.get(observation.target, 0) + tokens

    def _turn(self, today: date) -> None:
        if today != self._day:
            self._day, self._spent = today, {}
