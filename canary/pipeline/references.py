"""Golden references, read from the store when they are needed and kept while there is room."""

from collections import OrderedDict

from canary.pipeline.watch import Watch
from canary.records import Observation, Reference
from canary.store.base import Transaction

ROOM = 30_000
"""Token positions kept in memory, at about half a kilobyte each."""

_Key = tuple[str, int, str, int]


class References:
    """A cache bounded by weight. A probe without a reference is remembered too."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._weight = 0
        self._kept: OrderedDict[_Key, Reference | None] = OrderedDict()

    def of(self, tx: Transaction, watch: Watch, observation: Observation) -> Reference | None:
        """What golden answers of this probe on this target look like, by the epoch that is watched."""
        epoch = watch.epochs.get((observation.target, observation.group))
        if epoch is None:
            return None
        key = (observation.target, epoch, observation.probe_digest, observation.salt)
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            self._keep(key, tx.reference(*key))
        return self._kept[key]

    def _keep(self, key: _Key, reference: Reference | None) -> None:
        self._kept[key] = reference
        self._weight += _weight(reference)
        while self._weight > self._room and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._weight -= _weight(dropped)


def _weight(reference: Reference | None) -> int:
    return 1 + sum(len(vector.chosen) for vector in reference.logprobs) if reference else 1
