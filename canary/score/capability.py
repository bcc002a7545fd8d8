"""The capability scorer: logprobs that were asked for and did not come are a signal themselves."""

from canary.records import Logprobs, Reference, UnscoredReason
from canary.score.case import Case
from canary.score.measure import Judgement, Measure

END = 1
"""Tokens that end an answer."""


def measure(case: Case) -> Judgement:
    """1 for an answer without the logprobs asked for, or with impossible ones, or too few; else 0.

    Impossible are positive or NaN logprobs, probabilities that sum above one, and a probable chosen token that its own
    top-k lacks. Too few are fewer positions than tokens (but for the end token, which not every server counts alike;
    some servers leave out the parts of a character), and a smaller top-k than golden answers have. An answer without
    text needs none.

    Shape:
        One case to one value.
    Unit:
        Answers; exposure always 1.
    Range:
        0 or 1.

    Raises:
        Nothing.
    """
    if case.probe.sampling.logprobs is None:
        return UnscoredReason.UNSUPPORTED
    if not case.response.text:
        return UnscoredReason.EMPTY
    fault = _fault(case)
    return Measure(float(bool(fault)), 1.0, fault)


def _fault(case: Case) -> str:
    found, reference = case.logprobs, case.reference
    if isinstance(found, UnscoredReason):
        return found.value
    if len(found.chosen) + END < (case.response.completion_tokens or 0):
        return "fewer positions than tokens"
    if reference is None:
        return ""
    if _is_narrow(_width(found), reference):
        return "fewer entries in the top-k than golden answers have"
    if reference.prompt_logprobs and isinstance(case.prompt_logprobs, UnscoredReason):
        return "no usable logprobs of the prompt"
    return ""


def _width(logprobs: Logprobs) -> int:
    return max(map(len, logprobs.top), default=0)


def _is_narrow(width: int, reference: Reference) -> bool:
    """Whether every golden answer has more; mostly the first one tells."""
    return bool(reference.logprobs) and all(width < _width(golden) for golden in reference.logprobs)
