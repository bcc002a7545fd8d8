"""What is wrong with probe files, beyond what keeps them from being read: probes that could not show a fault."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from canary.config.cost import cost
from canary.config.document import Document
from canary.config.probes import ProbeFile, probe_files, read_probe
from canary.config.problem import Place, Problem, dotted

_FEWEST_WORDS = 8
_BORDER_TOKENS = 4
_LANGUAGE_TOKENS = 16  # fewer cannot hold the 60 letters that the language scorer needs
_BYTES_PER_TOKEN = 4

Found = Iterator[tuple[Place, str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend, and where."""

    path: Path
    line: int
    place: str
    text: str


def lint(paths: Sequence[Path], own: Collection[str] = ()) -> tuple[Finding, ...]:
    """Of files, and of all files in folders. Raises: ProbeFileError, where a folder cannot be read."""
    files = [file for path in paths for file in (probe_files(path) if path.is_dir() else [path])]
    read = {file: read_probe(file, own) for file in dict.fromkeys(files)}
    findings = [finding for file, (document, probe) in read.items() for finding in _findings(file, document, probe)]
    probes = {file: (document, probe) for file, (document, probe) in read.items() if probe is not None}
    return tuple(sorted([*findings, *_twins(probes)], key=lambda finding: (finding.path, finding.line)))


def _findings(path: Path, document: Document, probe: ProbeFile | None) -> Iterator[Finding]:
    problems: Iterable[Problem] = document.problems
    if probe is not None:
        problems = [Problem(place, text, document.line(place)) for check in _CHECKS for place, text in check(probe)]
    for problem in problems:
        yield Finding(path, problem.line, dotted(problem.place), problem.text)


def _twins(probes: Mapping[Path, tuple[Document, ProbeFile]]) -> Iterator[Finding]:
    """Two files of one id, or that ask the same."""
    ids: dict[str, Path] = {}
    prompts: dict[object, Path] = {}
    for path, (document, probe) in probes.items():
        first = ids.setdefault(probe.id, path)
        if first != path:
            yield Finding(path, document.line(("id",)), "id", f'"{probe.id}" is the id of {first} too: ids are unique')
        record = probe.record()
        first = prompts.setdefault((record.messages, record.sampling, record.tools), path)
        if first != path:
            yield Finding(path, document.line(("messages",)), "messages", f"asks just what {first} asks: keep one")


def _reason(probe: ProbeFile) -> Found:
    if len(probe.why.split()) < _FEWEST_WORDS:
        yield ("why",), f"gives no reason in {_FEWEST_WORDS} words or more: which fault does it show, and how?"


def _scripts(probe: ProbeFile) -> Found:
    """The language that is expected cannot be written in what is allowed."""
    from canary.score.characters import expand, scripts_in
    from canary.score.tongues import SCRIPTS

    language = (probe.expect.language or "").split("-")[0]
    prompt = [message.content for message in probe.record().messages]
    allowed = expand((*probe.expect.scripts, *probe.expect.allow_scripts)).union(*map(scripts_in, prompt))
    wanted = SCRIPTS.get(language, "")
    if wanted and "script" in probe.scorers and not expand([wanted]) & allowed:
        yield ("expect", "language"), f'"{language}" is written in {wanted}, which no script of expect allows'


def _lengths(probe: ProbeFile) -> Found:
    most, expect = probe.sampling.max_tokens, probe.expect
    if expect.min_tokens > most:
        yield ("expect", "min_tokens"), f"is more than sampling.max_tokens, {most}"
    if expect.answer is not None and len(expect.answer.encode()) > most * _BYTES_PER_TOKEN:
        yield ("expect", "answer"), f"does not fit into sampling.max_tokens, {most}"
    if "language" in probe.scorers and most < _LANGUAGE_TOKENS:
        yield ("scorers",), f"language never has enough to judge: sampling.max_tokens is {most}"


def _scorers(probe: ProbeFile) -> Found:
    names, sampling = set(probe.scorers), probe.sampling
    if names & {"border", "balance"} and sampling.max_tokens > _BORDER_TOKENS:
        yield ("sampling", "max_tokens"), f"is more than {_BORDER_TOKENS}: a border input is decided by one token"
    if names & {"copy", "recall"} and sampling.temperature > 0:
        yield ("sampling", "temperature"), "is above 0: the same answer cannot be expected again"
    if not names:
        yield ("scorers",), "is empty: nothing but availability is judged"


def _context(probe: ProbeFile) -> Found:
    """A prompt that leaves no room in the context that the probe is named after (context-8k-...)."""
    named = re.search(r"(?:^|-)(\d+)k(?:-|$)", probe.id)
    if named is None or probe.filler is None:
        return
    room = int(named[1]) * 1024 - probe.filler.tokens - probe.sampling.max_tokens
    beside = probe.model_copy(update={"filler": None}).record()
    if cost(beside).prompt > room:
        yield ("filler", "tokens"), f"leaves no room for the rest of the prompt and the answer in {named[1]}k tokens"


def _schemas(probe: ProbeFile) -> Found:
    from canary.score.json_schema import unusable

    places: list[tuple[Place, object]] = [(("tools", i, "parameters"), t.parameters) for i, t in enumerate(probe.tools)]
    for place, schema in [*places, (("expect", "json_schema"), probe.expect.json_schema or {})]:
        if fault := unusable(schema):
            yield place, f"is a schema that answers cannot be held to: {fault}"


_CHECKS = (_reason, _scripts, _lengths, _scorers, _context, _schemas)
