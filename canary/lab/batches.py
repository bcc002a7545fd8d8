"""The batches that servers work in: of how many requests, and how that sways over a day."""

import math
from bisect import bisect_left

SIZES = (2, 4, 8, 16)
"""There is a compiled program for each; a batch is padded to the next one, and larger ones are cut."""
JITTER = (0.01, 0.02, 0.03, 0.05)
"""What each program's order of summation does to logits: sd in nats."""
NOON = 12.0
_BUSIEST = 15.0  # o'clock, UTC


def load(hour: float, swing: float) -> float:
    """The load at an hour of the day, from -`swing` to `swing`."""
    return swing * math.cos((hour - _BUSIEST) * math.tau / 24)


def program(drawn: float, load: float = 0.0, at_once: int = 1) -> int:
    """The place in `SIZES` of the batch that a request meets, with others' requests beside the `at_once` of ours.

    All sizes are equally likely at a load of 0; the largest is `exp(2 * load)` times as likely as the smallest.
    `drawn` is a number in [0, 1).
    """
    last = len(SIZES) - 1
    weights = [math.exp(load * (2 * i / last - 1)) for i in range(last + 1)]
    drawn *= sum(weights)
    met = 0
    while met < last and drawn >= weights[met]:
        drawn -= weights[met]
        met += 1
    return max(met, min(last, bisect_left(SIZES, at_once)))
