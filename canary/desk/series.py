"""Series as documents: what each has learned, what it may spend, how strong its evidence is, what it can see."""

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from itertools import islice

from canary.pipeline.sight import Delay, Sight, of_series
from canary.pipeline.watch import Watch
from canary.records import SeriesKey, SignalKind
from canary.store.base import StateKind, StoredState, Transaction

_WEEK = timedelta(weeks=1)


def chosen(watch: Watch, like: SeriesKey, *, after: int, limit: int) -> Sequence[SeriesKey]:
    """Of the series whose names fit the globs of `like`, in their order, `limit` beyond the first `after`."""
    globs = (like.target, like.region, like.group, like.signal)
    fitting = (key for key in sorted(watch.signals) if _fits((key.target, key.region, key.group, key.signal), globs))
    return list(islice(fitting, after, after + limit))


def listed(tx: Transaction, watch: Watch, keys: Sequence[SeriesKey], *, reach: bool) -> list[dict[str, object]]:
    """These series. `reach` says how soon each would find a fault, which takes a while to compute."""
    states = tx.states(StateKind.ALARM, keys)
    return [_facts(watch, key, states.get(key), reach=reach) for key in keys]


def _fits(names: Iterable[str], globs: Iterable[str]) -> bool:
    return all(fnmatchcase(name, glob) for name, glob in zip(names, globs, strict=True))


def _facts(watch: Watch, key: SeriesKey, state: StoredState | None, *, reach: bool) -> dict[str, object]:
    signal = watch.signals[key]
    probed = signal.kind is not SignalKind.COUNT  # how much a window of counts tells depends on its exposure
    return {
        "target": key.target,
        "region": key.region,
        "group": key.group,
        "signal": key.signal,
        "kind": signal.kind.value,
        "symptom": signal.symptom.value,
        "armed": key in watch.armed,
        "evidence": _evidence(state),
        "learned": _learned(watch, key),
        "budget": _budget(watch, key),
        "reach": _reach(of_series(watch, key)) if reach and key in watch.armed and probed else None,
    }


def _evidence(state: StoredState | None) -> dict[str, object] | None:
    if state is None:
        return None
    last = state.slot_time
    return {
        "nats": state.evidence if math.isfinite(state.evidence) else None,
        "scores": state.n,
        "last_slot_at": None if last is None else last.isoformat(),
    }


def _learned(watch: Watch, key: SeriesKey) -> dict[str, object]:
    learning, armed = watch.learning.get(key), watch.armed.get(key)
    if learning is not None:
        return {"golden": learning.n, "needed": learning.needed, "visible_share": learning.visible}
    golden = armed.n if armed else 0
    return {"golden": golden, "needed": golden, "visible_share": None}


def _budget(watch: Watch, key: SeriesKey) -> dict[str, object] | None:
    armed = watch.armed.get(key)
    if armed is None:
        return None
    per_week = watch.terms.false_alarms_per_week * armed.share
    return {
        "share": armed.share,
        "false_alarms_per_week": per_week,
        "arl_seconds": (_WEEK / per_week).total_seconds(),
        "interval_seconds": armed.interval.total_seconds(),
    }


def _reach(sight: Sight) -> dict[str, object]:
    return {"not_below": sight.not_below, "delays": [_delay(delay) for delay in sight.delays]}


def _delay(delay: Delay) -> dict[str, object]:
    seconds = None if delay.time is None else delay.time.total_seconds()
    return {"share": delay.share, "probes": delay.probes, "seconds": seconds, "golden_needed": delay.needed}
