"""Silences."""

from collections.abc import Sequence
from datetime import datetime

from canary.errors import NotFound
from canary.records import Silence
from canary.store.memory.tables import Session


class SilencePart(Session):
    def put_silence(self, silence: Silence) -> None:
        self._draft.silences[silence.id] = silence

    def silence(self, silence_id: str) -> Silence:
        table = self._tables.silences
        if silence_id in table:
            return table[silence_id]
        found = [name for name in table if silence_id and name.startswith(silence_id)]
        if len(found) != 1:
            raise NotFound(f"{'more than one' if found else 'no'} silence {silence_id}")
        return table[found[0]]

    def silences(self, *, since: datetime | None = None) -> Sequence[Silence]:
        found = (one for one in self._tables.silences.values() if since is None or one.ends_at > since)
        return sorted(found, key=lambda one: (one.ends_at, one.id))
