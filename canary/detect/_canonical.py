"""One spelling for frozen parameters, so that equal parameters have equal digests."""

import hashlib
import json
from collections.abc import Mapping


def canonical(facts: Mapping[str, object]) -> str:
    """JSON with sorted keys; floats are spelled so that they read back to the same bits. Refuses NaN and infinity."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def parsed(text: str) -> dict[str, object]:
    """A JSON object. Raises ValueError for anything else."""
    facts = json.loads(text)
    if isinstance(facts, dict):
        return facts
    raise ValueError(f"expected a JSON object, got {type(facts).__name__}")


def read(text: str, kind: str, version: int, keys: frozenset[str]) -> dict[str, object]:
    """The facts of `canonical`, without kind and version. Raises ValueError when they are another's."""
    facts = parsed(text)
    if (facts.pop("kind", None), facts.pop("version", None)) != (kind, version):
        raise ValueError(f"not the parameters of a {kind} detector, version {version}")
    if facts.keys() != keys:
        raise ValueError(f"a {kind} detector has the parameters {sorted(keys)}, got {sorted(facts)}")
    return facts


def number(fact: object) -> float:
    """A JSON number. Raises ValueError for anything else."""
    if isinstance(fact, int | float) and not isinstance(fact, bool):
        return float(fact)
    raise ValueError(f"expected a number, got {type(fact).__name__}")


def numbers(fact: object) -> tuple[float, ...]:
    """A JSON list of numbers. Raises ValueError for anything else."""
    if isinstance(fact, list):
        return tuple(number(each) for each in fact)
    raise ValueError(f"expected a list of numbers, got {type(fact).__name__}")


def numbers_by_name(fact: object) -> tuple[tuple[str, float], ...]:
    """A JSON object of numbers, in the order of its names. Raises ValueError for anything else."""
    if isinstance(fact, dict):
        return tuple(sorted((str(name), number(each)) for name, each in fact.items()))
    raise ValueError(f"expected an object of numbers, got {type(fact).__name__}")
