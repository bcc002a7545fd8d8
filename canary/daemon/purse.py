"""Tokens per day: a target that has had its share is not probed until midnight UTC."""

from datetime import date, datetime

from canary.records import Observation, Target
from canary.store.base import Store


class Purse:
    """What each limited target has spent today."""

    def __init__(self) -> None:
        self._day = date.min
        self._spent: dict[str, int] = {}

    def recall(self, store: Store, targets: tuple[Target, ...], now: datetime) -> None:
        """Take from the store what was spent since midnight."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        limited = [target.name for target in targets if target.limits.tokens_per_day is not None]
        with store.reading() as tx:
            self._spent = {name: tx.tokens_spent(target=name, since=midnight) for name in limited}
        self._day = now.date()

    def allows(self, target: Target, now: datetime) -> bool:
        """Whether the target may be asked once more."""
        if now.date() != self._day:
            self._day, self._spent = now.date(), {}
        limit = target.limits.tokens_per_day
        return limit is None or self._spent.get(target.name, 0) < limit

    def spent(self, observation: Observation) -> None:
        """Count an answer."""
        if (response := observation.response) is not None:
            tokens = (response.prompt_tokens or 0) + (response.completion_tokens or 0)
            self._spent[observation.target] = self._spent.get(observation.target, 0) + tokens
