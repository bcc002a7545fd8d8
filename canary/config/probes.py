"""Probe files: one YAML file, one probe."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from canary import records
from canary.config.document import Document, read
from canary.config.fields import Json, Some, Strict
from canary.config.filler import MARK, filled
from canary.config.problem import render, suggestion
from canary.config.validate import validated
from canary.errors import ProbeFileError

_MOST_FILES = 10_000
_MOST_REPORTED = 50
_IMPLIED = {"availability"}
_ANSWER = "{answer}"
SUITES_FILE = "suites.yaml"
"""Stands beside the built-in probes, and is none."""

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,60}$")]
Script = Annotated[str, StringConstraints(pattern=r"^[A-Z][a-z]{3}$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,200}$")]


class MessageFile(Strict):
    """One turn of the conversation; {answer} stands for the expected answer, {filler} for generated text."""

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, StringConstraints(min_length=1, max_length=500_000)]


class SamplingFile(Strict):
    """Sampling parameters; `logprobs` is the top-k asked for with each token, `prompt_logprobs` with the prompt's."""

    max_tokens: Annotated[int, Field(ge=1, le=32_768)]
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    stop: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=16)] = ()
    logprobs: Annotated[int, Field(ge=1, le=20)] | None = None
    prompt_logprobs: Annotated[int, Field(ge=1, le=20)] | None = None


class FillerFile(Strict):
    """Generated text of about that many tokens, divided evenly among the places where a message says {filler}."""

    tokens: Annotated[int, Field(ge=1, le=1_000_000)]
    seed: Annotated[int, Field(ge=0, lt=2**31)]


class ToolFile(Strict):
    """A tool that the model may call; `parameters` is a JSON Schema."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    description: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
    parameters: dict[str, Json]


class Expect(Strict):
    """What the answer is written in, so that scorers know what does not belong; and the right one, where there is one.

    `json_schema` is what the answer, or the arguments of the tool call, must satisfy.
    """

    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    scripts: Annotated[tuple[Script, ...], Field(max_length=20)] = ()
    allow_scripts: Annotated[tuple[Script, ...], Field(max_length=20)] = ()
    code_language: Annotated[str, StringConstraints(pattern=r"^[a-z0-9+#-]{1,20}$")] | None = None
    min_tokens: Annotated[int, Field(ge=0, le=32_768)] = 1
    answer: Annotated[str, StringConstraints(min_length=1, max_length=100_000)] | None = None
    json_schema: dict[str, Json] | None = None


class ProbeFile(Strict):
    """A fixed prompt with its sampling parameters and scorers."""

    id: Id
    family: Id
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=20, max_length=5_000)]
    messages: Annotated[tuple[MessageFile, ...], Field(max_length=64), Some]
    filler: FillerFile | None = None
    tools: Annotated[tuple[ToolFile, ...], Field(max_length=64)] = ()
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

    @field_validator("filler")
    @classmethod
    def _has_a_place(cls, filler: FillerFile | None, info: ValidationInfo) -> FillerFile | None:
        messages = info.data.get("messages")
        if filler and messages is not None and not any(MARK in message.content for message in messages):
            raise ValueError(f"has no place: no message says {MARK}")
        return filler

    @field_validator("salts", "scorers")
    @classmethod
    def _distinct(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("should not repeat itself")
        return names

    @field_validator("scorers")
    @classmethod
    def _known(cls, scorers: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = known_scorers() | (info.context or {}).get("scorers", frozenset())
        for name in scorers:
            if name not in known:
                raise ValueError(f"has an unknown scorer; {suggestion(name, known)}")
        return scorers

    @field_validator("scorers")
    @classmethod
    def _can_score(cls, scorers: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "sampling" not in info.data or "expect" not in info.data:
            return scorers
        for key, names, given in _NEEDS:
            wanting = [name for name in scorers if name in names]
            if wanting and not given(info.data):
                raise ValueError(f"needs {key} for {' and '.join(wanting)}")
        return scorers

    def record(self) -> records.Probe:
        expect = dict(self.expect)
        schema = expect.pop("json_schema")
        return records.Probe(
            id=self.id,
            family=self.family,
            messages=self._messages(),
            sampling=records.Sampling(**dict(self.sampling)),
            scorers=self.scorers,
            why=self.why,
            salts=self.salts,
            schema=None if schema is None else json.dumps(schema),
            tools=json.dumps([_offered(tool) for tool in self.tools]) if self.tools else None,
            **expect,
        )

    def _messages(self) -> tuple[records.Message, ...]:
        """As they are sent, with what stands for another text replaced by it."""
        answer = self.expect.answer
        contents = [m.content.replace(_ANSWER, answer) if answer else m.content for m in self.messages]
        whole = filled(contents, self.filler.tokens, self.filler.seed) if self.filler else contents
        roles = [message.role for message in self.messages]
        return tuple(records.Message(role, content) for role, content in zip(roles, whole, strict=True))


_NEEDS: tuple[tuple[str, frozenset[str], Callable[[dict[str, Any]], object]], ...] = (
    (
        "sampling.logprobs",
        frozenset({"logprob", "greedy", "kl", "divergence", "surprisal", "capability"}),
        lambda probe: probe["sampling"].logprobs,
    ),
    ("sampling.prompt_logprobs", frozenset({"forced"}), lambda probe: probe["sampling"].prompt_logprobs),
    (
        "sampling.temperature 0",
        frozenset({"greedy", "divergence", "novelty"}),
        lambda probe: probe["sampling"].temperature == 0,
    ),
    ("expect.language", frozenset({"language"}), lambda probe: probe["expect"].language),
    ("expect.answer", frozenset({"copy", "recall"}), lambda probe: probe["expect"].answer),
    ("expect.json_schema", frozenset({"schema"}), lambda probe: probe["expect"].json_schema),
    ("tools", frozenset({"tool_call"}), lambda probe: probe.get("tools")),
)
"""What a scorer cannot do without: the key, the scorers, and whether a file has it."""


def _offered(tool: ToolFile) -> dict[str, object]:
    """As OpenAI's API has it, which the other dialects read too."""
    return {"type": "function", "function": dict(tool)}


