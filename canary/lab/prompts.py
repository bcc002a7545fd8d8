"""What a prompt asks for, and which of the texts that the models know answers it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from canary.lab import corpus
from canary.lab.corpus import Document, Segments, segments
from canary.lab.noise import digest

_PARAGRAPHS = 4
_WORDS_A_PARAGRAPH = 90
_TAIL = 500  # characters at the end of a prompt, where its question stands
TOOLS = "You may call these tools: "
"""How a prompt that offers tools begins: the servers' chat template."""
_MOST_COPIED = 7_000  # characters, for the plan of a copy is as long as the copy
_QUESTION = 80  # characters; longer prompts want more than a fact
_PROSE, _EXACT, _BRIEF = (0.8, 3.0), (1.3, 4.0), (1.3, 2.5)
_NEAR_TIE = (0.02, 0.2)

_COPY = re.compile(r"\b(copy|repeat|reproduce|verbatim|transcribe)\b", re.IGNORECASE)
_BRIEF_ANSWER = re.compile(r"\b(one|single) (\w+ )?(word|token|letter|digit|number)\b|\byes or no\b", re.IGNORECASE)
_COUNT = re.compile(
    r"\b(?:count|numbers|integers)\b[^:]*?\bfrom (\d{1,3}) (?:to|up to|through) (\d{1,3})\b(?: in steps of (\d{1,2}))?",
    re.IGNORECASE,
)
_RECALL = re.compile(r"What is (?:the value of (\w+)|(the [^?]{1,100}))\?", re.IGNORECASE)
_LONG = re.compile(r"\b(\d{1,2}),?(\d{3}) words\b")
_OBJECT = re.compile(r"\bJSON (object|array)\b")
_INTO = re.compile(r"\btranslate\b[^:]*?\binto (\w+)", re.IGNORECASE)
_CODE = {
    "typescript": r"typescript",
    "javascript": r"javascript|node\.js",
    "python": r"python",
    "cpp": r"c\+\+|cpp",
    "java": r"java",
    "rust": r"rust",
    "go": r"golang|(?-i:\bGo\b)",
    "bash": r"bash|shell script",
    "sql": r"sql",
    "html": r"html",
    "css": r"css",
    "json": r"json",
    "yaml": r"yaml",
    "toml": r"toml",
    "c": r"(?-i:\bC\b)",
}
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Outline:
    """The text of an answer with its choices.

    A model doubts each token with probability 10^-x, x in the range `certainty`; two choices lie as many nats apart as
    the range `hesitation` says. In code a bracket out of place is as bad as a foreign word.
    """

    text: Segments
    certainty: tuple[float, float]
    hesitation: tuple[float, float] = (0.06, 1.5)
    code: bool = False


def outline(prompt: str, salt: str) -> Outline:
    """The same prompt gets the same outline; `salt` varies what is left open."""
    exact = _recalled(prompt) or _formal(prompt, salt)
    if exact is not None:
        return Outline(segments(exact), _EXACT)
    if _COPY.search(prompt):
        return Outline(((_payload(prompt),),), _EXACT)
    if counted := list(_COUNT.finditer(prompt)):
        return Outline(((_counted(prompt, counted[-1]),),), _EXACT)
    if _BRIEF_ANSWER.search(prompt):
        return Outline(segments(_nearest(corpus.of_kind("answer"), prompt, salt)[0].text), _BRIEF, _NEAR_TIE)
    return _long(prompt, salt)


def _recalled(prompt: str) -> str | None:
    """What the prompt says of the thing that it asks for at its end."""
    asked = _RECALL.findall(prompt[-_TAIL:])
    if not asked:
        return None
    key, thing = asked[-1]
    said = rf"^{re.escape(key)} = (.+)$" if key else rf"\b{re.escape(thing)} is ([^.\n]+)\."
    found = re.findall(said, prompt, re.IGNORECASE | re.MULTILINE)
    return str(found[-1]) if found else None


