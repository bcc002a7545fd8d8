"""Scorers of the user's own: from files that the config names, and from packages that offer them.

A file is Python that defines `SCORERS`, a sequence of `canary.score.Scorer`; it is run once for each time that the
config is read. A package offers one scorer, or a sequence of them, by an entry point in the group `canary.scorers`.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from canary.errors import ConfigError

if TYPE_CHECKING:
    from canary.score import Scorer

GROUP = "canary.scorers"


def own_scorers(files: Sequence[Path]) -> "Mapping[str, Scorer]":
    """What the user adds to Canary's own scorers, by name.

    Raises: ConfigError, where one cannot be loaded, is not a scorer, or has a name that is taken.
    """
    offered = list(_offered(files))
    if not offered:
        return {}
    from canary.score import SIGNALS, Scorer
    from canary.score.contract import signal_problems

    found: dict[str, Scorer] = {}
    for source, scorer in offered:
        if not isinstance(scorer, Scorer):
            raise ConfigError(f"{source}: holds a {type(scorer).__name__} where a canary.score.Scorer should be")
        name = scorer.signal.name
        if problems := signal_problems(scorer.signal):
            raise ConfigError(f"{source}: {problems[0]}")
        if name in SIGNALS or name in found:
            raise ConfigError(f'{source}: the name "{name}" is taken: give the scorer another')
        found[name] = scorer
    return found


def _offered(files: Sequence[Path]) -> Iterator[tuple[str, object]]:
    for file in files:
        for scorer in _sequence(_defined(file)):
            yield str(file), scorer
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        source = f"entry point {entry.name} = {entry.value}"
        try:
            offered = entry.load()
        except Exception as error:
            raise ConfigError(f"{source}: cannot be loaded: {_said(error)}") from error
        for scorer in _sequence(offered):
            yield source, scorer


def _defined(file: Path) -> object:
    module = ModuleType(f"canary_scorers_{file.stem}")
    module.__file__ = str(file)
    try:
        code = SourceFileLoader(module.__name__, str(file)).get_code(module.__name__)
    except (OSError, SyntaxError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read as Python: {_said(error)}") from error
    try:
        sys.modules[module.__name__] = module  # where dataclasses look for it
        exec(code or "", module.__dict__)  # noqa: S102 - the user asks for it by naming the file
    except Exception as error:
        raise ConfigError(f"{file}: cannot be loaded: {_said(error)}") from error
    try:
        return module.__dict__["SCORERS"]
    except KeyError:
        raise ConfigError(f"{file}: defines no SCORERS: it should be a sequence of canary.score.Scorer") from None


def _sequence(offered: object) -> Sequence[object]:
    return offered if isinstance(offered, list | tuple) else [offered]


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
