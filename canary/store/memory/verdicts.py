"""Verdicts on demand."""

from collections.abc import Sequence

from canary.errors import NotFound
from canary.records import KeptVerdict
from canary.store.memory.tables import Session


class VerdictPart(Session):
    def put_verdict(self, verdict: KeptVerdict) -> None:
        self._draft.verdicts[verdict.id] = verdict

    def verdict(self, verdict_id: str) -> KeptVerdict:
        table = self._tables.verdicts
        if verdict_id in table:
            return table[verdict_id]
        found = [name for name in table if verdict_id and name.startswith(verdict_id)]
        if len(found) != 1:
            raise NotFound(f"{'more than one' if found else 'no'} verdict {verdict_id}")
        return table[found[0]]

    def verdicts(self, *, limit: int = 50) -> Sequence[KeptVerdict]:
        return sorted(sorted(self._tables.verdicts.values(), key=_id), key=_at, reverse=True)[:limit]


def _id(verdict: KeptVerdict) -> str:
    return verdict.id


def _at(verdict: KeptVerdict) -> float:
    return verdict.at.timestamp()
