"""What one server does with one prompt: its platform's arithmetic, its pool's position scaling, its batch's jitter."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from canary.lab import noise
from canary.lab.batches import JITTER
from canary.lab.decode import Decoded, Sampling, Strikes, Touch, decode, strike, told
from canary.lab.model import Floats, Ints, LanguageModel, Plan, vocabulary
from canary.lab.position import TRAINED, shift
from canary.lab.prompts import outline
from canary.lab.spec import Platform, Pool

_PLANS = 512
ANSWERS = 512
"""Answers with nothing random in them that an engine remembers, if not told otherwise."""
_WEIGHTS = 32
_MOST_READ = 8_192  # tokens of a prompt whose logprobs are told


@dataclass(frozen=True, slots=True)
class Answer:
    """`model` is what the server declares to be; `prompt` are the prompt's own tokens but the first, if asked for.

    `written` is what a renderer keeps of it, for healthy answers come often.
    """

    text: str = field(repr=False)
    decoded: Decoded = field(repr=False)
    prompt_tokens: int
    finish: str
    prompt: Decoded | None = field(default=None, repr=False)
    model: str = ""
    written: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Server:
    """One replica. `engine` is the build of its software, `version` that of the weights: empty before any upgrade."""

    platform: Platform
    pool: Pool
    index: int
    engine: str = ""
    version: str = ""

    @property
    def name(self) -> str:
        return f"{self.platform.name}-{self.pool.name}-{self.index}"


@dataclass(frozen=True, slots=True)
class Work:
    """A prompt for a server, in a batch of `batches.SIZES[program]` requests, and what is wrong with it there."""

    model: str
    prompt: str = field(repr=False)
    sampling: Sampling
    server: Server
    program: int
    touch: Touch

    @property
    def weights(self) -> str:
        return f"{self.model}-{self.server.version}" if self.server.version else self.model


class ContextTooLong(ValueError):
    """The prompt and the answer do not fit into the pool's context, or the prompt is too long to tell its logprobs."""


class Engine:
    """The models of a fleet, as its servers run them."""

    def __init__(self, seed: int, room: int = ANSWERS) -> None:
        self._seed = seed
        self._unused = noise.generator("nothing is drawn from it")
        self._model = lru_cache(_WEIGHTS)(lambda name: LanguageModel(name, seed))
        self._plan = lru_cache(_PLANS)(self._new_plan)
        self._settled = lru_cache(room)(self._new_settled)
        self._count = lru_cache(_PLANS)(lambda prompt: len(vocabulary().encode(prompt)))
        self._same = lru_cache(_PLANS)(str)  # long prompts come often: all caches share one string of each

    def answer(self, work: Work, key: int) -> Answer:
        """What is random in it derives from `key`. Raises: ContextTooLong."""
        self._fit(self._count(work.prompt), work.sampling, work.server.pool)
        settled = replace(work, prompt=self._same(work.prompt), touch=work.touch.settled)
        greedy = work.sampling.temperature == 0.0
        if greedy and work.touch == settled.touch:
            return self._settled(settled)
        rng = noise.generator("decode", key)
        strikes = strike(work.touch, len(self._plan(work.weights, work.prompt).ids), rng)
        return self._new_answer(settled, strikes, rng) if strikes or not greedy else self._settled(settled)

    def calm(self, work: Work) -> float:
        """Probability that of what strikes at random, step by step, nothing strikes an answer."""
        touch, steps = work.touch, len(self._plan(work.weights, work.prompt).ids) - 1
        return float(np.prod([1.0 - rate for rate in (touch.corrupted, touch.swapped, touch.dropped)])) ** steps

    def struck(self, work: Work, key: int) -> bool:
        """Whether something of it strikes the answer that has this key."""
        states = len(self._plan(work.weights, work.prompt).ids)
        return bool(strike(work.touch, states, noise.generator("decode", key)))

    def _fit(self, tokens: int, sampling: Sampling, pool: Pool) -> None:
        if tokens + sampling.max_tokens > pool.context:
            raise ContextTooLong(f"the context holds {pool.context} tokens")
        if sampling.prompt_logprobs is not None and tokens > _MOST_READ:
            raise ContextTooLong(f"prompt logprobs are told of {_MOST_READ} tokens at most")

    def _new_plan(self, weights: str, prompt: str) -> Plan:
        draft = outline(prompt, weights)
        return self._model(weights).plan(draft.text, draft.certainty, draft.hesitation, code=draft.code)

    def _new_settled(self, work: Work) -> Answer:
        """An answer with nothing random in it."""
        return self._new_answer(work, Strikes(), self._unused)

    def _new_answer(self, work: Work, strikes: Strikes, rng: np.random.Generator) -> Answer:
        plan = self._plan(work.weights, work.prompt)
        reach = plan.reach(work.sampling.max_tokens)
        logits = self._served(plan.ids, plan.logits, plan.depths, reach, work)
        decoded = decode(plan, logits, work.sampling, work.touch, strikes, rng)
        text, decoded, stopped = _stopped(decoded, work.sampling.stop)
        finish = "stop" if stopped or decoded.ended else "length"
        return Answer(text, decoded, self._count(work.prompt), finish, self._read(work), work.weights)

    def _read(self, work: Work) -> Decoded | None:
        """The prompt, forced on the model as this server runs it: no sampler, and so no fault of one, comes near it."""
        if work.sampling.prompt_logprobs is None:
            return None
        reading = self._model(work.weights).read(vocabulary().encode(work.prompt))
        positions = np.arange(len(reading.ids))
        logits = self._served(reading.ids, reading.logits, positions, len(positions), work, "read")
        return told(reading.ids, logits, reading.slots, work.sampling.prompt_logprobs, ended=True)

    def _served(self, ids: Ints, logits: Floats, positions: Ints, reach: int, work: Work, *about: str) -> Floats:
        """The model's logits, as far as they are wanted, as this server computes them in such a batch."""
        server, shape = work.server, logits.shape
        about = (work.weights, work.prompt, *about)
        drift = noise.field(shape, self._seed, *about, server.platform.name)[:reach]
        jitter = noise.field(shape, self._seed, *about, server.name, server.engine, work.program)[:reach]
        served = logits[:reach] + np.float32(server.platform.drift) * drift
        served += np.float32(JITTER[work.program]) * jitter
        if server.pool.scaling:
            factor = max(1.0, server.pool.context / TRAINED)
            tokens = len(vocabulary().pieces)
            moved = shift(ids[:reach], positions[:reach], factor, tokens, self._seed, work.weights)
            served += np.float32(server.pool.scaling) * moved
        return np.asarray(served)


def _stopped(decoded: Decoded, stops: tuple[str, ...]) -> tuple[str, Decoded, bool]:
    """The text before the first stop string, the tokens that it takes, and whether there was one."""
    words = vocabulary()
    text = words.decode(decoded.tokens)
    ends = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    if not ends:
        return text, decoded, False
    text = text[: min(ends)]
    kept = next(n for n in range(len(decoded.tokens) + 1) if len(words.decode(decoded.tokens[:n])) >= len(text))
    return text, decoded.first(kept), True
