"""Whoever is on call, from the page to the culprit by the CLI alone: what is typed, what comes, how long it takes."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from canary.records import Incident
from tests.acceptance.stage import Place

COLUMNS = 110
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # rich would have them fetched from elsewhere


@dataclass(frozen=True)
class Step:
    """A command, what came of it, and how long that took."""

    words: tuple[str, ...]
    said: str  # with colours
    code: int
    seconds: float

    @property
    def prompt(self) -> str:
        return f"$ canary {shlex.join(self.words)}"

    @property
    def plain(self) -> str:
        ended = f"exit code {self.code}, {self.seconds:.1f} s"
        return f"{self.prompt}    # {ended}\n{Text.from_ansi(self.said).plain.rstrip()}\n"


@dataclass
class Session:
    """Types in the folder of the config."""

    place: Place
    page: str
    incident: Incident
    neighbour: str
    steps: list[Step] = field(default_factory=list)

    def perform(self, picture: Path) -> None:
        """The whole session; `picture` is where the evidence is drawn."""
        for words in self._plan(picture):
            self.steps.append(self._typed(words))

    def _plan(self, picture: Path) -> Iterator[tuple[str, ...]]:
        name = self.incident.id[:4]
        yield ("status",)
        yield ("incident", "show", name)
        yield ("incident", "ack", name)
        yield ("explain", name, "--out", picture.name)
        yield ("replay", name)
        yield ("replay", name, "--target", self.neighbour)
        yield ("bisect", name)

    def _typed(self, words: tuple[str, ...]) -> Step:
        began = time.monotonic()
        command = [sys.executable, "-m", "canary", "--color", *words]
        environ = {**self.place.environ, "COLUMNS": str(COLUMNS), "PATH": os.environ["PATH"]}
        done = subprocess.run(
            command, cwd=self.place.folder, env=environ, capture_output=True, text=True, check=False, timeout=600
        )
        return Step(words, done.stdout or done.stderr, done.returncode, time.monotonic() - began)

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)

    @property
    def transcript(self) -> str:
        heads = ("the page:\n" + self.page + "\n", *(step.plain for step in self.steps))
        return "\n".join(heads) + f"\n{len(self.steps)} commands took {self.seconds:.0f} s\n"

    def terminal(self, *commands: str) -> str:
        """A picture (SVG) of a terminal with these commands and what they said."""
        console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor")
        for step in self.steps:
            if " ".join(step.words).startswith(commands):
                console.print(Text(step.prompt, "bold"))
                console.print(Text.from_ansi(step.said))
        return _FONTS.sub("", console.export_svg(title="canary"))
