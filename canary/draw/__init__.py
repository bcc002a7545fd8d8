"""Pictures of evidence over time: one chart, drawn for a terminal, as SVG or as PNG. Knows shapes, no statistics."""

from canary.draw.chart import Chart, nth
from canary.draw.marks import Ink, Picture
from canary.draw.picture import drawn
from canary.draw.png import png
from canary.draw.svg import svg
from canary.draw.terminal import Line, Span, Track, lines, timeline

__all__ = ["Chart", "Ink", "Line", "Picture", "Span", "Track", "drawn", "lines", "nth", "png", "svg", "timeline"]
