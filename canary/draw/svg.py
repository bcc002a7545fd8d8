"""A picture as SVG: one file without references, light or dark as its reader is."""

from collections.abc import Mapping
from html import escape

from canary.draw.marks import DARK, LIGHT, Ink, Label, Mark, Path, Picture, Point, Shape

_FONT = "ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"


def svg(picture: Picture) -> str:
    """The whole document."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {picture.width:g} {picture.height:g}" '
        f'width="{picture.width:g}" height="{picture.height:g}" font-family="{_FONT}">'
    )
    title = f"<title>{_clean(picture.title)}</title>"
    return "\n".join([head, title, _style(), *map(_element, picture.marks), "</svg>\n"])


def _style() -> str:
    return f"<style>{_rules(LIGHT)} @media (prefers-color-scheme: dark) {{{_rules(DARK)}}}</style>"


def _rules(palette: Mapping[Ink, str]) -> str:
    return " ".join(
        f".{ink}{{fill:{colour}}} .{ink}-line{{stroke:{colour};fill:none;stroke-linejoin:round}}"
        for ink, colour in palette.items()
    )


def _element(mark: Mark) -> str:
    match mark:
        case Path(points, ink, width):
            return f'<polyline class="{ink}-line" stroke-width="{width:g}" points="{_points(points)}"/>'
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
