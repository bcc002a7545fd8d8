"""What detectors can find, as a table: of a forecast, or of what is armed."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from canary.cli.common import columns, short

if TYPE_CHECKING:
    from rich.table import Table

    from canary.pipeline.sight import Delay, Sight

KINDS = {"event": "events", "distance": "distances", "bounded": "balances", "count": "counts"}
_LEVELS = {
    "series": "series",
    "pool": "pool",
    "model_on_platform": "model+platform",
    "group": "probe group",
    "platform": "platform",
    "model": "model",
    "region": "region",
}
NOTE = """\
Medians, in brackets the probes; of a part of the fleet where all of it is
touched. Below who hears: how many of them, and how often each. "ARL": a
false alarm of one comes after so many weeks (probes) on average, or later. "-":
not seen; "least": the smallest share that is. "distances" are logprob, kl,
divergence, surprisal, forced and length, "balances" how near-ties fall,
"events" all others."""


def table(sights: "Sequence[Sight]") -> "Table":
    """Two lines for each kind of series, and for each level of the hierarchy; it fits eighty columns."""
    found = columns("heard by", title="Time until a fault is found, by the share of answers it touches")
    for head in ("ARL", *(share(delay.share) for delay in sights[0].delays), "least"):
        found.add_column(head, justify="right")
    for sight in sights:
        heard = f"{_LEVELS[sight.level]}\n{sight.detectors:,} {_signals(sight)}, {short(sight.interval)}"
        arl = f"{weeks(sight.arl)}\n({_count(sight.arl_probes)})"
        found.add_row(heard, arl, *map(_delay, sight.delays), share(sight.not_below))
    return found


def unseen(sights: "Sequence[Sight]") -> Iterator[str]:
    """What it would take to see the shares that single series do not see."""
    told = set()
    for sight in sights:
        missing = [delay for delay in sight.delays if delay.probes is None]
        needs = "; ".join(f"{share(delay.share)}: {delay.needed:,}" for delay in missing if delay.needed is not None)
        line = f"{_signals(sight)}: not below {share(sight.not_below)} with {sight.golden:,} golden answers"
        if sight.level == "series" and missing and line not in told:
            told.add(line)
            yield line
            if needs:
                yield f"  golden answers that it takes: {needs}"


def share(value: float | None) -> str:
    """A share in two digits.

    >>> share(0.0018), share(0.16), share(None)
    ('0.18%', '16%', '100%')
    """
    return "100%" if value is None else f"{100.0 * value:.2g}%"


def weeks(time: timedelta) -> str:
    """A long time.

    >>> weeks(timedelta(weeks=768))
    '768 w'
    """
    return f"{round(time / timedelta(weeks=1), 1):,.4g} w"


def _signals(sight: "Sight") -> str:
    return sight.signal or KINDS[sight.kind.value]


def _delay(delay: "Delay") -> str:
    return "-" if delay.probes is None or delay.time is None else f"{short(delay.time)}\n({delay.probes:,})"


def _count(n: int) -> str:
    """Large numbers in three digits.

    >>> _count(5_160_960), _count(4_876_000_000), _count(431)
    ('5.16 M', '4.88 G', '431')
    """
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M")):
        if n >= size:
            return f"{n / size:,.3g} {unit}"
    return f"{n:,}"
