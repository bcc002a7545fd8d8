"""Session keys: each run, or burst, gets its own, so that a sticky router spreads them over all its replicas."""

import hashlib
from collections.abc import Mapping

from canary.probe.wire.answer import label
from canary.records import Target


def affinity_key(slot_id: str) -> str:
    """Fresh for each run, and the same whenever the run is looked at again; a burst takes that of its first run."""
    return f"canary-{hashlib.blake2b(slot_id.encode(), digest_size=8).hexdigest()}"


MOST_REPLICAS = 1_024
"""Of one target, whose names are told apart; a header that names each request would fill the store."""


class Replicas:
    """The replicas that said they answered, by target."""

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}

    def of(self, target: Target, headers: Mapping[str, str]) -> str:
        """The one that says so, "" for one too many; header names are lower-case."""
        header = target.endpoint.replica_header
        name = label(headers.get(header.lower(), "")) if header else ""
        known = self._known.setdefault(target.name, set())
        if name and name not in known and len(known) < MOST_REPLICAS:
            known.add(name)
        return name if name in known else ""
