"""A moment on the command line: a date, a time in UTC, or how long ago."""

import re
from datetime import UTC, datetime, timedelta

import click

_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


def moment(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """For the callback of an option. Raises: BadParameter."""
    if value is None:
        return None
    if ago := re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhdw])", value):
        from canary.clock import SystemClock

        return SystemClock().now() - timedelta(seconds=float(ago[1]) * _UNITS[ago[2]])
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            f'"{value}" is no time: write 2025-08-25, 2025-08-25T12:30Z, or 36h for so long ago'
        ) from None
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


def length(_: click.Context, __: click.Parameter, value: str | None) -> timedelta | None:
    """For the callback of an option: how long. Raises: BadParameter."""
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smh])", value)
    if found is None or float(found[1]) <= 0.0:
        raise click.BadParameter(f'"{value}" is no length of time: write 90s, 5m or 1h')
    return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
