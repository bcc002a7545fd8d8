"""The recall scorer: whether the one right answer was given."""

from functools import lru_cache

from canary.records import UnscoredReason
from canary.score.case import Case
from canary.score.measure import Judgement, Measure
from canary.score.tokens import spoken_tokens

_BETWEEN = "\n"


def measure(case: Case) -> Judgement:
    """0 where the expected words or numbers stand in the answer, in a row; else 1.

    Case, white space and punctuation do not count, nor does what stands around ("The answer is 42."); so a sequence
    that was counted out passes in any layout.

    Shape:
        One case to one value.
    Unit:
        Answers; exposure always 1.
    Range:
        0 or 1.

    Raises:
        Nothing.
    """
    expected = _expected(case.probe.answer or "")
    if not expected:
        return UnscoredReason.UNSUPPORTED
    return Measure(float(expected not in _said(case.response.text)), 1.0)


@lru_cache(maxsize=256)
def _expected(text: str) -> str:
    return _said(text)


def _said(text: str) -> str:
    tokens = spoken_tokens(text)
    return _BETWEEN.join(["", *tokens, ""]) if tokens else ""
