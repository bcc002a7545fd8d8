"""Templates: `{name}` stands for a fact, `{{` and `}}` for braces. Nothing else happens in them. Pure."""

import re
from collections.abc import Callable, Collection, Mapping

MESSAGE = (
    "at",
    "by",
    "dashboard",
    "evidence",
    "id",
    "kind",
    "model",
    "platform",
    "pool",
    "replay",
    "runbook",
    "severity",
    "since",
    "size",
    "state",
    "status",
    "summary",
    "suspects",
    "symptoms",
    "text",
)
"""What the templates of messages may name."""

LINK = ("id", "model", "platform", "pool", "symptom")
"""What the templates of links may name; "*" is any."""

_PART = re.compile(r"\{\{|\}\}|\{([a-z_]+)\}|[{}]")


def filled(template: str, facts: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """The template with its facts put in, each `escape`d; what a fact holds is never read as a template.

    >>> filled("{summary} {{}}", {"summary": "it is {late}"})
    'it is {late} {}'

    Raises:
        KeyError: it names a fact that is not there.
    """

    def put(match: re.Match[str]) -> str:
        return match[0][0] if match[1] is None else escape(facts[match[1]])

    return _PART.sub(put, template)


def fault(template: str, known: Collection[str]) -> str | None:
    """What is wrong with it, if anything.

    >>> fault("{sumary} of {id}", ["id", "summary"])
    'names {sumary}, which is no fact: there are id, summary'
    >>> fault("{id", ["id"])
    'has a brace that stands alone: write {{ or }} for the character itself'
    """
    for match in _PART.finditer(template):
        if match[1] is None and len(match[0]) == 1:
            return "has a brace that stands alone: write {{ or }} for the character itself"
        if match[1] is not None and match[1] not in known:
            return f"names {match[0]}, which is no fact: there are {', '.join(sorted(known))}"
    return None
