"""The fleet: balancers, pools, replicas and models. A request and its number give a reply; no clock, no network.

All randomness of a reply derives from the fleet's seed, the request (with its affinity key) and `nth`, which tells
repetitions of one request apart: the same requests get the same replies, in whatever order they come in.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from functools import lru_cache

import numpy as np

from canary.lab import noise
from canary.lab.decode import Decoded, Sampling, Touch, decode, told
from canary.lab.faults import Fault, FaultKind, strength
from canary.lab.model import Floats, LanguageModel, Plan
from canary.lab.prompts import outline
from canary.lab.spec import FleetSpec, Platform, Pool

_BATCH_SHAPES = (0.01, 0.02, 0.03, 0.05)  # sd in nats of the jitter that each brings
_PLANS = 256
_ANSWERS = 512
_MOST_READ = 8_192  # tokens of a prompt whose logprobs are told


@dataclass(frozen=True, slots=True)
class Request:
    """`affinity` is the session key by which balancers stick; without one each request is a session of its own."""

    model: str
    platform: str
    pool: str
    prompt: str = field(repr=False)
    sampling: Sampling
    affinity: str = ""
    tools: tuple[str, ...] = ()  # by name; the prompt describes them
    echo: bool = False  # the answer begins with the prompt


@dataclass(frozen=True, slots=True)
class Answer:
    """`prompt` are the prompt's own tokens but the first, where their logprobs are asked for."""

    text: str = field(repr=False)
    decoded: Decoded = field(repr=False)
    prompt_tokens: int
    finish: str
    prompt: Decoded | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What one replica does with a request after `delay` seconds: answer it, or fail as `failure` says."""

    replica: str
    delay: float
    answer: Answer | None = None
    failure: FaultKind | None = None


@dataclass(frozen=True, slots=True)
class _Server:
    platform: Platform
    pool: Pool
    index: int

    @property
    def name(self) -> str:
        return f"{self.platform.name}-{self.pool.name}-{self.index}"


class UnknownTarget(LookupError):
    """The fleet has no such model, platform or pool."""


class ContextTooLong(ValueError):
    """The prompt and the answer do not fit into the pool's context, or the prompt is too long to tell its logprobs."""


