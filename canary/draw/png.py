"""A picture as PNG, by Pillow, which draws text with a font of its own: no font of the machine is needed."""

from io import BytesIO
from typing import TYPE_CHECKING

from canary.draw.marks import LIGHT, Label, Path, Picture, Point, Shape
from canary.errors import CanaryError

if TYPE_CHECKING:
    from PIL import ImageDraw

_SHARP = 2  # pixels of the file for each of the picture
_FINE = 2  # drawn so many times larger still, for smooth lines
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def png(picture: Picture) -> bytes:
    """The whole file.

    Raises:
        CanaryError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ModuleNotFoundError:
        raise CanaryError("PNG needs Pillow (pip install '.[plot]'), or write an .svg file") from None
    size = (round(picture.width * _SHARP), round(picture.height * _SHARP))
    image = Image.new("RGB", (size[0] * _FINE, size[1] * _FINE))
    shapes = ImageDraw.Draw(image)
    for mark in picture.marks:
        if not isinstance(mark, Label):
            _draw(shapes, mark)
    image = image.resize(size, Image.Resampling.BOX)
    texts = ImageDraw.Draw(image)
    for mark in picture.marks:
        if isinstance(mark, Label):
            _write(texts, mark)
    held = BytesIO()
    image.save(held, "PNG", optimize=True)
    return held.getvalue()


def _draw(on: "ImageDraw.ImageDraw", mark: Path | Shape) -> None:
    points = [(x * _SHARP * _FINE, y * _SHARP * _FINE) for x, y in mark.points]
    match mark:
        case Path(_, ink, width):
            on.line(points, LIGHT[ink], round(width * _SHARP * _FINE), joint="curve")
        case Shape(_, ink):
            on.polygon(points, LIGHT[ink])


def _write(on: "ImageDraw.ImageDraw", label: Label) -> None:
    from PIL import ImageFont

    at: Point = (label.at[0] * _SHARP, label.at[1] * _SHARP)
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in label.text)
    on.text(at, text, LIGHT[label.ink], ImageFont.load_default(label.size * _SHARP), _ANCHORS[label.anchor])
