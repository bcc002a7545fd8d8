"""The script scorer: unexpected characters of an answer, given what its probe allows."""

from functools import lru_cache

from canary.records import Message, Probe, Response, UnscoredReason
from canary.score.characters import Kind, Scan, expand, letters_alone, scan, scripts_in
from canary.score.fences import fences, split_code
from canary.score.measure import Judgement, Measure

_IDENTIFIERS = frozenset(["Latn"])


def measure(probe: Probe, response: Response) -> Judgement:
    """Count the characters of an answer that its probe does not allow for.

    Allowed are the probe's scripts, those of its prompt, and `allow_scripts`; in fenced code, outside strings and
    comments, Latin alone. Where the probe expects other scripts than Latin and none of their letters came, every
    letter counts.

    Shape:
        One probe and one response to one value.
    Unit:
        Characters; exposure in letters scanned.
    Range:
        0 <= value <= len(text); exposure >= 1.

    Raises:
        Nothing.

    References:
        UAX #24, Unicode Script Property.
    """
    text = response.text
    if not text.strip():
        return UnscoredReason.EMPTY
    allowed = expand((*probe.scripts, *probe.allow_scripts)) | _prompt_scripts(probe.messages)
    found = scan_answer(text, allowed)
    if _missing(text, probe):
        return Measure(float(max(found.letters, found.unexpected)), max(1.0, float(found.letters)), Kind.MISSING.value)
    return Measure(float(found.unexpected), max(1.0, float(found.letters)), found.spans[0].place if found.spans else "")


def scan_answer(text: str, allowed: frozenset[str]) -> Scan:
    r"""Scan a Markdown answer: prose by `allowed`, identifiers and keywords of its fenced code strictly.

    Shape:
        Any string to one `Scan`, its offsets those of `text`.
    Unit:
        As `canary.score.characters.scan`.
    Range:
        As `canary.score.characters.scan`.

    Raises:
        Nothing.

    >>> found = scan_answer("如下：\n```py\nx = 极  # 好\n```", frozenset(["Latn", "Hani"]))
    >>> [span.place for span in found.spans]
    ['foreign_script at 14, 1 long: U+6781']
    """
    blocks = fences(text)
    if not blocks:
        return scan(text, allowed)
    if (letters := letters_alone(text, allowed & _IDENTIFIERS)) is not None:
        return Scan(letters)
    prose_text, code_text = split_code(text, blocks)
    prose, code = scan(prose_text, allowed), scan(code_text, _IDENTIFIERS, symbols=False)
    counts = {kind: n for kind in Kind if (n := prose.counts.get(kind, 0) + code.counts.get(kind, 0))}
    spans = sorted((*prose.spans, *code.spans), key=lambda span: span.offset)
    return Scan(prose.letters + code.letters, counts, tuple(spans))


@lru_cache(maxsize=1024)
def _prompt_scripts(messages: tuple[Message, ...]) -> frozenset[str]:
    return frozenset().union(*(scripts_in(message.content) for message in messages))


def _missing(text: str, probe: Probe) -> bool:
    expected = expand(probe.scripts)
    return bool(expected) and "Latn" not in expected and scripts_in(text).isdisjoint(expected)
