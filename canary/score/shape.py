"""Scorers of an answer's shape: empty, cut, finish, prompt tokens, length, unclosed fences."""

import math
from statistics import median

from canary.records import Finish, Response, UnscoredReason
from canary.score.case import Case
from canary.score.fences import fences
from canary.score.measure import Judgement, Measure


def measure_empty(case: Case) -> Judgement:
    """1 for an answer without text and without a tool call, else 0.

    Shape:
        One case to one value.
    Unit:
        Answers; exposure always 1.
    Range:
        0 or 1.

    Raises:
        Nothing.
    """
    nothing = not case.response.text.strip() and not case.response.tool_calls
    return _event("no text" if nothing else "")


def measure_cut(case: Case) -> Judgement:
    """1 for an answer that ended too soon, else 0.

    Too soon is: at a token limit that is not the one asked for, or that no golden answer came to; or with fewer tokens
    than the probe's least.

    Shape:
        One case to one value.
    Unit:
        Answers; exposure always 1.
    Range:
        0 or 1.

    Raises:
        Nothing.
    """
    return _event(_too_soon(case))


def measure_finish(case: Case) -> Judgement:
    """1 for an answer that ended for no known reason (a filter, an abort), else 0.

    Shape:
        One case to one value.
    Unit:
        Answers; exposure always 1.
    Range:
        0 or 1.

    Raises:
        Nothing.
    """
    return _event("for no known reason" if case.response.finish is Finish.OTHER else "")


def measure_prompt_tokens(case: Case) -> Judgement:
    """1 where the prompt has a number of tokens that it had for no golden answer, else 0.

    A changed chat template, tokenizer or system prompt shows here, whatever the answer says.

    Shape:
        One case to one value.
    Unit:
        Answers; exposure always 1.
    Range:
        0 or 1.

    Raises:
        Nothing.
    """
    counted = case.response.prompt_tokens
    if counted is None:
        return UnscoredReason.UNSUPPORTED
    if case.reference is None or not case.reference.prompt_tokens:
        return UnscoredReason.NO_REFERENCE
    return _event("" if counted in case.reference.prompt_tokens else f"{counted} tokens")


def measure_length(case: Case) -> Judgement:
    """How much longer or shorter, as a ratio, an answer is than the median golden one.

    Shape:
        One case to one value.
    Unit:
        Nats: |ln(tokens / median)|, so that 0.69 is twice or half; exposure always 1.
    Range:
        0 <= value <= 18.5.

    Raises:
        Nothing.
    """
    tokens = case.response.completion_tokens
    if tokens is None:
        return UnscoredReason.UNSUPPORTED
    if case.reference is None or not case.reference.lengths:
        return UnscoredReason.NO_REFERENCE
    return Measure(abs(math.log(max(tokens, 1) / max(median(case.reference.lengths), 1))), 1.0)


def measure_fence(case: Case) -> Judgement:
    """Count the code fences that were opened and never closed, but in an answer cut by its token limit.

    Shape:
        One case to one value.
    Unit:
        Fences; exposure in fences, and 1 for the text around.
    Range:
        0 <= value < exposure.

    Raises:
        Nothing.

    References:
        CommonMark 0.31, section 4.5, Fenced code blocks.
    """
    found = fences(case.response.text)
    opened = [fence for fence in found if not fence.closed] if case.response.finish is not Finish.LENGTH else []
    note = f"opened in line {opened[0].first_line + 1}" if opened else ""
    return Measure(float(len(opened)), 1.0 + len(found), note)


def _too_soon(case: Case) -> str:
    tokens, asked = _tokens(case.response), case.probe.sampling.max_tokens
    if tokens is not None and tokens < case.probe.min_tokens:
        return "fewer tokens than the probe's least"
    if case.response.finish is not Finish.LENGTH:
        return ""
    if tokens is not None and tokens < asked:
        return "at a limit that was not asked for"
    longest = max(case.reference.lengths, default=asked) if case.reference else asked
    return "at a limit that no golden answer came to" if longest < asked else ""


def _tokens(response: Response) -> int | None:
    if response.completion_tokens is None and response.logprobs is not None:
        return len(response.logprobs.chosen)
    return response.completion_tokens


def _event(note: str) -> Measure:
    """An event where there is something to note."""
    return Measure(float(bool(note)), 1.0, note)
