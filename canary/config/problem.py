"""What is wrong with a file, said so that it can be put right: file, line, key, fault, remedy. Never a value."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

_MOST_SHOWN = 50

Step = str | int
Place = tuple[Step, ...]
"""A path into a document: keys and list positions."""


@dataclass(frozen=True, slots=True)
class Problem:
    place: Place
    text: str
    line: int = 0
    about_secret: bool = False


def dotted(place: Place) -> str:
    """As a user reads it.

    >>> dotted(("suites", 0, "interval"))
    'suites[0].interval'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")


def render(path: Path, problems: Iterable[Problem]) -> str:
    """One line for each problem, in the order of the file."""
    ordered = sorted(problems, key=lambda problem: problem.line)
    lines = [
        f"{path}:{problem.line}: {dotted(problem.place)}{': ' if problem.place else ''}{problem.text}"
        for problem in ordered[:_MOST_SHOWN]
    ]
    return "\n".join(lines + ([f"... and {len(ordered) - _MOST_SHOWN} more"] if len(ordered) > _MOST_SHOWN else []))


def suggestion(name: str, known: Collection[str]) -> str:
    """The nearest known name, or all of them where none is near.

    >>> suggestion("intervall", ["interval", "jitter"])
    'did you mean "interval"?'
    >>> suggestion("x", ["interval", "jitter"])
    'known: interval, jitter'
    """
    near = get_close_matches(name[:100], known, n=1)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"known: {_listed(sorted(known))}" if known else "there are none"


def _listed(names: Sequence[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
