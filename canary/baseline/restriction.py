"""What a baseline says of some of its probes alone.

The healthy rate of a group is that of its probes drawn at random. When one of them is edited or removed, or only some
are replayed, the others have a rate of their own, which may be higher: it must be bounded by their own golden answers.
"""

from collections.abc import Collection
from dataclasses import replace

from canary.records import Baseline


def restricted(baseline: Baseline, probes: Collection[str]) -> Baseline | None:
    """The baseline of the probes with these digests; None when it has golden answers of none of them."""
    parts = tuple(part for part in baseline.parts if part.probe_digest in probes)
    if len(parts) == len(baseline.parts):
        return baseline
    n = sum(part.n for part in parts)
    if n == 0:
        return None
    values = tuple(sorted(value for part in parts for value in part.standardised))
    events = sum(part.events for part in parts)
    return replace(baseline, n=n, exposure=float(n), events=events, parts=parts, calibration=values)
