"""Reads one YAML file into plain values, with the line of each. The only importer of PyYAML.

It reads the event stream itself, so that nothing is built before it is counted, and takes YAML 1.2's plain scalars:
`no` is a string, `1:30` is a string, `0x1f` is a string.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from canary.config.problem import Place, Problem

_MOST_BYTES = 1_000_000
_MOST_NODES = 100_000
_DEEPEST = 32
_LONGEST_KEY = 200
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?", re.ASCII)
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}

_Content = yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent
_Node = _Content | yaml.AliasEvent
Value = None | bool | int | float | str | tuple["Value", ...] | dict[str, "Value"]


@dataclass(frozen=True, slots=True)
class Document:
    """A file's values, the line of each place, and what is wrong with it so far."""

    path: Path
    data: Value = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, place: Place) -> int:
        """Of the place, or of the nearest place around it that the file has."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


class _Unreadable(Exception):
    """The file cannot be read any further."""

    def __init__(self, text: str, line: int = 1, place: Place = ()) -> None:
        super().__init__(text)
        self.problem = Problem(place, text, line)


def read(path: Path) -> Document:
    """Whatever the file holds, this returns: what is wrong stands in `problems`."""
    document = Document(path)
    try:
        text = _text(path)
        data = _parse(document, text)
    except _Unreadable as error:
        document.problems.append(error.problem)
        return document
    return Document(path, data, document.lines, document.problems)


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise _Unreadable("is not a file: give the path of a YAML file")
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise _Unreadable(f"cannot be read: {error.strerror}") from None
    if len(raw) > _MOST_BYTES:
        raise _Unreadable(f"is larger than {_MOST_BYTES} bytes: split it")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _Unreadable("is not UTF-8: save it as UTF-8", line) from None


def _parse(document: Document, text: str) -> Value:
    reader = _Reader(yaml.parse(text, Loader=_Loader), document)
    try:
        return reader.document()
    except yaml.YAMLError as error:
        raise _syntax(error, text) from None


def _syntax(error: yaml.YAMLError, text: str) -> _Unreadable:
    """PyYAML's words, but those that quote the file: a secret may stand there."""
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    lines = text.split("\n")
    if mark and "\t" in lines[min(mark.line, len(lines) - 1)]:
        return _Unreadable("has a tab: indent with spaces", line)
    fault = getattr(error, "problem", None) or "a character that YAML does not allow"
    quotes = re.search(r"alias|anchor|tag|directive|['\"]", fault)
    return _Unreadable(f"is not YAML: {'check quotes and special characters' if quotes else fault}", line)


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A value that an alias may stand for, with the nodes inside it and their height."""

    value: Value
    nodes: int
    height: int


class _Reader:
    """Builds values from events, counting what it builds."""

    def __init__(self, events: Iterator[Any], document: Document) -> None:
        self._events = events
        self._lines = document.lines
        self._problems = document.problems
        self._anchors: dict[str, _Anchored] = {}
        self._nodes = 0
        self._reach = 0  # the depth reached since it was last set

    def document(self) -> Value:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        value = self._value(next(self._events), ())
        next(self._events)  # the end of the document
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _Unreadable("holds a second document: keep one to a file", _line(after))
        return value

    def _value(self, event: _Node, place: Place) -> Value:
        self._lines.setdefault(place, _line(event))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        self._count(event, place)
        if event.anchor is None:
            return self._build(event, place)
        return self._anchor(event.anchor, event, place)

    def _anchor(self, name: str, event: _Content, place: Place) -> Value:
        nodes, reach, self._reach = self._nodes, self._reach, len(place)
        value = self._build(event, place)
        self._anchors[name] = _Anchored(value, self._nodes - nodes, self._reach - len(place))
        self._reach = max(self._reach, reach)
        return value

    def _alias(self, event: yaml.AliasEvent, place: Place) -> Value:
        if event.anchor not in self._anchors:
            fault = "is an alias without an anchor before it: quote a value that starts with *"
            raise _Unreadable(fault, _line(event), place)
        anchored = self._anchors[event.anchor]
        self._count(event, place, anchored.nodes, anchored.height)
        return anchored.value

    def _build(self, event: _Content, place: Place) -> Value:
        if event.tag is not None and (event.tag != "!" or not isinstance(event, yaml.ScalarEvent)):
            self._problems.append(Problem(place, "has a tag: quote a value that starts with !", _line(event)))
        match event:
            case yaml.ScalarEvent():
                return plain(event.value) if event.implicit[0] else str(event.value)
            case yaml.SequenceStartEvent():
                items = enumerate(self._until(yaml.SequenceEndEvent))
                return tuple([self._value(item, (*place, index)) for index, item in items])
            case _:
                return self._mapping(place)

    def _mapping(self, place: Place) -> dict[str, Value]:
        mapping: dict[str, Value] = {}
        for event in self._until(yaml.MappingEndEvent):
            key = self._key(event, place)
            line = _line(event)
            if key in mapping:
                first = self._lines[*place, key]
                self._problems.append(Problem((*place, key), f"is given twice, first on line {first}: keep one", line))
            self._lines.setdefault((*place, key), line)
            mapping[key] = self._value(next(self._events), (*place, key))
        return mapping

    def _key(self, event: _Node, place: Place) -> str:
        key = None
        if isinstance(event, yaml.ScalarEvent) and event.tag is None and event.anchor is None:
            key = plain(event.value) if event.implicit[0] else event.value
        if not isinstance(key, str) or len(key) > _LONGEST_KEY:
            raise _Unreadable("has a key that is not a short string: quote it", _line(event), place)
        return key

    def _until(self, end: type[yaml.Event]) -> Iterator[Any]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _count(self, event: _Node, place: Place, nodes: int = 0, height: int = 0) -> None:
        """Count the value at `place`, with the `nodes` inside it and their `height`."""
        self._nodes += nodes + 1
        self._reach = max(self._reach, len(place) + height)
        if self._nodes > _MOST_NODES:
            raise _Unreadable(f"holds more than {_MOST_NODES} values, aliases spelt out: shorten it", _line(event))
        if self._reach > _DEEPEST:
            raise _Unreadable(f"is nested deeper than {_DEEPEST} levels: flatten it", _line(event), place[:3])


def plain(text: str) -> Value:
    """What an unquoted scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
