"""The words of a message for people: Canary's own, or made by the user's templates."""

from collections.abc import Callable
from dataclasses import dataclass

from canary.alert.told import Told
from canary.template import filled

TITLE = "[{status}] {summary}"


@dataclass(frozen=True, slots=True)
class Wording:
    """Templates over `canary.template.MESSAGE`; without a `text` the receiver lays out its own."""

    title: str = TITLE
    text: str | None = None

    def head(self, told: Told, escape: Callable[[str], str] = str) -> str:
        """One line."""
        return " ".join(filled(self.title, told.facts, escape).split())

    def body(self, told: Told, escape: Callable[[str], str] = str) -> str:
        """As the template says, or all there is to say."""
        if self.text is not None:
            return filled(self.text, told.facts, escape)
        lines = [*told.lines, *(f"answer   {one['slot']} {one['text']}" for one in told.answers)]
        return "\n".join(map(escape, lines))
