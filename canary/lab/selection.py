"""Which tokens a server's arithmetic lets through: exactly, or as accelerators really do it.

*Two precisions.* Logits leave the matrix unit in bfloat16. Where a compiler fuses the next operation into it, that
operation still sees fp32: excess precision, which for a part of the vocabulary is kept and for the rest is not. Two
tokens less than a rounding apart then change places, and the most probable one drops out.

*Approximate top-k.* Sorting a vocabulary is dear, so it is laid out in blocks, of which each yields its best, and the
top-k is that of those. A token is missed when a better one shares its block. The best of all is never missed, unless
the blocks do not cover the vocabulary: `Layout` has that latent bug for the batch sizes where it rounds down.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from canary.lab.model import Floats, Ints

Mask = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]

CANDIDATES = 64
"""The k of a server's approximate top-k, where a request does not ask for less."""
_LEVEL = np.float32(20.0)  # about where a real model's best logits lie: a softmax does not see it, bfloat16 does
_SCRATCH = 12_288  # blocks that fit into fast memory, for the whole batch


def bfloat16(values: Floats) -> Floats:
    """Round to 8 significant bits, ties to even; as float32. Infinities stay what they are."""
    bits = values.astype(np.float32).view(np.uint32)
    bits = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    rounded: Floats = (bits & np.uint32(0xFFFF_0000)).view(np.float32)
    return rounded


def in_two_precisions(logits: Floats, ids: Ints) -> Floats:
    """The logits as a sampler sees them that is fused with the matrix unit for every other token alone."""
    rounded = bfloat16(logits + _LEVEL) - _LEVEL
    return np.where(ids % 2 == 0, logits, rounded)


@dataclass(frozen=True, slots=True)
class Layout:
    """`blocks` blocks of `width` tokens each; tokens at later places are in none."""

    blocks: int
    width: int

    @classmethod
    def compiled(cls, batch: int, vocabulary: int) -> "Layout":
        """As a program for batches of this size has it. The width is rounded to the nearest; it should be up."""
        blocks = _SCRATCH // batch
        return cls(blocks, max(1, round(vocabulary / blocks)))

    @property
    def covered(self) -> int:
        return self.blocks * self.width


def approximate_top_k(logits: Floats, at: Ints, layout: Layout, k: int) -> Mask:
    """Which candidates, lying `at` these places, are found: of the best ones of the blocks the k best."""
    blocks = np.where(at < layout.covered, at // layout.width, layout.blocks)
    order = np.lexsort((-logits, blocks), axis=1)
    ranked = np.take_along_axis(blocks, order, axis=1)
    first = np.ones(ranked.shape, dtype=np.bool_)
    first[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    found = np.empty_like(first)
    np.put_along_axis(found, order, first & (ranked < layout.blocks), axis=1)
    best = np.argsort(np.where(found, -logits, np.inf), axis=1, kind="stable")
    np.put_along_axis(found, best[:, k:], values=False, axis=1)
    return found & np.isfinite(logits)


def nucleus(logits: Floats, top_k: int, top_p: float) -> Floats:
    """Keep the top-k, and of those the smallest set of the most probable tokens whose mass reaches top-p."""
    order = np.argsort(-logits, axis=1, kind="stable")
    ranked = np.take_along_axis(logits, order, axis=1).astype(np.float64)
    if top_k:
        ranked[:, top_k:] = -np.inf
    mass = np.exp(ranked - ranked[:, :1])
    mass /= mass.sum(axis=1, keepdims=True)
    keep = mass.cumsum(axis=1) - mass < top_p
    kept = np.full_like(logits, -np.inf)
    np.put_along_axis(kept, order, np.where(keep, ranked, -np.inf).astype(np.float32), axis=1)
    return kept


def draw(logits: Floats, uniform: Doubles) -> Ints:
    """A sample of each row's softmax, from a number in [0, 1) for each."""
    mass = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True)).cumsum(axis=1)
    return np.asarray((mass <= (uniform * mass[:, -1])[:, None]).sum(axis=1))
