"""What a picture consists of: paths, shapes and labels in pixels, each in an ink that says what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]


class Ink(StrEnum):
    """What a mark means; a palette says how that looks."""

    PAPER = "paper"
    TEXT = "text"
    FAINT = "faint"
    GRID = "grid"
    EVIDENCE = "evidence"
    THRESHOLD = "threshold"
    ONSET = "onset"
    ALARM = "alarm"
    CHANGE = "change"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Path:
    """A line through two points or more."""

    points: tuple[Point, ...]
    ink: Ink
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A filled polygon."""

    points: tuple[Point, ...]
    ink: Ink


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text; `at` is on its base line."""

    at: Point
    text: str
    ink: Ink = Ink.TEXT
    anchor: Anchor = "start"
    size: float = 12.0


Mark = Path | Shape | Label


@dataclass(frozen=True, slots=True)
class Picture:
    """Marks on paper, in the order in which they are drawn."""

    width: float
    height: float
    title: str
    marks: tuple[Mark, ...]


LIGHT: Mapping[Ink, str] = {
    Ink.PAPER: "#ffffff",
    Ink.TEXT: "#1f2328",
    Ink.FAINT: "#656d76",
    Ink.GRID: "#e4e7eb",
    Ink.EVIDENCE: "#1d4ed8",
    Ink.THRESHOLD: "#b91c1c",
    Ink.ONSET: "#fdeebf",
    Ink.ALARM: "#b91c1c",
    Ink.CHANGE: "#7c3aed",
    Ink.EVENT: "#c2410c",
}
DARK: Mapping[Ink, str] = {
    Ink.PAPER: "#0f1419",
    Ink.TEXT: "#e6edf3",
    Ink.FAINT: "#9aa4ae",
    Ink.GRID: "#2a3139",
    Ink.EVIDENCE: "#79b8ff",
    Ink.THRESHOLD: "#ff7b72",
    Ink.ONSET: "#4a3b12",
    Ink.ALARM: "#ff7b72",
    Ink.CHANGE: "#c4a7ff",
    Ink.EVENT: "#ffa657",
}


def box(left: float, top: float, right: float, bottom: float, ink: Ink) -> Shape:
    """A filled rectangle."""
    return Shape(((left, top), (right, top), (right, bottom), (left, bottom)), ink)
