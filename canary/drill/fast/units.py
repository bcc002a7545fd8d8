"""Units: an answer, or a burst of them, which is judged as one by the worst of its answers."""

import numpy as np

from canary.drill.fast.bank import Bank, Vector, worst_of
from canary.drill.fast.odds import Ints
from canary.records import Score, Unscored

NOTHING = 0
"""The number of no unit at all."""


class Units:
    """Numbers those that were dealt, from 1 on. Bursts of the same vectors are the same unit, however often each."""

    def __init__(self, bank: Bank) -> None:
        self.members: list[tuple[int, ...]] = [()]
        self._bank = bank
        self._known: dict[tuple[int, ...], int] = {(): NOTHING}

    def of(self, vectors: Ints) -> Ints:
        """From the vectors of n units, shape (n, burst), to their numbers, shape (n,)."""
        distinct, at = np.unique(np.sort(vectors, axis=1), axis=0, return_inverse=True)
        numbers = np.array([self._number(tuple(dict.fromkeys(row))) for row in distinct.tolist()], dtype=np.int64)
        return numbers[at.reshape(len(vectors))]

    def first(self, unit: int) -> Vector:
        """One of its answers."""
        return self._bank.vectors[self.members[unit][0]]

    def scores(self, unit: int) -> tuple[Score | Unscored, ...]:
        """What it comes to."""
        return worst_of([self._bank.vectors[member] for member in self.members[unit]])

    def tokens(self, vectors: Ints) -> Ints:
        """Of n units of these vectors, shape (n,)."""
        each = np.array([vector.tokens for vector in self._bank.vectors], dtype=np.int64)
        return np.asarray(each[vectors].sum(axis=1))

    def _number(self, members: tuple[int, ...]) -> int:
        if members not in self._known:
            self._known[members] = len(self.members)
            self.members.append(members)
        return self._known[members]
