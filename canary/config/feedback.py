"""What users complain of, counted elsewhere and handed in."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from canary.config.fields import Day, Duration, Name, Strict, between
from canary.records import Symptom

WINDOWS = 20
"""That are learned from at least: `canary.detect.arming.WINDOWS`, without its numpy."""
FEEDBACK = "feedback"
"""The signal of these counts."""


class Feedback(Strict):
    """Counts of complaints that are handed in over the API: each class of them is a series on every target.

    Its first `golden` time, from `since` on if that is given, says what is healthy; a later `since` learns anew.
    Windows are about `window` long. `classes` say which symptom each class of complaint speaks of.
    """

    classes: dict[Name, Annotated[Symptom, Field(strict=False)]] = Field(
        default_factory=lambda: {"thumbs_down": Symptom.DEVIATION}, min_length=1, max_length=20
    )
    window: Annotated[Duration, between(timedelta(minutes=1), timedelta(days=7))] = timedelta(hours=1)
    golden: Annotated[Duration, between(timedelta(hours=1), timedelta(days=365))] = timedelta(days=14)
    since: Day | None = None

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if self.golden < WINDOWS * self.window:
            raise ValueError(f"golden has to be {WINDOWS} windows long, or longer: that many are learned from")
        return self