def known_scorers() -> frozenset[str]:
    """What a probe file may name, imported late: scorers take long to load."""
    from canary.score import SIGNALS

    return frozenset(SIGNALS) - _IMPLIED


def load_probes(folders: Sequence[Path], own: Collection[str] = ()) -> tuple[records.Probe, ...]:
    """All probes in the folders, by family and id; `own` are the names of the user's own scorers.

    Raises: ProbeFileError, with everything that is wrong in any of the files.
    """
    found: dict[str, tuple[Path, records.Probe]] = {}
    faults: list[str] = []
    for path in [path for folder in folders for path in probe_files(folder)]:
        probe = _read(path, faults, own)
        if probe is not None and probe.id in found:
            faults.append(f'{path}:1: id: "{probe.id}" is the id of {found[probe.id][0]} too: ids are unique')
        elif probe is not None:
            found[probe.id] = (path, probe)
    if faults:
        more = [f"... and {len(faults) - _MOST_REPORTED} more"] if len(faults) > _MOST_REPORTED else []
        raise ProbeFileError("\n".join(faults[:_MOST_REPORTED] + more))
    return tuple(sorted((probe for _, probe in found.values()), key=lambda probe: (probe.family, probe.id)))


def _read(path: Path, faults: list[str], own: Collection[str]) -> records.Probe | None:
    document, probe = read_probe(path, own)
    if document.problems:
        faults.append(render(path, document.problems))
    return probe.record() if probe else None


def read_probe(path: Path, own: Collection[str] = ()) -> tuple[Document, ProbeFile | None]:
    """One file, with what is wrong with it in the document's problems."""
    document = read(path)
    probe = None if document.problems else validated(ProbeFile, document, document.data, {"scorers": frozenset(own)})
    return document, probe


def probe_files(folder: Path) -> list[Path]:
    """The YAML files in the folder and below it, in sorted order. Raises: ProbeFileError."""
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
            elif path.suffix == ".yaml" and path.name != SUITES_FILE:
                yield path
        folders.extend(reversed(inner))
