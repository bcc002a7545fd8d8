"""A verdict drawn: the evidence for a fail and for a pass, answer after answer."""

import math
from collections.abc import Sequence

from canary.draw import Chart, nth
from canary.records import KeptVerdict
from canary.verdict.again import Again


def charts(made: Again) -> tuple[Chart, Chart]:
    """How far each was from being sure, in nats; 0 is sure."""
    kept = made.kept
    fail = [point.evidence - log_fail(kept) for point in made.points]
    sound = [point.soundness + math.log(kept.beta) for point in made.points]
    return (
        _chart(made, f"for a fail: {_not_healthy(kept)}", "fail", fail),
        _chart(made, f"for a pass: no fault in {kept.share:.1%} of answers or more", "pass", sound),
    )


def log_fail(kept: KeptVerdict) -> float:
    """The evidence that a fail takes, in nats: two directions of a comparison share alpha."""
    return math.log((1.0 if kept.against is None else 2.0) / kept.alpha)


def _not_healthy(kept: KeptVerdict) -> str:
    return "not as in the baseline" if kept.against is None else f"worse than {kept.against}"


def _chart(made: Again, title: str, limit: str, lacking: Sequence[float]) -> Chart:
    curve = tuple((nth(at), value) for at, value in enumerate(lacking, 1))
    return Chart(
        title=title,
        begin=nth(0),
        end=nth(len(lacking) + 1),
        curves=(curve,) if curve else (),
        alarms=next(((place,) for place in curve if place[1] >= 0.0), ()),
        answers=tuple((nth(at), point.touched) for at, point in enumerate(made.points, 1)),
        evidence="evidence, in nats from being sure",
        limit=limit,
        counted=True,
    )
