"""Tokens that extra runs may cost: in any seven days no more than one week's worth."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_WEEK = 7 * 24


class Fund:
    """What was spent, by the hour of UTC: so that a restarted daemon can take it up as `hours`."""

    def __init__(self, hours: Mapping[str, int] | None = None) -> None:
        self._spent: Counter[int] = Counter({int(hour): tokens for hour, tokens in (hours or {}).items()})
        self.weekly = 0.0

    def left(self, now: datetime) -> float:
        """Tokens, >= 0."""
        return max(0.0, self.weekly - sum(tokens for hour, tokens in self._spent.items() if hour >= _oldest(now)))

    def spend(self, tokens: int, now: datetime) -> None:
        self._spent[_hour(now)] += tokens
        for hour in [hour for hour in self._spent if hour < _oldest(now)]:
            del self._spent[hour]

    @property
    def hours(self) -> dict[str, int]:
        """As JSON has it."""
        return {str(hour): tokens for hour, tokens in self._spent.items()}


def _hour(now: datetime) -> int:
    return (now - _EPOCH) // _HOUR


def _oldest(now: datetime) -> int:
    """The hour in which the seven days that end now began."""
    return _hour(now) - _WEEK
