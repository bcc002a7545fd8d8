"""Verdicts on demand: `replay`, `compare` and `gate` on one sequential engine, and what `explain` makes of them later.

turns.plan | plan_pairs -> engine.run: fire, keep, Bench.hear, judge, stop -> KeptVerdict in the store
                                       BaselineBench: detectors of a baseline  -> replay -> Report
                                       PairBench: two targets, pair by pair    -> compare -> Comparison
KeptVerdict, kept scores -> again: the same bench, the same order, compared bit for bit
"""

from canary.verdict.again import Again, Point, again
from canary.verdict.baseline import Shown
from canary.verdict.compare import Compared, Comparison, compare
from canary.verdict.engine import Fire, Progress
from canary.verdict.picture import charts, log_fail
from canary.verdict.replay import Report, replay
from canary.verdict.turns import Turn, Volley, plan, plan_pairs

__all__ = [
    "Again",
    "Compared",
    "Comparison",
    "Fire",
    "Point",
    "Progress",
    "Report",
    "Shown",
    "Turn",
    "Volley",
    "again",
    "charts",
    "compare",
    "log_fail",
    "plan",
    "plan_pairs",
    "replay",
]
