"""Strict reading of JSON: every fault names the file, the line where its document begins, and the key."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from canary.changes.words import link, moment, one_line, scope
from canary.errors import ChangeError
from canary.records import ChangeKind, Scope

_SPACE = re.compile(r"[ \t\r\n]*")
_KIND = {dict: "an object", list: "an array", str: "a text", int: "a whole number"}
_LATEST = 253_402_300_799  # seconds: the end of the year 9999


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the source does not say: the scope of what it tells of. A `kind` overrides the source's."""

    scope: Scope = field(default_factory=Scope)
    kind: ChangeKind | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A value in a document, and where it stands."""

    value: object
    place: str  # "events.json:12"
    key: str = ""

    def fault(self, what: str) -> ChangeError:
        return ChangeError(f"{self.place}: {self.key}{': ' if self.key else ''}{what}")

    def find(self, *keys: str) -> "Entry | None":
        """The value under the path of keys; None when it, or an object on the way, is missing or null."""
        found = self
        for key in keys:
            here = f"{found.key}.{key}".removeprefix(".")
            found = Entry(found._of(dict).get(key), self.place, here)
            if found.value is None:
                return None
        return found

    def need(self, *keys: str) -> "Entry":
        found = self.find(*keys)
        if found is None:
            raise self.fault(f"{'.'.join(keys)} is missing")
        return found

    def items(self) -> "Iterator[Entry]":
        for i, value in enumerate(self._of(list)):
            yield Entry(value, self.place, f"{self.key}[{i}]")

    def text(self) -> str:
        """One line of it, not empty."""
        return one_line(self._of(str)) or self._refuse("is empty")

    def number(self) -> int:
        """Zero or more."""
        value: int = self._of(int)
        if isinstance(value, bool) or not 0 <= value < 2**63:
            self._refuse("should be a whole number of 63 bits")
        return value

    def moment(self) -> datetime:
        try:
            return moment(self._of(str))
        except ValueError as error:
            self._refuse(str(error))

    def epoch(self, *, per_second: int = 1) -> datetime:
        """A moment given as a number of seconds (or parts of them) since 1970."""
        whole, rest = divmod(self.number(), per_second)
        if whole > _LATEST:
            self._refuse("is no time: it lies beyond the calendar")
        return datetime.fromtimestamp(whole + rest / per_second, UTC)

    def link(self) -> str:
        try:
            return link(self._of(str))
        except ValueError as error:
            self._refuse(str(error))

    def scope(self) -> Scope:
        try:
            return scope(self._of(str))
        except ValueError as error:
            self._refuse(str(error))

    def is_object(self) -> bool:
        return isinstance(self.value, dict)

    def _of(self, kind: type) -> Any:
        return self.value if isinstance(self.value, kind) else self._refuse(f"should be {_KIND[kind]}")

    def _refuse(self, what: str) -> NoReturn:
        raise self.fault(what)


def documents(text: str, name: str) -> Iterator[Entry]:
    """The JSON values that stand in a text one after another; those in an array at the top one by one.

    Raises: ChangeError.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
    at, line = _SPACE.match(text).end(), 1  # type: ignore[union-attr]  # it matches everywhere
    line += text.count("\n", 0, at)
    while at < len(text):
        place = f"{name}:{line}"
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise ChangeError(f"{name}:{error.lineno}: is not JSON: {error.msg} at column {error.colno}") from None
        except RecursionError:
            raise ChangeError(f"{place}: is nested too deep") from None
        except ValueError as error:
            raise ChangeError(f"{place}: is not JSON: {error}") from None
        document = Entry(value, place)
        yield from document.items() if isinstance(value, list) else (document,)
        after = _SPACE.match(text, end).end()  # type: ignore[union-attr]
        line += text.count("\n", at, after)
        at = after


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in {other for other, _ in pairs[:i]})
        raise ValueError(f'the key "{one_line(twice)}" stands twice in one object')
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
