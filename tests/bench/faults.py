"""Clean answers and what corrupts them, the same on every machine with this Python: nothing else is needed.

An answer is 200 words of prose, from the documentation that Python carries, and a piece of its library's code. Foreign
sentences and stray characters come from the texts that the tests hold.
"""

import pydoc_data.topics as documentation
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle, islice

from tests.bench.corruption import CORRUPTIONS
from tests.bench.snippets import snippets
from tests.unit.score.samples import PROSE

ANSWERS = 300
WORDS = 200
THAI = "สวัสดี"
_SENTENCE = re.compile(r"(?<=[.!?]) +|(?<=[。！？])")
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_LEAST, _MOST = 20, 160


@dataclass(frozen=True, slots=True)
class Answer:
    prose: str
    code: str
    end: str = "```\n"

    @property
    def text(self) -> str:
        return f"{self.prose}\n\n```python\n{self.code}{self.end}"


Corrupt = Callable[[Answer, random.Random], Answer]


def answers(n: int = ANSWERS) -> list[Answer]:
    pairs = zip(_prose(), cycle(snippets("python")), strict=False)
    return [Answer(prose, code) for prose, code in islice(pairs, n)]


def _prose() -> Iterator[str]:
    told: list[str] = []
    for paragraph in cycle(list(_paragraphs())):
        told.append(paragraph)
        if sum(len(one.split()) for one in told) >= WORDS:
            yield "\n\n".join(told)
            told = []


def _paragraphs() -> Iterator[str]:
    for topic in sorted(documentation.topics):
        for block in documentation.topics[topic].split("\n\n"):
            text = " ".join(block.split())
            if block[:1].isupper() and len(text) > 150 and "::=" not in text:
                yield text.replace('"', "`")


def stray_word(answer: Answer, rng: random.Random) -> Answer:
    words = answer.prose.split(" ")
    words[rng.randrange(len(words))] = THAI
    return replace(answer, prose=" ".join(words))


def stray_byte(answer: Answer, rng: random.Random) -> Answer:
    at = rng.choice([i for i, char in enumerate(answer.prose) if char.isalpha()])
    return replace(answer, prose=f"{answer.prose[:at]}\ufffd{answer.prose[at + 1 :]}")


def foreign(*languages: str) -> Corrupt:
    """One sentence of one of these languages, between two sentences of the answer."""
    known = [one for language in languages for one in _SENTENCE.split(PROSE[language]) if _LEAST <= len(one) <= _MOST]

    def corrupt(answer: Answer, rng: random.Random) -> Answer:
        own = _SENTENCE.split(answer.prose)
        own.insert(rng.randrange(len(own) + 1), rng.choice(known))
        return replace(answer, prose=" ".join(own))

    return corrupt


def in_code(name: str) -> Corrupt:
    """One of the corruptions of code."""

    def corrupt(answer: Answer, rng: random.Random) -> Answer:
        tokens = _TOKEN.findall(answer.code)
        CORRUPTIONS[name](tokens, rng)
        return replace(answer, code="".join(tokens))

    return corrupt


def repeated(answer: Answer, rng: random.Random) -> Answer:
    sentences = _SENTENCE.split(answer.prose)
    return replace(answer, prose=" ".join([*sentences, *[rng.choice(sentences)] * 8]))


def left_open(answer: Answer, rng: random.Random) -> Answer:
    return replace(answer, end="")


FAULTS: Mapping[str, Corrupt] = {
    "Thai word": stray_word,
    "U+FFFD": stray_byte,
    "Han in code": in_code("Han"),
    "Latin sentence": foreign("de", "fr", "es", "pt", "it"),
    "other sentence": foreign("ru", "zh", "ja", "ar", "ko"),
    "lost token": in_code("dropped"),
    "swapped tokens": in_code("swapped"),
    "lost character": in_code("character"),
    "loop": repeated,
    "open fence": left_open,
}
