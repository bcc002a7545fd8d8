"""What a drill need not work out twice: a healthy lab gives one of a few answers to each probe, over and over.

Decoding and scoring are pure, so what they made of an answer once they would make of it again: nothing that is
observed changes by this.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from typing_extensions import override

from canary.clock import Clock
from canary.http import Answer, Http
from canary.probe.client import ProbeClient
from canary.records import Failure, Response, Run
from canary.score import Case, Judgement, Scorer

ROOM = 8_192
"""Answers that are remembered, in each place: those of a fleet in health."""
REFERENCES = 1_000_000
"""Token positions of golden references: those of a whole fleet."""
_OK = 200


class RecallingClient(ProbeClient):
    """Reads the same bytes once: the same response object stands for all that are equal."""

    def __init__(self, http: Http, clock: Clock) -> None:
        super().__init__(http, clock)
        self._known: dict[tuple[str, bytes], Response] = {}

    @override
    def _read(self, run: Run, answer: Answer, echo: str) -> Response | Failure:
        if answer.status != _OK or echo:
            return super()._read(run, answer, echo)
        known = self._known
        key = (run.target.endpoint.dialect, answer.body)
        if key not in known:
            outcome = super()._read(run, answer, echo)
            if isinstance(outcome, Failure):
                return outcome
            if len(known) >= ROOM:
                del known[next(iter(known))]
            known[key] = outcome
        return known[key]


def recalled(scorers: Mapping[str, Scorer]) -> Mapping[str, Scorer]:
    """The same scorers, which remember the responses that they have judged by what they are, not by what they say."""
    return {name: replace(scorer, measure=_recalling(scorer.measure)) for name, scorer in scorers.items()}


def _recalling(measure: Callable[[Case], Judgement]) -> Callable[[Case], Judgement]:
    @lru_cache(maxsize=ROOM)
    def judged(same: "_Same") -> Judgement:
        return measure(same.case)

    return lambda case: judged(_Same(case))


class _Same:
    """A case by the identity of its parts, which it keeps alive."""

    __slots__ = ("case", "parts")

    def __init__(self, case: Case) -> None:
        self.case = case
        self.parts = (case.probe.digest, id(case.response), id(case.reference))

    @override
    def __hash__(self) -> int:
        return hash(self.parts)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.parts == other.parts
