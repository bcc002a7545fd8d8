"""What a baseline says of some of its probes alone.

The healthy rate of a group is that of its probes drawn at random. When one of them is edited or removed, the others
have a rate of their own, which may be higher: it must be bounded by their own golden answers.
"""

from collections.abc import Collection
from dataclasses import replace

from canary.detect.arming import SPREAD
from canary.records import Baseline


def restricted(baseline: Baseline, probes: Collection[str]) -> Baseline | None:
    """The baseline of the probes with these digests; None when their answers alone cannot bound the rate.

    That is so when none of them is in it, or when events occurred and one answer's exposure is too large a part of
    what is left (see `canary.detect.rate_bound`).
    """
    parts = tuple(part for part in baseline.parts if part.probe_digest in probes)
    if len(parts) == len(baseline.parts):
        return baseline
    n, exposure = sum(part.n for part in parts), sum(part.exposure for part in parts)
    events = sum(part.events for part in parts)
    if n == 0 or (events and max(part.longest for part in parts) > SPREAD * exposure / n):
        return None
    values = tuple(sorted(value for part in parts for value in part.calibration))
    return replace(baseline, n=n, exposure=exposure, events=events, parts=parts, calibration=values)
