"""From logits to an answer: selection, the walk through the plan, and the places where a fault gets in."""

from dataclasses import dataclass, field, replace

import numpy as np

from canary.lab.model import Floats, Ints, Plan
from canary.lab.noise import generator
from canary.lab.selection import CANDIDATES, Doubles, Layout, approximate_top_k, draw, in_two_precisions, nucleus

_BOOST = (0.5, 3.0)  # nats by which a corrupted token beats the best honest one
_FEW = 8  # up to so many, the best are found sooner one by one


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
    """What goes wrong inside one answer: rates per step of what strikes at random, and what selection computes with.

    `two_precisions` and `layout` (of the approximate top-k) decide by arithmetic alone. The `workaround` looks the most
    probable token up by itself, and puts it back.
    """

    corrupted: float = 0.0
    swapped: float = 0.0
    dropped: float = 0.0
    two_precisions: bool = False
    layout: Layout | None = None
    workaround: bool = False

    @property
    def settled(self) -> "Touch":
        """What is left of it in an answer that nothing strikes."""
        return replace(self, corrupted=0.0, swapped=0.0, dropped=0.0)


def _nowhere() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Strikes:
    """The states of a plan at which something strikes."""

    corrupted: Ints = field(default_factory=_nowhere)
    swapped: Ints = field(default_factory=_nowhere)
    dropped: Ints = field(default_factory=_nowhere)

    def __bool__(self) -> bool:
        return bool(len(self.corrupted) + len(self.swapped) + len(self.dropped))


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


def strike(touch: Touch, states: int, rng: np.random.Generator) -> Strikes:
    """Decide where. The end of the answer is spared."""
    rates = (touch.corrupted, touch.swapped, touch.dropped)
    return Strikes(*(np.flatnonzero(rng.random(states - 1) < rate) if rate else _nowhere() for rate in rates))


def decode(
    plan: Plan, logits: Floats, sampling: Sampling, touch: Touch, strikes: Strikes, rng: np.random.Generator
) -> Decoded:
    """Generate. Every state of the plan is decided at once; the answer is the walk through those that it meets.

    Logprobs are those of the whole distribution, before temperature, top-p and top-k. `logits` may be those of the
    first states alone, as far as the answer can reach.
    """
    logits = _corrupt(plan, logits, strikes.corrupted, rng)
    slots = _select(plan, logits, sampling, touch, rng)
    slots = _swap(plan, logits, slots, strikes.swapped, rng)
    slots = _drop(logits, slots, strikes.dropped)
    path, ended = plan.walk(slots, sampling.max_tokens)
    if ended:
        del path[-1]  # the state that ends the answer says nothing
    at = np.array(path, dtype=np.int64)
    return told(plan.ids[at], logits[at], slots[at], sampling.logprobs or 0, ended=ended)


def told(ids: Ints, logits: Floats, slots: Ints, k: int, *, ended: bool) -> Decoded:
    """The tokens in `slots`, one a row, with their logprobs and those of the k most probable ones."""
    logprobs = logits.astype(np.float64)
    logprobs -= np.log(np.exp(logprobs).sum(axis=1, keepdims=True))
    np.minimum(logprobs, 0.0, out=logprobs)
    top = _top(logprobs, k)
    rows = np.arange(len(slots))
    return Decoded(
        tokens=ids[rows, slots].tolist(),
        logprobs=logprobs[rows, slots].tolist(),
        top=ids[rows[:, None], top].tolist(),
        top_logprobs=logprobs[rows[:, None], top].tolist(),
        ended=ended,
    )


def _strays(plan: Plan, logits: Floats, at: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """A candidate that should be rare for each of these states, where the answer gets so far and it is rare there."""
    if not len(at):
        return at, at
    slots = logits.shape[1] - 1 - rng.integers(plan.strays, size=len(at))
    reached = at < len(logits)
    at, slots = at[reached], slots[reached]
    usable = np.isfinite(logits[at, slots])
    return at[usable], slots[usable]


def _corrupt(plan: Plan, logits: Floats, at: Ints, rng: np.random.Generator) -> Floats:
    """Before the softmax: a stray token gets a logit above all others."""
    at, slots = _strays(plan, logits, at, rng)
    if not len(at):
        return logits
    logits = logits.copy()
    logits[at, slots] = logits[at].max(axis=1) + rng.uniform(*_BOOST, size=len(at))
    return logits


def _swap(plan: Plan, logits: Floats, slots: Ints, at: Ints, rng: np.random.Generator) -> Ints:
    """After the softmax: the selected token is replaced by a stray one; the reported logprobs know nothing of it."""
    at, strays = _strays(plan, logits, at, rng)
    slots[at] = strays
    return slots


def _drop(logits: Floats, slots: Ints, at: Ints) -> Ints:
    """Selection works on a candidate list that has lost its first entry, where that was the one selected."""
    for state in at[at < len(logits)]:
        best = logits[state].argmax()
        if slots[state] == best:
            row = logits[state].copy()
            row[best] = -np.inf
            slots[state] = row.argmax()
    return slots


def _select(plan: Plan, logits: Floats, sampling: Sampling, touch: Touch, rng: np.random.Generator) -> Ints:
    seen = _candidates(plan, logits, touch)
    if sampling.temperature == 0.0:
        return np.asarray((logits if touch.workaround else seen).argmax(axis=1))
    if sampling.seed is not None:
        rng = generator("sampling", sampling.seed)
    scaled = seen / np.float32(sampling.temperature)
    if sampling.top_k or sampling.top_p < 1.0:
        scaled = nucleus(scaled, sampling.top_k, sampling.top_p)
    return draw(scaled, rng.random(len(scaled)))


def _candidates(plan: Plan, logits: Floats, touch: Touch) -> Floats:
    """What selection is left with: all of the distribution, on a healthy server."""
    seen, ids = logits, plan.ids[: len(logits)]
    if touch.two_precisions:
        seen = in_two_precisions(seen, ids)
    if touch.layout is not None:
        found = approximate_top_k(seen, plan.places[ids], touch.layout, CANDIDATES)
        if touch.workaround:
            found[np.arange(len(found)), seen.argmax(axis=1)] = True
        seen = np.where(found, seen, np.float32(-np.inf))
    return seen


def _top(logprobs: Doubles, k: int) -> Ints:
    """The columns of the k best, best first; the first column first where they are equal."""
    if k > _FEW:
        return np.argsort(-logprobs, axis=1, kind="stable")[:, :k]
    rows, left = np.arange(len(logprobs)), logprobs.copy()
    best = np.empty((len(logprobs), k), dtype=np.int64)
    for i in range(k):
        best[:, i] = left.argmax(axis=1)
        left[rows, best[:, i]] = -np.inf
    return best
