"""Scales of distances by probe, from the reference part alone: see `canary.detect.residuals`.

A reference answer lies at distance zero from the references, being one of them. So each is judged by what the others of
its probe and salt make of themselves, as an answer of production is judged by all of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from canary.baseline.calibration import Scales, reference_answers, reference_of
from canary.baseline.recording import REFERENCE_ANSWERS
from canary.detect.residuals import scales
from canary.records import Observation, Probe, Response, Score, SignalKind
from canary.score import Scorer, score_response


def scales_of(
    observations: Sequence[Observation],
    probes: Mapping[str, Probe],
    scorers: Mapping[str, Scorer],
    *,
    k: int = REFERENCE_ANSWERS,
) -> Scales:
    """The scale of each probe for each of its distance signals; `probes`, by digest, are those of one family.

    Bursts of any size share the scales of single answers, as they share references.
    """
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (digest, salt), answers in reference_answers(observations, k=k).items():
        probe = _of_distances(probes[digest], scorers)
        if probe.scorers:
            for each in _left_out(probe, salt, answers, scorers):
                found[each.signal][digest].append(each.value)
    return {(digest, signal): scale for signal, values in found.items() for digest, scale in scales(values).items()}


def _left_out(probe: Probe, salt: int, answers: Sequence[Response], scorers: Mapping[str, Scorer]) -> Iterator[Score]:
    """The scores of each answer beside all the others."""
    for answer, times in Counter(answers).items():
        others = list(answers)
        others.remove(answer)
        scored = score_response(probe, answer, reference_of(probe.digest, salt, others), scorers)
        for each in scored:
            if isinstance(each, Score):
                yield from [each] * times


def _of_distances(probe: Probe, scorers: Mapping[str, Scorer]) -> Probe:
    names = (name for name in probe.scorers if name in scorers)
    return replace(probe, scorers=tuple(n for n in names if scorers[n].signal.kind is SignalKind.DISTANCE))
