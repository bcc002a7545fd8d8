"""Position scaling: what a model makes of where a token stands, when its servers are set up for long contexts.

A model turns features by angles that grow with the position, each at its own frequency (rotary embeddings). To fit a
context that is `factor` times as long, positions are divided by it (linear interpolation), so every angle comes out
smaller than the model has learnt: the first tokens differ least, those soon after in their fast frequencies, and late
ones in the slow ones too.
"""

from functools import lru_cache

import numpy as np

from canary.lab.model import Floats, Ints
from canary.lab.noise import generator

TRAINED = 32_768
"""Tokens of context that models are trained for."""
_FREQUENCIES = 16
_BASE = 10_000.0


def shift(ids: Ints, positions: Ints, factor: float, tokens: int, *about: object) -> Floats:
    """What that adds to the logits of candidates `ids`, of shape (S, C), at `positions`, of shape (S,); sd about 1.

    `tokens` is the size of the vocabulary. How each of them answers to each frequency depends on what it is `about`.
    """
    frequencies = _BASE ** -(np.arange(_FREQUENCIES) / _FREQUENCIES)
    angles = positions[:, None] * frequencies
    turned = np.cos(angles / factor) - np.cos(angles)
    answers = _answers(tokens, about)
    return np.asarray(np.einsum("scf,sf->sc", answers[ids], turned), dtype=np.float32)


@lru_cache(maxsize=32)
def _answers(tokens: int, about: tuple[object, ...]) -> Floats:
    drawn = generator(*about, "positions").standard_normal((tokens, _FREQUENCIES), dtype=np.float32)
    return np.asarray(drawn / np.float32(np.sqrt(_FREQUENCIES / 2.0)))
