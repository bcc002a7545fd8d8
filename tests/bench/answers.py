"""Synthetic answers for benchmarks, the same on every run."""

import math

import numpy as np

from canary.records import Finish, Logprobs, Message, Probe, Reference, Response, Sampling

LATIN = frozenset(["Latn"])
TOKENS = 100
TOP = 5
NOISE = 0.02
"""Standard deviation of healthy logprobs, in nats."""

_SENTENCES = (
    "The harbour was calm before sunrise, and only the ferry moved across the grey water.",
    "A good recipe says what may be changed and what must stay exactly as it is.",
    "When the river rises in spring, the farmers move their tools to the upper barn.",
    "Most bridges of that age were built twice, because the first one never lasted.",
    "She measured the beam again, wrote the number down and compared it with the plan.",
)
_CODE = '''```python
def moving_average(values: list[float], width: int) -> list[float]:
    """The mean of every window of `width` values."""
    if not 0 < width <= len(values):
        raise ValueError(f"width {width} does not fit {len(values)} values")
    total = sum(values[:width])
    means = [total / width]
    for old, new in zip(values, values[width:]):
        total += new - old
        means.append(total / width)
    return means
```
'''


def plain(characters: int = 200_000) -> str:
    """English prose in ASCII."""
    return _repeated(" ".join(_SENTENCES) + "\n", characters)


def mixed(characters: int = 200_000) -> str:
    """English prose with the quotes, dashes and accents of real answers."""
    return _repeated("“A naïve façade” — she said — isn't enough… " + " ".join(_SENTENCES) + "\n", characters)


def _repeated(text: str, characters: int) -> str:
    return (text * (characters // len(text) + 1))[:characters]


def probe() -> Probe:
    messages = (Message("user", "Explain the moving average, with code in Python."),)
    return Probe("bench", "bench", messages, Sampling(400), (), "a benchmark", "en", ("Latn",), (), "python")


def answer(characters: int = 2_000, seed: int = 0) -> Response:
    """Markdown with a code block, and logprobs."""
    prose = mixed(characters - len(_CODE))
    return Response(f"{prose}\n\n{_CODE}", Finish.STOP, logprobs=vector(seed))


def golden(n: int) -> Reference:
    return Reference("bench", 0, tuple(vector(seed) for seed in range(1, n + 1)))


def vector(seed: int) -> Logprobs:
    """Logprobs of one answer: the same tokens for every seed, each logprob with healthy noise of its own."""
    logits = np.random.default_rng(0).gumbel(size=(TOKENS, TOP)) * 2
    logits[:, 0] = logits.max(axis=1) + 1
    noisy = logits + np.random.default_rng(seed).normal(scale=NOISE, size=logits.shape)
    logprobs = noisy - np.log(np.exp(noisy).sum(axis=1, keepdims=True)) - math.log(1.02)
    order = np.argsort(-logprobs, axis=1)
    ids = order + 10 * np.arange(TOKENS)[:, None]
    rows = np.take_along_axis(logprobs, order, axis=1)
    top = tuple(map(tuple, ids.tolist()))
    values = tuple(map(tuple, rows.tolist()))
    return Logprobs(tuple(row[0] for row in top), tuple(row[0] for row in values), top, values)
