"""A small language model: what it has read makes an honest distribution over the next token at every step.

A prompt makes a *plan*: a lattice of states, each of which knows the likely next tokens by heart (the longest context)
and mixes in what follows the previous token anywhere (bigrams), what is common everywhere (unigrams), and rare foreign
tokens with a tiny probability. A token that the plan did not foresee does not derail it: the model recovers with the
next one. The support of a state is its candidates; their probabilities sum to one.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from canary.lab import corpus
from canary.lab.corpus import Segments
from canary.lab.noise import generator
from canary.lab.text import Vocabulary

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

CHOICES = 4  # columns of what a state knows by heart
_FOLLOWERS = 44  # columns of bigrams and unigrams
_SHARE_BIGRAM, _SHARE_COMMON, _SHARE_FOREIGN = 0.7, 0.29, 0.01
_SHARE_UNSEEN = 1e-3  # of a prompt's next token, for all that was never read after the one before
_STYLE = 0.3  # sd in nats by which models that read the same differ
_END = -1
_BRACKETS = (b")", b"]", b"}", b"(", b"[", b"{")


@dataclass(frozen=True, slots=True)
class Plan:
    """The lattice of one answer: S states in the order of the text, C candidates each.

    `ids` and `logits` have shape (S, C). The first columns are what is known by heart, `nexts[s]` the states they lead
    to (any other candidate leads on to `nexts[s, 0]`); the last `strays` columns are tokens that should be rare:
    foreign ones, and in code brackets out of place.
    `depths[s]` is the least number of tokens before state s; `places` say where each token of the vocabulary lies in
    the model's tables.
    """

    ids: Ints
    logits: Floats
    nexts: Ints
    depths: Ints
    places: Ints
    strays: int

    def reach(self, limit: int) -> int:
        """How many states there are up to the last one that can be passed within `limit` tokens."""
        return int(np.flatnonzero(self.depths < limit)[-1]) + 1

    def walk(self, slots: Ints, limit: int) -> tuple[list[int], bool]:
        """The states passed when `slots[s]` is chosen in state s, at most `limit`; and whether the answer ended."""
        known = np.where(slots < CHOICES, slots, 0)
        nexts = self.nexts[np.arange(len(slots)), known].tolist()
        path: list[int] = []
        state = 0
        while state != _END and len(path) < limit:
            path.append(state)
            state = nexts[state]
        return path, state == _END


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model expects at each token of a text but the first, knowing the token before it.

    `ids` and `logits` have shape (tokens - 1, candidates); `slots` are the columns of the text's own tokens.
    """

    ids: Ints
    logits: Floats
    slots: Ints


@dataclass(slots=True)
class _Lattice:
    """A plan in the making: per state what was before it, what may come, and where that leads."""

    before: list[int] = field(default_factory=list)
    choices: list[list[int]] = field(default_factory=list)
    nexts: list[list[int]] = field(default_factory=list)
    last: int = 0

    def add(self, ways: list[list[int]]) -> None:
        """Append a choice between token sequences that meet again after it."""
        fork = len(self.choices)
        join = fork + 1 + sum(len(way) - 1 for way in ways)
        self._state(self.last, [way[0] for way in ways], [])
        for way in ways:
            self.nexts[fork].append(len(self.choices) if len(way) > 1 else join)
            for token, after in pairwise(way):
                self._state(token, [after], [len(self.choices) + 1])
            if len(way) > 1:
                self.nexts[-1] = [join]
        self.last = ways[0][-1]

    def tables(self) -> tuple[Ints, Ints]:
        """For each state the next ones, one a choice, and its depth."""
        nexts = np.array([ways + ways[:1] * (CHOICES - len(ways)) for ways in self.nexts])
        depths = [0] + [len(self.nexts)] * (len(self.nexts) - 1)
        for state, ways in enumerate(self.nexts[:-1]):
            for way in ways:
                depths[way] = min(depths[way], depths[state] + 1)
        return nexts, np.array(depths)

    def _state(self, before: int, choices: list[int], nexts: list[int]) -> None:
        self.before.append(before)
        self.choices.append(choices)
        self.nexts.append(nexts)


