"""A table of shares: scorers down, faults across."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import override

ANY = "any scorer"
"""The row of Canary's scorers above it, together."""

Shares = Mapping[str, float]
"""By column. A scorer that judged nothing of a column has no share there."""


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Mapping[str, Shares]

    @override
    def __str__(self) -> str:
        names = "".join(f"{name:>{self._width(name)}}" for name in self.columns)
        return "\n".join([self.title, "", f"{'':<22}{names}", *map(self._row, self.rows)])

    def _row(self, scorer: str) -> str:
        return f"{scorer:<22}" + "".join(self._cell(scorer, name) for name in self.columns)

    def _cell(self, scorer: str, column: str) -> str:
        share = self.rows[scorer].get(column)
        shown = "" if share is None else f"{share:.1%}"
        return f"{shown:>{self._width(column)}}"

    @staticmethod
    def _width(column: str) -> int:
        return max(9, len(column) + 2)
