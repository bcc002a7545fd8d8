"""From logits to an answer: softmax, selection, and the places where a fault gets in."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from canary.lab.model import Floats, Ints, Plan
from canary.lab.noise import generator

Doubles = npt.NDArray[np.float64]

_BOOST = (0.5, 3.0)  # nats by which a corrupted token beats the best honest one


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling parameters, as OpenAI's API means them.

    `logprobs` is the top-k to report (None: none), `prompt_logprobs` the same for the prompt's own tokens.
    """

    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: int | None = None
    prompt_logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class Touch:
    """What goes wrong inside one answer: for each fault, the rate per step."""

    corrupted: float = 0.0
    swapped: float = 0.0
    dropped: float = 0.0


@dataclass(frozen=True, slots=True)
class Decoded:
    """The tokens of an answer, or of a prompt; with `top` of shape (tokens, k), most probable first."""

    tokens: list[int]
    logprobs: list[float]
    top: list[list[int]]
    top_logprobs: list[list[float]]
    ended: bool

    def first(self, n: int) -> "Decoded":
        return Decoded(self.tokens[:n], self.logprobs[:n], self.top[:n], self.top_logprobs[:n], self.ended)


def decode(plan: Plan, logits: Floats, sampling: Sampling, touch: Touch, rng: np.random.Generator) -> Decoded:
    """Generate. Every state of the plan is decided at once; the answer is the walk through those that it meets.

    Logprobs are those of the whole distribution, before temperature, top-p and top-k.
    """
    logits = _corrupt(plan, logits, touch.corrupted, rng)
    slots = _select(logits, sampling, rng)
    slots = _swap(plan, logits, slots, touch.swapped, rng)
    slots = _drop(logits, slots, touch.dropped, rng)
    path, ended = plan.walk(slots.tolist(), sampling.max_tokens)
    if ended:
        del path[-1]  # the state that ends the answer says nothing
    at = np.array(path, dtype=np.int64)
    return told(plan.ids[at], logits[at], slots[at], sampling.logprobs or 0, ended=ended)


def told(ids: Ints, logits: Floats, slots: Ints, k: int, *, ended: bool) -> Decoded:
    """The tokens in `slots`, one a row, with their logprobs and those of the k most probable ones."""
    passed = logits.astype(np.float64)
    logprobs = passed - np.log(np.exp(passed).sum(axis=1, keepdims=True))
    top = _top(logprobs, k)
    rows = np.arange(len(slots))
    return Decoded(
        tokens=ids[rows, slots].tolist(),
        logprobs=np.minimum(logprobs[rows, slots], 0.0).tolist(),
        top=np.take_along_axis(ids, top, axis=1).tolist(),
        top_logprobs=np.minimum(np.take_along_axis(logprobs, top, axis=1), 0.0).tolist(),
        ended=ended,
    )


def _steps(states: int, rate: float, rng: np.random.Generator) -> Ints:
    """The states at which a fault strikes. The end of the answer is spared."""
    return np.flatnonzero(rng.random(states - 1) < rate) if rate else np.empty(0, dtype=np.int64)


def _foreign(plan: Plan, logits: Floats, rate: float, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """States at which a fault strikes, and a foreign candidate for each, where the text itself is not foreign."""
    at = _steps(len(logits), rate, rng)
    slots = logits.shape[1] - 1 - rng.integers(plan.foreign, size=len(at))
    usable = np.isfinite(logits[at, slots])
    return at[usable], slots[usable]


def _corrupt(plan: Plan, logits: Floats, rate: float, rng: np.random.Generator) -> Floats:
    """Before the softmax: a foreign token gets a logit above all others."""
    at, slots = _foreign(plan, logits, rate, rng)
    if not len(at):
        return logits
    logits = logits.copy()
    logits[at, slots] = logits[at].max(axis=1) + rng.uniform(*_BOOST, size=len(at))
    return logits


def _swap(plan: Plan, logits: Floats, slots: Ints, rate: float, rng: np.random.Generator) -> Ints:
    """After the softmax: the selected token is replaced by a foreign one; the reported logprobs know nothing of it."""
    at, foreign = _foreign(plan, logits, rate, rng)
    slots[at] = foreign
    return slots


def _drop(logits: Floats, slots: Ints, rate: float, rng: np.random.Generator) -> Ints:
    """Selection works on a candidate list that has lost its first entry, where that was the one selected."""
    for state in _steps(len(logits), rate, rng):
        best = logits[state].argmax()
        if slots[state] == best:
            row = logits[state].copy()
            row[best] = -np.inf
            slots[state] = row.argmax()
    return slots


def _select(logits: Floats, sampling: Sampling, rng: np.random.Generator) -> Ints:
    if sampling.temperature == 0.0:
        best: Ints = logits.argmax(axis=1)
        return best
    if sampling.seed is not None:
        rng = generator("sampling", sampling.seed)
    scaled = _nucleus(logits / np.float32(sampling.temperature), sampling)
    noisy: Doubles = scaled + rng.gumbel(size=scaled.shape)  # the Gumbel-max trick: a sample of the softmax
    sampled: Ints = noisy.argmax(axis=1)
    return sampled


def _nucleus(logits: Floats, sampling: Sampling) -> Floats:
    """Keep the top-k, then the smallest set of tokens whose mass reaches top-p."""
    order = np.argsort(-logits, axis=1)
    ranked = np.take_along_axis(logits, order, axis=1)
    mass = np.exp(ranked - ranked[:, :1])
    mass /= mass.sum(axis=1, keepdims=True)
    keep = mass.cumsum(axis=1) - mass < sampling.top_p
    if sampling.top_k:
        keep[:, sampling.top_k :] = False
    kept = np.full_like(logits, -np.inf)
    np.put_along_axis(kept, order, np.where(keep, ranked, -np.inf), axis=1)
    return kept


def _top(logprobs: Doubles, k: int) -> Ints:
    if not k:
        return np.empty((len(logprobs), 0), dtype=np.int64)
    best = np.argpartition(-logprobs, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(logprobs, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)