def _formal(prompt: str, salt: str) -> str | None:
    """A call of a tool, a JSON object, or a row that is known by heart."""
    if prompt.startswith(TOOLS):
        return _nearest(corpus.of_kind("call"), prompt, salt)[0].text
    if _OBJECT.search(prompt):
        return _nearest(corpus.of_kind("object"), prompt, salt)[0].text
    words = _words(prompt)
    return next((row.text for row in corpus.of_kind("row") if row.topics <= words), None)


def _counted(prompt: str, asked: re.Match[str]) -> str:
    first, last, step = int(asked[1]), int(asked[2]), int(asked[3] or 1) or 1
    numbers = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
    spaced = re.search(r"\bspaces?\b", prompt) and not re.search(r"\bcommas?\b", prompt)
    return (" " if spaced else ", ").join(map(str, numbers))


def _long(prompt: str, salt: str) -> Outline:
    for kind, words in _CODE.items():
        if re.search(rf"(?<!\w)(?:{words})(?!\w)", prompt, re.IGNORECASE):
            return Outline(((_nearest(corpus.of_kind(kind), prompt, salt)[0].text,),), _EXACT, code=True)
    known = [fact for fact in corpus.of_kind("fact") if fact.topics <= _words(prompt)]
    if known and len(prompt) < _QUESTION:
        return Outline(segments(max(known, key=lambda fact: len(fact.topics)).text), _PROSE)
    language = _language(prompt)
    if language is not None:
        return Outline(segments(_shuffled(language, prompt, salt)), _PROSE)
    paragraphs = _nearest(corpus.of_kind("prose"), prompt, salt)[: _length(prompt)]
    return Outline(segments("\n\n".join(paragraph.text for paragraph in paragraphs)), _PROSE)


def _length(prompt: str) -> int:
    """In paragraphs."""
    asked = _LONG.search(prompt)
    return int(asked[1] + asked[2]) // _WORDS_A_PARAGRAPH if asked else _PARAGRAPHS


def _language(prompt: str) -> Document | None:
    """The language that a prompt wants, names, or else is written in, where that is not English."""
    into = _INTO.search(prompt)
    words = _words(into[1] if into else prompt)
    if "english" in words and into:
        return None
    texts = [document for document in corpus.documents() if len(document.kind) == 2 and document.kind not in _CODE]
    named = [document for document in texts if any(_names(topic, words) for topic in document.topics)]
    if named:
        return named[0]
    english = _vocabulary("prose")
    best = max(texts, key=lambda document: len((words - english) & _vocabulary(document.kind)))
    known = len((words - english) & _vocabulary(best.kind))
    return best if known > len(words & english) else None


@cache
def _vocabulary(kind: str) -> frozenset[str]:
    return frozenset().union(*(_words(document.text) for document in corpus.of_kind(kind)))


def _names(topic: str, words: frozenset[str]) -> bool:
    """Scripts without spaces, or with prefixes, hide a name inside a word."""
    return topic in words if topic.isascii() else any(topic in word for word in words)


def _payload(prompt: str) -> str:
    """What is to be copied: all behind the first empty line, or else behind the first colon."""
    for mark in ("\n\n", ":\n", ": "):
        _, found, rest = prompt.partition(mark)
        if found:
            return rest.strip()[:_MOST_COPIED]
    return prompt[:_MOST_COPIED]


def _nearest(documents: Sequence[Document], prompt: str, salt: str) -> list[Document]:
    """Those that share most words with the prompt first."""
    words = _words(prompt)
    return sorted(documents, key=lambda d: (-len(words & d.topics), digest(prompt, salt, d.text)))


def _shuffled(document: Document, prompt: str, salt: str) -> str:
    order = sorted(document.sentences, key=lambda sentence: digest(prompt, salt, sentence))
    gap = "" if document.kind in ("zh", "ja") else " "
    return gap.join(sentence.strip() for sentence in order)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))
