"""Scorers that remember what they have judged.

At temperature 0 a healthy target gives one of a few texts to each probe, again and again. Scorers of the text alone are
the dear ones (a parser, a language model), and pure: what they said of a text once, they would say again.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from typing_extensions import override

from canary.records import Finish, Probe, Response
from canary.score import Case, Judgement, Scorer

ROOM = 1_024
"""Texts that each scorer remembers: of 2 KB, some 2 MB."""


def remembered(scorers: Mapping[str, Scorer], room: int = ROOM) -> Mapping[str, Scorer]:
    """The same scorers; those of the text alone remember the last `room` texts."""
    return {
        name: replace(scorer, measure=_remembering(scorer.measure, room)) if scorer.of_text else scorer
        for name, scorer in scorers.items()
    }


def _remembering(measure: Callable[[Case], Judgement], room: int) -> Callable[[Case], Judgement]:
    @lru_cache(maxsize=room)
    def judged(asked: "_ByDigest", text: str, finish: Finish) -> Judgement:
        return measure(Case(asked.probe, Response(text, finish)))

    return lambda case: judged(_ByDigest(case.probe), case.response.text, case.response.finish)


class _ByDigest:
    """A probe that is told apart by its digest: a probe's own hash would go over its whole prompt."""

    __slots__ = ("probe",)

    def __init__(self, probe: Probe) -> None:
        self.probe = probe

    @override
    def __hash__(self) -> int:
        return hash(self.probe.digest)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByDigest) and other.probe.digest == self.probe.digest
