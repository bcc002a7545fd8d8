"""What one scorer says of one answer, before the signal's name and version are put to it."""

from typing import NamedTuple

from canary.records import UnscoredReason


class Measure(NamedTuple):
    """A value and its exposure, in the signal's units; `note` places the worst finding without quoting the answer."""

    value: float
    exposure: float
    note: str = ""


Judgement = Measure | UnscoredReason
