"""Which stretch of a series is worth looking at, and its chart."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from canary.draw import Chart
from canary.hindsight.explain import Account, Point
from canary.records import Change

_BEFORE, _AFTER = 60, 25
"""Answers around the alarm that are shown at least, where there are so many."""
MOST_CHANGES = 26

Window = tuple[datetime, datetime]


def window(accounts: Sequence[Account]) -> Window:
    """From as long before the onset as the onset was before the alarm, to as long after it; the same for all."""
    found = [_around(account) for account in accounts]
    return min(begin for begin, _ in found), max(end for _, end in found)


def lettered(accounts: Iterable[Account], shown: Window) -> dict[str, tuple[str, Change]]:
    """The changes in the window by id, with a letter for each: "a", "b" and so on, in the order of time."""
    begin, end = shown
    inside = {c.id: c for account in accounts for c in account.changes if begin <= c.at <= end}
    ordered = sorted(inside.values(), key=lambda change: (change.at, change.id))[:MOST_CHANGES]
    return {change.id: (chr(ord("a") + at), change) for at, change in enumerate(ordered)}


def chart(account: Account, shown: Window, letters: dict[str, tuple[str, Change]]) -> Chart:
    """The account in the window."""
    begin, end = shown
    series, onset = account.case.series, account.case.onset
    inside = [point for point in account.points if begin <= point.at <= end]
    ours = {change.id for change in account.changes}
    return Chart(
        title=f"{series.group}/{series.signal} on {series.target}",
        begin=begin,
        end=end,
        curves=tuple(_curves(inside)),
        alarms=tuple((point.at, point.evidence) for point in inside if point.alarm),
        onset=(onset.low, onset.best, onset.high),
        changes=tuple((change.at, letter) for letter, change in letters.values() if change.id in ours),
        answers=tuple((point.at, point.event) for point in inside),
    )


def _around(account: Account) -> Window:
    onset, alarm = account.case.onset, account.case.alarm
    at = next((at for at, point in enumerate(account.points) if point.slot_id == alarm.slot_id), 0)
    near = account.points[max(0, at - _BEFORE) : at + _AFTER + 1]
    reach = max(alarm.at - onset.low, timedelta(seconds=1))
    moments = [point.at for point in near]
    first, last = (pick(point.at for point in account.points) for pick in (min, max))
    begin, end = min([onset.low - reach, *moments]), max([alarm.at + reach, *moments])
    return max(begin, min(first, onset.low)), min(end, max(last, alarm.at))


def _curves(points: Iterable[Point]) -> list[tuple[tuple[datetime, float], ...]]:
    """An alarm ends a stretch."""
    curves: list[list[tuple[datetime, float]]] = [[]]
    for point in points:
        curves[-1].append((point.at, point.evidence))
        if point.alarm:
            curves.append([])
    return [tuple(curve) for curve in curves if curve]
