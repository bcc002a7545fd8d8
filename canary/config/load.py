"""From a file to a Config, or to one error that lists everything wrong with it."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canary import records
from canary.config.document import Document, read
from canary.config.feedback import FEEDBACK
from canary.config.fleet import targets
from canary.config.interpolate import interpolate
from canary.config.model import Config, misfits
from canary.config.probes import load_probes
from canary.config.problem import Problem, render
from canary.config.scorers import own_scorers
from canary.config.settings import Common, Settings
from canary.config.suites import chosen_suites
from canary.config.validate import validated
from canary.errors import ConfigError, SecretError
from canary.resources import data_folder

if TYPE_CHECKING:
    from canary.score import Scorer


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Raises: ConfigError (SecretError when only secrets are at fault), ProbeFileError."""
    document = read(path)
    start = path.resolve().parent
    settings = _settings(document, environ, start)
    own = own_scorers([start / name for name in settings.scorers])
    probes = load_probes(_folders(settings, start, document), own)
    problems: list[Problem] = []
    found = targets(settings, problems)
    suites = chosen_suites(settings.suites, problems)
    _refuse(document, problems or misfits(settings, suites, found, probes, _signals(own)))
    common = {name: getattr(settings, name) for name in Common.model_fields} | {"suites": suites}
    digest = _digest(settings, probes, [repr(scorer.signal) for scorer in own.values()])
    return Config(**common, path=path, settings=settings, targets=found, probes=probes, scorers=own, digest=digest)


def probe_sources(path: Path, environ: Mapping[str, str]) -> "tuple[tuple[Path, ...], Mapping[str, Scorer]]":
    """The folders that a config's probes come from, and the user's own scorers. Raises: ConfigError."""
    document = read(path)
    start = path.resolve().parent
    settings = _settings(document, environ, start)
    own = own_scorers([start / name for name in settings.scorers])
    return tuple(_folders(settings, start, document)), own


def effective(config: Config) -> dict[str, Any]:
    """The config with defaults spelt out and secrets as `***`, in the shape of the file."""
    return config.settings.model_dump(mode="json", by_alias=True)


def _settings(document: Document, environ: Mapping[str, str], start: Path) -> Settings:
    if document.data is None and document.problems:
        raise _error(document)
    data = interpolate(document, environ)
    settings = validated(Settings, document, data, {"folder": start})
    if settings is None or document.problems:
        raise _error(document)
    return settings


def _folders(settings: Settings, start: Path, document: Document) -> list[Path]:
    folders = settings.probes.paths(start)
    fault = "is not a folder: make it, or mend the path"
    missing = [index for index, folder in enumerate(folders) if not folder.is_dir()]
    _refuse(document, [Problem(("probes", "folders", index), fault) for index in missing])
    return [*([data_folder("probes")] if settings.probes.builtin else []), *folders]


def _refuse(document: Document, problems: Iterable[Problem]) -> None:
    document.problems.extend(Problem(problem.place, problem.text, document.line(problem.place)) for problem in problems)
    if document.problems:
        raise _error(document)


def _error(document: Document) -> ConfigError:
    only_secrets = all(problem.about_secret for problem in document.problems)
    return (SecretError if only_secrets else ConfigError)(render(document.path, document.problems))


def _signals(own: Mapping[str, "Scorer"]) -> frozenset[str]:
    from canary.score import SIGNALS

    return frozenset(SIGNALS) | {FEEDBACK} | {scorer.signal.name for scorer in own.values()}


def _digest(settings: Settings, probes: Iterable[records.Probe], own: Sequence[str]) -> str:
    facts = [settings.model_dump(mode="json"), [probe.digest for probe in probes], own]
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=12).hexdigest()
