"""A picture as SVG: one file without references, light or dark as its reader is."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby

from canary.draw.marks import DARK, LIGHT, Ink, Label, Mark, Path, Picture, Point, Shape

_FONT = "ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"


def svg(picture: Picture) -> str:
    """The whole document."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {picture.width:g} {picture.height:g}" '
        f'width="{picture.width:g}" height="{picture.height:g}" font-family="{_FONT}">'
    )
    title = f"<title>{_clean(picture.title)}</title>"
    return "\n".join([head, title, _style(), *_elements(picture.marks), "</svg>\n"])


def _style() -> str:
    return f"<style>{_rules(LIGHT)} @media (prefers-color-scheme: dark) {{{_rules(DARK)}}}</style>"


def _rules(palette: Mapping[Ink, str]) -> str:
    return " ".join(
        f".{ink}{{fill:{colour}}} .{ink}-line{{stroke:{colour};fill:none;stroke-linejoin:round}}"
        for ink, colour in palette.items()
    )


def _elements(marks: Sequence[Mark]) -> Iterator[str]:
    """Lines of one ink and width that follow each other are one element: answers are thousands of ticks."""
    for pen, some in groupby(marks, key=lambda mark: (mark.ink, mark.width) if isinstance(mark, Path) else None):
        if pen is None:
            yield from (_element(mark) for mark in some if not isinstance(mark, Path))
        else:
            lines = "".join(f"M{_points(mark.points)}" for mark in some if isinstance(mark, Path))
            yield f'<path class="{pen[0]}-line" stroke-width="{pen[1]:g}" d="{lines}"/>'


def _element(mark: Shape | Label) -> str:
    match mark:
        case Shape(points, ink):
            return f'<polygon class="{ink}" points="{_points(points)}"/>'
        case Label((x, y), text, ink, anchor, size):
            place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}"'
            return f'<text class="{ink}" {place}>{_clean(text)}</text>'


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _clean(text: str) -> str:
    """Names and summaries come from outside: no markup, and no letter that XML forbids."""
    return escape("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text))
