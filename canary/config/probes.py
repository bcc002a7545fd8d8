"""Probe files: one YAML file, one probe."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from canary import records
from canary.config.document import read
from canary.config.fields import Some, Strict
from canary.config.problem import render, suggestion
from canary.config.validate import validated
from canary.errors import ProbeFileError

_MOST_FILES = 10_000
_MOST_REPORTED = 50
_IMPLIED = {"availability"}

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,60}$")]
Script = Annotated[str, StringConstraints(pattern=r"^[A-Z][a-z]{3}$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,200}$")]


class MessageFile(Strict):
    """One turn of the conversation."""

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, StringConstraints(min_length=1, max_length=500_000)]


class SamplingFile(Strict):
    """Sampling parameters; `logprobs` is the top-k asked for with each token."""

    max_tokens: Annotated[int, Field(ge=1, le=32_768)]
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    stop: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=16)] = ()
    logprobs: Annotated[int, Field(ge=1, le=20)] | None = None


class Expect(Strict):
    """What the answer is written in, so that scorers know what does not belong."""

    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    scripts: Annotated[tuple[Script, ...], Field(max_length=20)] = ()
    allow_scripts: Annotated[tuple[Script, ...], Field(max_length=20)] = ()
    code_language: Annotated[str, StringConstraints(pattern=r"^[a-z0-9+#-]{1,20}$")] | None = None
    min_tokens: Annotated[int, Field(ge=0, le=32_768)] = 1


class ProbeFile(Strict):
    """A fixed prompt with its sampling parameters and scorers."""

    id: Id
    family: Id
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=20, max_length=5_000)]
    messages: Annotated[tuple[MessageFile, ...], Field(max_length=64), Some]
    sampling: SamplingFile
    expect: Expect = Expect()
    scorers: Annotated[tuple[str, ...], Field(max_length=20)]
    salts: Annotated[tuple[Line, ...], Field(max_length=100)] = ()

    @field_validator("messages")
    @classmethod
    def _ends_with_user(cls, messages: tuple[MessageFile, ...]) -> tuple[MessageFile, ...]:
        if messages[-1].role != "user":
            raise ValueError("should end with a user's message")
        return messages

    @field_validator("salts", "scorers")
    @classmethod
    def _distinct(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("should not repeat itself")
        return names

    @field_validator("scorers")
    @classmethod
    def _known(cls, scorers: tuple[str, ...]) -> tuple[str, ...]:
        known = known_scorers()
        for name in scorers:
            if name not in known:
                raise ValueError(f"has an unknown scorer; {suggestion(name, known)}")
        return scorers

    @field_validator("scorers")
    @classmethod
    def _can_score(cls, scorers: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        sampling, expect = info.data.get("sampling"), info.data.get("expect")
        if sampling is None or expect is None:
            return scorers
        if {"logprob", "greedy"} & set(scorers) and sampling.logprobs is None:
            raise ValueError("needs sampling.logprobs for logprob and greedy")
        if "greedy" in scorers and sampling.temperature > 0:
            raise ValueError("needs sampling.temperature 0 for greedy")
        if "language" in scorers and expect.language is None:
            raise ValueError("needs expect.language for language")
        return scorers

    def record(self) -> records.Probe:
        return records.Probe(
            id=self.id,
            family=self.family,
            messages=tuple(records.Message(message.role, message.content) for message in self.messages),
            sampling=records.Sampling(**dict(self.sampling)),
            scorers=self.scorers,
            why=self.why,
            salts=self.salts,
            **dict(self.expect),
        )


def known_scorers() -> frozenset[str]:
    """What a probe file may name, imported late: scorers take long to load."""
    from canary.score import SIGNALS

    return frozenset(SIGNALS) - _IMPLIED


def load_probes(folders: Sequence[Path]) -> tuple[records.Probe, ...]:
    """All probes in the folders, by family and id.

    Raises: ProbeFileError, with everything that is wrong in any of the files.
    """
    found: dict[str, tuple[Path, records.Probe]] = {}
    faults: list[str] = []
    for path in [path for folder in folders for path in _files(folder)]:
        probe = _read(path, faults)
        if probe is not None and probe.id in found:
            faults.append(f'{path}:1: id: "{probe.id}" is the id of {found[probe.id][0]} too: ids are unique')
        elif probe is not None:
            found[probe.id] = (path, probe)
    if faults:
        more = [f"... and {len(faults) - _MOST_REPORTED} more"] if len(faults) > _MOST_REPORTED else []
        raise ProbeFileError("\n".join(faults[:_MOST_REPORTED] + more))
    return tuple(sorted((probe for _, probe in found.values()), key=lambda probe: (probe.family, probe.id)))


def _read(path: Path, faults: list[str]) -> records.Probe | None:
    document = read(path)
    probe = None if document.problems else validated(ProbeFile, document, document.data, {})
    if document.problems:
        faults.append(render(path, document.problems))
    return probe.record() if probe else None


def _files(folder: Path) -> list[Path]:
    files: list[Path] = []
    try:
        for path in _walk(folder):
            files.append(path)
            if len(files) > _MOST_FILES:
                raise ProbeFileError(f"{folder}: holds more than {_MOST_FILES} probe files: split it")
    except OSError as error:
        raise ProbeFileError(f"{folder}: cannot be read: {error.strerror}") from None
    return files


def _walk(folder: Path) -> Iterator[Path]:
    """The YAML files in sorted order; what is hidden is passed over, and no link leads to another folder."""
    folders = [folder]
    while folders:
        inner = []
        for path in sorted(folders.pop().iterdir()):
            if path.name.startswith("."):
                continue
            if path.is_dir() and not path.is_symlink():
                inner.append(path)
            elif path.suffix == ".yaml":
                yield path
        folders.extend(reversed(inner))
