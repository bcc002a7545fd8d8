"""Findings for tests, with only what a test cares about."""

from datetime import UTC, datetime, timedelta

from canary.records import Finding, Interval, SeriesKey, Size, Symptom

START = datetime(2025, 8, 25, 12, tzinfo=UTC)
TARGET = "opus/api/tpu-1"


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def series(signal: str = "stray_script", *, target: str = TARGET, group: str = "prose") -> SeriesKey:
    return SeriesKey(target=target, region="eu", group=group, signal=signal)


def size(share: float) -> Size:
    return Size(low=share / 2, best=share, high=min(1.0, share * 2), confidence=0.95, answers=400)


def finding(
    signal: str = "stray_script",
    symptom: Symptom = Symptom.CORRUPTION,
    *,
    target: str = TARGET,
    group: str = "prose",
    onset: float = -30,
    share: float = 0.008,
    evidence: tuple[str, ...] = ("slot-a", "slot-b"),
) -> Finding:
    """`onset`: minutes after START, give or take five."""
    best = START + minutes(onset)
    return Finding(
        series=series(signal, target=target, group=group),
        symptom=symptom,
        alarms=1,
        onset=Interval(low=best - minutes(5), best=best, high=best + minutes(5)),
        size=size(share),
        evidence=evidence,
    )
