"""Which baseline judges a series: proposed -> active -> retired."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from canary.baseline.calibration import check_version
from canary.errors import BaselineError
from canary.records import Baseline, BaselineStatus, SeriesKey, Signal


def promote(
    active: Iterable[Baseline], proposed: Iterable[Baseline], signals: Mapping[str, Signal]
) -> tuple[Baseline, ...]:
    """Make the proposed baselines active and retire those of the same probe groups; returns all that changed.

    A group has one epoch, for its references come from one recording: a signal that this recording could not judge has
    no baseline any more. An active baseline of another group stays, and is not returned.

    Raises:
        BaselineError: nothing is proposed, one has no judged answer or is not PROPOSED, two are of one series, or
            one was scored at another version than `signals` has.
    """
    chosen: dict[SeriesKey, Baseline] = {}
    for each in proposed:
        _check(each, signals)
        if each.series in chosen:
            raise BaselineError(f"two baselines are proposed for {each.series}: promote one recording at a time")
        chosen[each.series] = each
    if not chosen:
        raise BaselineError("no baseline is proposed: record one first")
    groups = {_group(series) for series in chosen}
    retired = (replace(old, status=BaselineStatus.RETIRED) for old in active if _group(old.series) in groups)
    return (*retired, *(replace(new, status=BaselineStatus.ACTIVE) for new in chosen.values()))


def _group(series: SeriesKey) -> tuple[str, str, str]:
    return series.target, series.region, series.group


def _check(baseline: Baseline, signals: Mapping[str, Signal]) -> None:
    if baseline.status is not BaselineStatus.PROPOSED:
        raise BaselineError(f"baseline {baseline.id} is {baseline.status.value}, not proposed")
    if baseline.n == 0:
        raise BaselineError(f"baseline {baseline.id} has no judged answer: record again")
    check_version(baseline.series.signal, baseline.scorer_version, signals)
