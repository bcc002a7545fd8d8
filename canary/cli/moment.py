"""A moment or a length of time on the command line."""

import re
from datetime import datetime, timedelta

import click

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


def moment(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """For the callback of an option: a day, a time with its zone, or how long ago. Raises: BadParameter."""
    if value is None:
        return None
    from canary.changes import moment as read
    from canary.clock import SystemClock

    try:
        return read(value, SystemClock().now())
    except ValueError as problem:
        raise click.BadParameter(f'"{value}" {problem}, or 36h for so long ago') from None


def length(_: click.Context, __: click.Parameter, value: str | None) -> timedelta | None:
    """For the callback of an option: how long. Raises: BadParameter."""
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhdw])", value)
    if found is None or float(found[1]) <= 0.0:
        raise click.BadParameter(f'"{value}" is no length of time: write 90s, 5m, 1h or 2d')
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])


def ahead(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """For the callback of an option: a moment to come, or in how long. Raises: BadParameter."""
    if value is None:
        return None
    from canary.changes import moment as read
    from canary.clock import SystemClock

    now = SystemClock().now()
    try:
        when = read(value, now)
        later = now + (now - when) if re.fullmatch(r"[0-9.]+[a-z]+", value) else when
    except (ValueError, OverflowError):
        raise click.BadParameter(f'"{value}" is no time: write 90d, or a day such as 2027-01-01') from None
    if later <= now:
        raise click.BadParameter(f'"{value}" lies in the past')
    return later
