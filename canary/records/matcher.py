"""Matchers over labels: what routes, silences and maintenance windows ask for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

_MATCHER = re.compile(r"([a-z]+)(!?=)([A-Za-z0-9._:@+*?\[\]!|-]{1,400})")
_ANY = "*"


class Label(StrEnum):
    """What a matcher may ask for."""

    MODEL = "model"
    PLATFORM = "platform"
    POOL = "pool"
    REGION = "region"
    GROUP = "group"
    SYMPTOM = "symptom"
    SIGNAL = "signal"
    SEVERITY = "severity"


PLACE = (Label.MODEL, Label.PLATFORM, Label.POOL, Label.REGION)
"""The labels that a target has."""

Labels = Mapping[Label, str | None]
"""Values by label; None is any."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One of the globs fits the label; or, `negated`, none does."""

    label: Label
    globs: tuple[str, ...]
    negated: bool = False

    @property
    def text(self) -> str:
        """As people write it."""
        return f"{self.label}{'!=' if self.negated else '='}{'|'.join(self.globs)}"

    def may(self, labels: Labels) -> bool:
        """Whether something with these labels may match."""
        value = labels[self.label]
        if value is None:
            return not self.negated or _ANY not in self.globs
        return self._fits(value) != self.negated

    def must(self, labels: Labels) -> bool:
        """Whether all with these labels matches."""
        value = labels[self.label]
        if value is None:
            return not self.negated and _ANY in self.globs
        return self._fits(value) != self.negated

    def _fits(self, value: str) -> bool:
        return any(fnmatchcase(value, glob) for glob in self.globs)


Matchers = tuple[Matcher, ...]
"""All of them have to match."""


def matcher(text: str) -> Matcher:
    """Read `label=glob`, `label!=glob`; `|` parts alternatives.

    >>> matcher("pool=tpu-*|gpu-1").globs
    ('tpu-*', 'gpu-1')

    Raises:
        ValueError: it cannot be read, with the remedy.
    """
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError("should be label=glob or label!=glob, as pool=tpu-* or symptom=corruption|shape")
    if found[1] not in {label.value for label in Label}:
        raise ValueError(f'has no label "{found[1]}": there are {", ".join(Label)}')
    globs = tuple(found[3].split("|"))
    if "" in globs:
        raise ValueError("has an empty alternative: write a glob on each side of |")
    return Matcher(Label(found[1]), globs, negated=found[2] == "!=")
