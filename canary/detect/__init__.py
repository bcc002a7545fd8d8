"""Sequential detection under a proven false-alarm budget. A pure library, usable alone.

    baseline -> arm -> Detector -> log_e -> esr.step -> esr.evidence >= 0: alarm -> onset, size -> RecoveryTest
                                -> bet -> hierarchy.step, for each scope            -> spell, worsening_detector
    two targets, no baseline -> twosample.step -> twosample.judge

Frozen parameters (`Detector`, `RecoveryTest`, `Rule`) stay apart from explicit, versioned state (`EsrState`,
`VerdictState`). Probabilities are per answer; logs are natural. numpy and scipy.special alone.
"""

from canary.detect import esr, hierarchy, residuals, sequential, twosample
from canary.detect.arming import Armed, Learning, answers_needed, arm, clean_detector, rate_bound
from canary.detect.bounded import BoundedDetector
from canary.detect.bounds import lower_share, upper_share
from canary.detect.budget import log_budget
from canary.detect.changepoint import Onset, Spell, onset, spell, start_log_likelihood
from canary.detect.counts import CountDetector
from canary.detect.detectors import DETECTORS, Detector, detector_from_json
from canary.detect.distance import DistanceDetector, tail_bounds
from canary.detect.esr import EsrState, Outcomes, evidence, from_bytes, reset, start, step, to_bytes
from canary.detect.events import EventDetector
from canary.detect.power import Growth, delay, growth_delay, scope_growth, smallest_seen
from canary.detect.recovery import RecoveryTest
from canary.detect.sequential import Judgement, Rule, Verdict, VerdictState, judge, visible_share
from canary.detect.size import size, size_since_onset
from canary.detect.tally import Tally, golden_events
from canary.detect.worsening import worsening_detector

__all__ = [
    "DETECTORS",
    "Armed",
    "BoundedDetector",
    "CountDetector",
    "Detector",
    "DistanceDetector",
    "EsrState",
    "EventDetector",
    "Growth",
    "Judgement",
    "Learning",
    "Onset",
    "Outcomes",
    "RecoveryTest",
    "Rule",
    "Spell",
    "Tally",
    "Verdict",
    "VerdictState",
    "answers_needed",
    "arm",
    "clean_detector",
    "delay",
    "detector_from_json",
    "esr",
    "evidence",
    "from_bytes",
    "golden_events",
    "growth_delay",
    "hierarchy",
    "judge",
    "log_budget",
    "lower_share",
    "onset",
    "rate_bound",
    "reset",
    "residuals",
    "scope_growth",
    "sequential",
    "size",
    "size_since_onset",
    "smallest_seen",
    "spell",
    "start",
    "start_log_likelihood",
    "step",
    "tail_bounds",
    "to_bytes",
    "twosample",
    "upper_share",
    "visible_share",
    "worsening_detector",
]
