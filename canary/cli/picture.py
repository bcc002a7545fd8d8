"""Charts on a terminal: what each ink looks like there."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

    from canary.draw import Line

_STYLES = {
    "faint": "dim",
    "grid": "dim",
    "evidence": "bold cyan",
    "threshold": "red",
    "alarm": "bold red",
    "change": "magenta",
    "event": "yellow",
}
MOST_COLUMNS = 110


def styled(lines: "Iterable[Line]") -> "Iterator[Text]":
    """The lines as rich prints them."""
    from rich.text import Text

    for line in lines:
        yield Text.assemble(*((letters, _STYLES.get(ink.value, "")) for letters, ink in line), no_wrap=True)