class Fleet:
    """A simulated fleet."""

    def __init__(self, spec: FleetSpec, faults: Sequence[Fault] = ()) -> None:
        self.spec = spec
        self._models = {name: LanguageModel(name, spec.seed) for name in spec.models}
        self._pools = {(p.name, pool.name): (p, pool) for p in spec.platforms for pool in p.pools}
        self._plan = lru_cache(_PLANS)(self._new_plan)
        self._logits = lru_cache(_PLANS)(self._new_logits)
        self._answer = lru_cache(_ANSWERS)(self._new_answer)
        self._count = lru_cache(_PLANS)(self._new_count)
        self._same = lru_cache(_PLANS)(str)  # long prompts come often: all caches share one string of each
        self.switch(faults)

    def switch(self, faults: Sequence[Fault]) -> None:
        """Put these faults, and no others, on the requests from now on. Raises: UnknownTarget."""
        for fault in faults:
            if fault.to_pool and not any(fault.to_pool == pool.name for _, pool in self._pools.values()):
                raise UnknownTarget(f"no pool {fault.to_pool}")
        self.faults = tuple(faults)

    def models(self, platform: str, pool: str) -> tuple[str, ...]:
        """Raises: UnknownTarget."""
        if (platform, pool) not in self._pools:
            raise UnknownTarget(f"no pool {platform}/{pool}")
        return self.spec.models

    def reply(self, request: Request, nth: int = 0, batch: int = 1) -> Reply:
        """What the request gets when it is served with `batch` requests at once, itself one of them.

        Raises: UnknownTarget, ContextTooLong.
        """
        if request.model not in self.models(request.platform, request.pool):
            raise UnknownTarget(f"no model {request.model}")
        key = noise.digest(self.spec.seed, astuple(request), nth)
        here = [f for f in self.faults if f.concerns(request.model, request.platform, request.pool)]
        faults = [f for f in here if f.batch <= batch]
        server = self._route(request, request.affinity or str(key), faults)
        struck = [f for f in faults if noise.fraction("struck", key, f.kind) < f.share]
        delay = server.pool.latency * (0.75 + 0.5 * noise.fraction("delay", key))
        delay += sum(fault.seconds for fault in struck if fault.kind is FaultKind.SLOW)
        for failure in (FaultKind.UNREACHABLE, FaultKind.THROTTLED):
            if any(fault.kind is failure for fault in struck):
                return Reply(server.name, delay, failure=failure)
        return Reply(server.name, delay, self._generate(request, server, struck, key))

    def _route(self, request: Request, session: str, faults: Sequence[Fault]) -> _Server:
        """Sticky: a session always meets the same server, the wrong one too."""
        platform, pool = self._pools[request.platform, request.pool]
        for fault in faults:
            if fault.kind is FaultKind.MISROUTING and noise.fraction(self.spec.seed, "route", session) < fault.share:
                pool = self._pool_anywhere(fault.to_pool)
        index = noise.digest(self.spec.seed, "replica", session) % pool.replicas
        return _Server(platform, pool, index)

    def _pool_anywhere(self, name: str) -> Pool:
        """The setup called `name`: every platform has a few servers of it, even where none is meant for users."""
        return next(pool for _, pool in self._pools.values() if pool.name == name)

    def _generate(self, request: Request, server: _Server, struck: Sequence[Fault], key: int) -> Answer:
        sampling, kinds = request.sampling, FaultKind
        prompt = self._same(request.prompt)
        if self._count(prompt) + sampling.max_tokens > server.pool.context:
            raise ContextTooLong(f"the context holds {server.pool.context} tokens")
        if sampling.prompt_logprobs is not None and self._count(prompt) > _MOST_READ:
            raise ContextTooLong(f"prompt logprobs are told of {_MOST_READ} tokens at most")
        shape = noise.digest("shape", key) % len(_BATCH_SHAPES)
        rates = [strength(struck, kind) for kind in (kinds.CORRUPTION, kinds.SWAP, kinds.DROPPED_TOP)]
        touch = Touch(*rates)
        settled = touch == Touch() and sampling.temperature == 0.0
        answer = self._answer if settled else self._new_answer
        return answer(request.model, prompt, sampling, server, shape, touch, 0 if settled else key)

    def _new_answer(
        self, model: str, prompt: str, sampling: Sampling, server: _Server, shape: int, touch: Touch, key: int
    ) -> Answer:
        plan = self._plan(model, prompt)
        logits = self._logits(model, prompt, server.platform, server.pool)
        logits = self._jittered(logits, server, shape, model, prompt)
        decoded = decode(plan, logits, sampling, touch, noise.generator("decode", key))
        forced = None
        if sampling.prompt_logprobs is not None:
            forced = self._read(model, prompt, sampling.prompt_logprobs, server, shape)
        return self._finish(decoded, sampling, self._count(prompt), forced)

    def _read(self, model: str, prompt: str, k: int, server: _Server, shape: int) -> Decoded:
        """The prompt, forced on the model as this server runs it: no sampler, and so no fault of one, comes near it."""
        reading = self._models[model].read(self._models[model].vocabulary.encode(prompt))
        about = (model, prompt, "read")
        logits = self._served(reading.logits, server.platform, server.pool, *about)
        return told(reading.ids, self._jittered(logits, server, shape, *about), reading.slots, k, ended=True)

    def _finish(self, decoded: Decoded, sampling: Sampling, prompt_tokens: int, forced: Decoded | None) -> Answer:
        words = self._models[self.spec.models[0]].vocabulary
        text = words.decode(decoded.tokens)
        ends = [at for at in (text.find(stop) for stop in sampling.stop) if at >= 0]
        if ends:
            text = text[: min(ends)]
            kept = next(n for n in range(len(decoded.tokens) + 1) if len(words.decode(decoded.tokens[:n])) >= len(text))
            decoded = decoded.first(kept)
        return Answer(text, decoded, prompt_tokens, "stop" if ends or decoded.ended else "length", forced)

    def _new_plan(self, model: str, prompt: str) -> Plan:
        draft = outline(prompt, model)
        return self._models[model].plan(draft.text, draft.certainty, draft.hesitation)

    def _new_logits(self, model: str, prompt: str, platform: Platform, pool: Pool) -> Floats:
        return self._served(self._plan(model, prompt).logits, platform, pool, model, prompt)

    def _served(self, logits: Floats, platform: Platform, pool: Pool, *about: str) -> Floats:
        """The model's logits as this platform's arithmetic and this pool's position scaling give them."""
        depth = np.linspace(0.5, 1.5, len(logits), dtype=np.float32)[:, None]
        drift = noise.field(logits.shape, self.spec.seed, *about, platform.name)
        shift = noise.field(logits.shape, self.spec.seed, *about, "scaling", pool.name)
        served: Floats = logits + np.float32(platform.drift) * drift + np.float32(pool.scaling) * depth * shift
        return served

    def _jittered(self, logits: Floats, server: _Server, shape: int, *about: str) -> Floats:
        """As they come out in a batch of this shape."""
        jitter = noise.field(logits.shape, self.spec.seed, *about, server.name, shape)
        return logits + np.float32(_BATCH_SHAPES[shape]) * jitter

    def _new_count(self, prompt: str) -> int:
        return len(self._models[self.spec.models[0]].vocabulary.encode(prompt))