class LanguageModel:
    """Tables trained on the corpus; `name` seeds what makes one model's style differ from another's."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.vocabulary = vocabulary()
        ids, logits = _followers()
        style = generator(seed, "style", name).standard_normal(logits.shape, dtype=np.float32)
        self._ids = ids
        self._logits = logits + _STYLE * style
        self._logits -= np.log(np.exp(self._logits).sum(axis=1, keepdims=True))
        self._places = generator(seed, "places", name).permutation(len(ids))
        self._seed = seed

    def plan(
        self, text: Segments, certainty: tuple[float, float], hesitation: tuple[float, float], *, code: bool = False
    ) -> Plan:
        """The plan of an answer: in each state all but 10^-x of the mass is on the plan, x uniform in `certainty`.

        The choices at a fork lie apart by a number of nats that is uniform in `hesitation`.
        """
        lattice = self._lattice(text)
        rng = generator(self._seed, "plan", self.name, text)
        known = np.full((len(lattice.choices), CHOICES), -1, dtype=np.int64)
        weight = np.full(known.shape, -np.inf, dtype=np.float32)
        for state, tokens in enumerate(lattice.choices):
            known[state, : len(tokens)] = tokens
            weight[state, : len(tokens)] = -np.arange(len(tokens)) * rng.uniform(*hesitation)
        doubt = 10.0 ** -rng.uniform(*certainty, size=(len(known), 1)).astype(np.float32)
        doubt[-1] = 1e-12  # no text goes on after its end
        weight += np.log1p(-doubt) - np.log(np.exp(weight).sum(axis=1, keepdims=True))
        others, rest = self._ids[lattice.before], self._logits[lattice.before] + np.log(doubt)
        if code:
            _put_brackets(others, rest)
        rest[(others[:, :, None] == known[:, None, :]).any(axis=2)] = -np.inf
        ids, logits = np.hstack([known, others]), np.hstack([weight, rest])
        return Plan(ids, logits, *lattice.tables(), self._places, len(foreign_tokens()))

    def read(self, tokens: Sequence[int]) -> Reading:
        """Force a text on the model. A token that it does not expect gets a last column, and a tiny probability."""
        before, own = np.array(tokens[:-1], dtype=np.int64), np.array(tokens[1:], dtype=np.int64)
        expected = self._ids[before] == own[:, None]
        known = expected.any(axis=1)
        unseen = np.float32(math.log(_SHARE_UNSEEN / len(self.vocabulary.pieces)))
        last = np.where(known, np.float32(-np.inf), unseen)
        return Reading(
            ids=np.column_stack([self._ids[before], own]),
            logits=np.column_stack([self._logits[before], last]),
            slots=np.where(known, expected.argmax(axis=1), expected.shape[1]),
        )

    def _lattice(self, text: Segments) -> _Lattice:
        lattice = _Lattice(last=self.vocabulary.ids[b"\n"])
        for words in text:
            ways = [self.vocabulary.encode(word) for word in words[:CHOICES]]
            if len(ways) > 1 and len({way[0] for way in ways}) == len(ways):
                lattice.add(ways)
            else:
                for token in ways[0]:
                    lattice.add([[token]])
        lattice.add([[self.vocabulary.end]])
        lattice.nexts[-1] = [_END]
        return lattice


def _put_brackets(ids: Ints, logits: Floats) -> None:
    """In the place of the last foreign tokens, where they are not expected anyway."""
    own = np.array([vocabulary().ids[bracket] for bracket in _BRACKETS])
    expected = (ids[:, : -len(foreign_tokens()), None] == own).any(axis=1)
    ids[:, -len(own) :] = own
    logits[:, -len(own) :][expected] = -np.inf


@cache
def vocabulary() -> Vocabulary:
    """One tokenizer serves all models."""
    return Vocabulary.of((word for text in _training() for words in text for word in words), _foreign_words())


@cache
def foreign_tokens() -> tuple[int, ...]:
    """Rare tokens that have no place in an English answer, and still a probability."""
    return tuple(vocabulary().ids[word.encode()] for word in _foreign_words())


def _foreign_words() -> list[str]:
    return [word for document in corpus.of_kind("foreign") for word in document.text.split()]


def _training() -> tuple[Segments, ...]:
    return tuple(corpus.segments(document.text) for document in corpus.documents() if document.kind != "foreign")


@cache
def _followers() -> tuple[Ints, Floats]:
    """What follows each token, from counts: ids and logits, (tokens, candidates); the foreign tokens stand last."""
    words = vocabulary()
    texts = [[token for choice in text for token in words.encode(choice[0])] for text in _training()]
    common = Counter(token for text in texts for token in text if token >= 256 or words.pieces[token].isascii())
    followers = _bigrams(texts)
    foreign = foreign_tokens()
    frequent = [(token, n) for token, n in common.most_common(200) if token not in foreign]
    rows = [_row(followers.get(token, Counter()), frequent, foreign) for token in range(len(words.pieces))]
    return np.array([ids for ids, _ in rows]), np.array([logits for _, logits in rows], dtype=np.float32)


def _bigrams(texts: Iterable[Sequence[int]]) -> dict[int, Counter[int]]:
    followers: dict[int, Counter[int]] = {}
    for text in texts:
        for token, after in pairwise(text):
            followers.setdefault(token, Counter())[after] += 1
    return followers


def _row(
    followers: Counter[int], frequent: Sequence[tuple[int, int]], foreign: Sequence[int]
) -> tuple[list[int], list[float]]:
    mass: dict[int, float] = {}
    total = followers.total() or 1
    for token, n in followers.most_common(_FOLLOWERS // 2):
        if token not in foreign:
            mass[token] = _SHARE_BIGRAM * n / total
    often = frequent[: 2 * _FOLLOWERS]
    all_often = sum(n for _, n in often)
    for token, n in often:
        if token in mass or len(mass) < _FOLLOWERS:
            mass[token] = mass.get(token, 0.0) + _SHARE_COMMON * n / all_often
    weights = [*mass.values(), *[_SHARE_FOREIGN / len(foreign)] * len(foreign)]
    return [*mass, *foreign], [float(x) for x in np.log(weights)]
