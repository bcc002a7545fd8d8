"""A burst is one unit: its answers share a server, a batch and a moment, so they are judged as one.

Its value is the worst of its answers. Golden bursts are judged in the same way, so a healthy burst is to golden bursts
what a healthy answer is to golden answers, whatever dependence there is between the answers of a burst; and a fault
that touches one answer of 64 shows in every burst that it touches.

An answer that could not be judged, say since its run failed, says nothing, and the burst is as bad as its others: a
fault may well make some runs fail and others wrong. The worst of some is never worse than the worst of all, so runs
that fail more often than golden ones did raise no false alarm. (Where golden ones failed more often, a share f of
them, golden bursts understate the chance of an event, by a factor of 1 - f at the least.)
"""

from collections.abc import Iterable, Iterator, Sequence

from canary.records import Observation, Score, Unscored

Member = tuple[Observation, Sequence[Score | Unscored]]
"""An observation with its scores."""


def bursts(judged: Iterable[Member]) -> Iterator[Sequence[Member]]:
    """Each burst as it gets whole; a lone run is a burst of one. One that never gets whole says nothing.

    Shape:
        n observations, in any order, to at most n bursts, each with as many members as its size says.
    Unit:
        Bursts.
    Range:
        Only whole ones.

    Raises:
        Nothing.
    """
    waiting: dict[tuple[object, ...], list[Member]] = {}
    for member in judged:
        unit = member[0].unit
        waiting.setdefault(unit, []).append(member)
        if len(waiting[unit]) == member[0].burst:
            yield waiting.pop(unit)


def worst(burst: Iterable[Member]) -> Iterator[tuple[Observation, Score]]:
    """What a burst comes to: for each signal the largest score, with the first observation that shows it.

    Shape:
        The members of a burst to at most one score for each signal; none where no member could be judged.
    Unit:
        As the signal's.
    Range:
        As the signal's.

    Raises:
        Nothing.
    """
    found: dict[str, tuple[Observation, Score]] = {}
    for seen, scores in burst:
        for score in scores:
            if isinstance(score, Score) and (score.signal not in found or score.value > found[score.signal][1].value):
                found[score.signal] = (seen, score)
    yield from found.values()
