"""Golden baselines: plan a recording, calibrate it, promote what it proposes. Pure functions on records."""

from canary.baseline.calibration import (
    Judged,
    Scales,
    Thresholds,
    baselines,
    calibrate,
    proposed,
    references,
    thresholds,
)
from canary.baseline.drift import Difference, compare, fisher, striking
from canary.baseline.promotion import promote
from canary.baseline.recording import REFERENCE_ANSWERS, plan_recording, reference_part
from canary.baseline.residuals import scales_of
from canary.baseline.restriction import restricted

__all__ = [
    "REFERENCE_ANSWERS",
    "Difference",
    "Judged",
    "Scales",
    "Thresholds",
    "baselines",
    "calibrate",
    "compare",
    "fisher",
    "plan_recording",
    "promote",
    "proposed",
    "reference_part",
    "references",
    "restricted",
    "scales_of",
    "striking",
    "thresholds",
]
