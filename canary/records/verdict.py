"""What was said on demand, and all that it takes to say it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from canary.records.probe import Purpose
from canary.records.score import SeriesKey


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What the answers of one series are judged by in a verdict.

    Against a baseline: a detector, by its digest, the golden threshold of each probe by its digest, and the number of
    `golden` answers with the `events` among them. Against another target: `pairs` of answers, as events or as numbers;
    the series is then that of the target under judgement.
    """

    series: SeriesKey
    version: int  # of the scorer
    detector: str = ""
    thresholds: Mapping[str, float] = field(default_factory=dict, repr=False)
    pairs: Literal["", "event", "number"] = ""
    golden: int = 0
    events: int = 0

    @property
    def name(self) -> str:
        """Within its verdict: "prose/script"."""
        return f"{self.series.group}/{self.series.signal}"


@dataclass(frozen=True, slots=True)
class KeptVerdict:
    """A verdict on demand as it is kept: what was said, and all that is needed to say it again from the same answers.

    `slots` are the runs that were judged, in the order of judging; the runs of a burst stand together, and those of a
    pair. `evidence`, `better` and `soundness` are in nats, as the engine says. `planned` are the answers, or bursts,
    that were to be fired by probe group, for a verdict against a baseline.
    """

    id: str
    kind: Purpose
    at: datetime
    target: str
    against: str | None  # another target; None: the baseline
    share: float
    alpha: float
    beta: float
    power: float
    yardsticks: tuple[Yardstick, ...] = field(repr=False)
    slots: tuple[str, ...] = field(repr=False)
    verdict: Literal["pass", "fail", "inconclusive"]
    evidence: float
    soundness: float
    signal: str
    visible: float
    answers: int
    better: float | None = None
    planned: Mapping[str, int] = field(default_factory=dict)
