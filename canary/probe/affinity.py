"""Session keys: each run, or burst, gets its own, so that a sticky router spreads them over all its replicas."""

import hashlib
from collections.abc import Mapping

from canary.probe.wire.answer import label
from canary.records import Endpoint


def affinity_key(slot_id: str) -> str:
    """Fresh for each run, and the same whenever the run is looked at again; a burst takes that of its first run."""
    return f"canary-{hashlib.blake2b(slot_id.encode(), digest_size=8).hexdigest()}"


def replica_of(endpoint: Endpoint, headers: Mapping[str, str]) -> str:
    """The replica that says it answered; header names are lower-case."""
    return label(headers.get(endpoint.replica_header.lower(), "")) if endpoint.replica_header else ""
