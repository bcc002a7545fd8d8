"""Seeded randomness: the same parts give the same numbers, whatever else was drawn before."""

import hashlib
from functools import cache

import numpy as np
import numpy.typing as npt

_POOL = 1 << 21


def digest(*parts: object) -> int:
    """64 bits that depend on all parts."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


def fraction(*parts: object) -> float:
    """A number in [0, 1) that depends on all parts."""
    return digest(*parts) / 2**64


def generator(*parts: object) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(digest(*parts)))


def field(shape: tuple[int, int], *parts: object) -> npt.NDArray[np.float32]:
    """Standard normal numbers for a table of logits: a window into one fixed pool, so that it costs nothing."""
    rows, columns = shape
    start = digest(*parts) % (_POOL - rows * columns)
    return _pool()[start : start + rows * columns].reshape(shape)


@cache
def _pool() -> npt.NDArray[np.float32]:
    pool = generator("pool").standard_normal(_POOL, dtype=np.float32)
    pool.flags.writeable = False
    return pool
