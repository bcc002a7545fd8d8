"""How common rules read the scores of a fast drill: without making a row of each."""

from collections.abc import Sequence
from datetime import datetime
from typing import overload

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from canary.drill.fast.odds import Floats, Ints
from canary.drill.fast.slots import moment
from canary.drill.fast.store import FastTransaction
from canary.records import SeriesKey
from canary.store.base import Transaction


class Moments(Sequence[datetime]):
    """Times in milliseconds, as moments."""

    def __init__(self, milliseconds: Ints) -> None:
        self._milliseconds = milliseconds

    @overload
    def __getitem__(self, at: int) -> datetime: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[datetime]: ...

    @override
    def __getitem__(self, at: int | slice) -> datetime | Sequence[datetime]:
        if isinstance(at, slice):
            return Moments(self._milliseconds[at])
        return moment(int(self._milliseconds[at]))

    @override
    def __len__(self) -> int:
        return len(self._milliseconds)


def read_columns(tx: Transaction, series: SeriesKey) -> tuple[NDArray[np.bool_], Floats, Sequence[datetime]]:
    """As `canary.drill.rules.read_rows`."""
    if not isinstance(tx, FastTransaction):
        raise TypeError("only the store of a fast drill has columns")
    events, values, slots = tx.judged_of(series)
    return events, values, Moments(slots)
