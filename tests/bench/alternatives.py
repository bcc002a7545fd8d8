"""What one could use instead of Canary's scorers, as scorers of the same answers, so that all stand side by side."""

import re
import warnings
from collections.abc import Callable, Mapping

import regex

from canary.records import Signal, SignalKind, Symptom, UnscoredReason
from canary.score import Case, Judgement, Measure, Scorer
from canary.score.foreign import identify
from canary.score.kl import divergences
from canary.score.logprobs import distance

_PYTHON = re.compile(r"^```py(?:thon)?\n(.*?)(?:^```|\Z)", re.DOTALL | re.MULTILINE)


def regex_scan(case: Case) -> Judgement:
    """Characters that are neither of the probe's scripts nor common to all: one class of the `regex` module."""
    scripts = ("Zyyy", "Zinh", *case.probe.scripts, *case.probe.allow_scripts)
    known = "".join(rf"\p{{Script={name}}}" for name in scripts)
    return Measure(float(len(regex.findall(f"[^{known}]", case.response.text))), 1.0)


def whole_document(case: Case) -> Judgement:
    """Whether the whole text, read at once by the same identifier, is in another language than asked for."""
    if case.probe.language is None:
        return UnscoredReason.UNSUPPORTED
    return Measure(float(identify(case.response.text)[0] != case.probe.language), 1.0)


def compile_alone(case: Case) -> Judgement:
    """Blocks of Python that the compiler refuses."""
    return Measure(float(sum(map(_refused, _PYTHON.findall(case.response.text)))), 1.0)


def top1_flips(case: Case) -> Judgement:
    """Positions with another most probable token than in the nearest golden answer."""
    answer, golden = case.logprobs, case.golden
    if isinstance(answer, UnscoredReason) or isinstance(golden, UnscoredReason):
        return UnscoredReason.NO_REFERENCE
    pairs = zip(answer.top[: case.shared], golden.top[: case.shared], strict=True)
    return Measure(float(sum(ours[:1] != theirs[:1] for ours, theirs in pairs)), 1.0)


def unresolved_logprob(case: Case) -> Judgement:
    """The deviation of `logprob`, with what is too small to mean anything."""
    if isinstance(case.logprobs, UnscoredReason) or isinstance(case.golden, UnscoredReason):
        return UnscoredReason.NO_REFERENCE
    return Measure(distance(case.logprobs, case.golden), 1.0)


def unresolved_kl(case: Case) -> Judgement:
    """The greatest divergence of any position, with what is too small to mean anything."""
    if isinstance(case.logprobs, UnscoredReason) or isinstance(case.golden, UnscoredReason):
        return UnscoredReason.NO_REFERENCE
    return Measure(float(divergences(case.logprobs, case.golden, case.shared).max(initial=0.0)), 1.0)


def _refused(code: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(code, "<answer>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return True
    return False


def _scorer(name: str, measure: Callable[[Case], Judgement], *, of_text: bool) -> Scorer:
    signal = Signal(name, 1, SignalKind.EVENT, Symptom.CORRUPTION, "any", "answers")
    return Scorer(signal, measure, stratified=of_text, of_text=of_text)


OF_TEXT: Mapping[str, Scorer] = {
    name: _scorer(name, measure, of_text=True)
    for name, measure in (
        ("regex scan", regex_scan),
        ("whole-text language", whole_document),
        ("compile alone", compile_alone),
    )
}
OF_LOGPROBS: Mapping[str, Scorer] = {
    name: _scorer(name, measure, of_text=False)
    for name, measure in (
        ("top-1 flips", top1_flips),
        ("logprob, unresolved", unresolved_logprob),
        ("kl, unresolved", unresolved_kl),
    )
}
ALTERNATIVES: Mapping[str, Scorer] = {**OF_TEXT, **OF_LOGPROBS}
