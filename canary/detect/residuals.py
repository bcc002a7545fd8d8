"""Standardised residuals: distances beside what is usual for their own probe.

A detector hears the distances of a whole probe group, and probes differ: healthy distances of one may be ten times
those of another. Pooled as they are, the tail of the loud probes is that of the group, and a quiet probe may shift by
many times its own noise without leaving it. So each probe has a scale, relative to its group's, and its distances are
divided by it before they are pooled: golden ones, and those of production.

**Why nothing is lost of the guarantee.** Scales are taken from the reference part of golden data; other answers
calibrate. Given the reference part they are constants, so that "divide by the scale of its probe" is one fixed function
of an answer drawn at random, probe and all. Calibration answers and healthy ones of production are drawn alike, so
that function of them is exchangeable as the distances are, and every bound of `canary.detect.distance` holds as it
stands, for any scales: poor ones cost power, never validity. Scales from the answers that calibrate would break it,
for these would be standardised by themselves and those of production would not.

**Why a scale and no location.** Most healthy answers are exactly some golden one, at distance zero, and zero has to
stay the least value of every probe. For the same reason a scale is that of the distances above zero.

Noise of logprobs is skewed over orders of magnitude, so scales are estimated on logarithms. The median of a probe is
drawn towards that of its group by as much as it is likely to be off: to w / (v + w) of its way, for the variance v of
a median of so few distances as the probe has, and the variance w between probes, as far as v does not explain it.
Probes that do not differ have one scale, and lose nothing. No scale is below `FLOOR`: a probe that was all but silent
in a few answers would else make the tail of its group of its first ordinary ones.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from statistics import fmean, median

FLOOR = 1.0 / 32.0
"""The smallest scale."""
_MOST = 700.0  # whose exponential is finite
_OF_MEDIAN = math.pi / 2.0  # the variance of a median over that of a mean, for normal logarithms


def scales(golden: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The scale of each probe of a group from its reference distances.

    Shape:
        Any number of distances, finite and >= 0, for each of n probes to n scales.
    Unit:
        That of the group: the median over probes of their median distances above zero.
    Range:
        At least FLOOR, finite. A probe without a distance above zero has the group's scale: 1.

    Raises:
        Nothing.

    References:
        Efron and Morris: Stein's estimation rule and its competitors, JASA 68 (1973). DerSimonian and Laird:
        Meta-analysis in clinical trials, Controlled Clinical Trials 7 (1986).

    >>> found = scales({"quiet": [0.0, 0.01, 0.02] * 9, "usual": [0.05, 0.1] * 9, "loud": [0.3, 0.6], "silent": [0.0]})
    >>> {probe: round(scale, 2) for probe, scale in found.items()}
    {'quiet': 0.2, 'usual': 1.0, 'loud': 5.64, 'silent': 1.0}
    """
    logs = {probe: [math.log(value) for value in values if value > 0.0] for probe, values in golden.items()}
    centres = {probe: median(some) for probe, some in logs.items() if some}
    usual = median(centres.values()) if centres else 0.0
    apart = {probe: centre - usual for probe, centre in centres.items()}
    noise = _OF_MEDIAN * _within(logs, centres)
    between = _between(apart.values(), [noise / len(logs[probe]) for probe in apart])
    drawn = {probe: far / (1.0 + noise / len(logs[probe]) / between) for probe, far in apart.items() if between > 0.0}
    return {probe: max(FLOOR, math.exp(min(drawn.get(probe, 0.0), _MOST))) for probe in golden}


def _within(logs: Mapping[str, Sequence[float]], centres: Mapping[str, float]) -> float:
    """The variance of one logarithm about the median of its probe; inf where no probe has two."""
    spare = sum(map(len, logs.values())) - len(centres)
    squares = math.fsum((each - centres[probe]) ** 2 for probe, some in logs.items() for each in some)
    return squares / spare if spare else math.inf


def _between(apart: Collection[float], errors: Collection[float]) -> float:
    """The variance between probes that the variances of their medians do not explain."""
    if len(apart) < 2:
        return 0.0
    return max(0.0, math.fsum(far**2 for far in apart) / (len(apart) - 1) - fmean(errors))
