"""The suites that come with the probes: choices by family, probe and cost that a config takes by `use`."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated

from pydantic import Field, StringConstraints

from canary.config.document import read
from canary.config.fields import Strict
from canary.config.probes import SUITES_FILE, Id
from canary.config.problem import Place, Problem, render, suggestion
from canary.config.settings import Bursts, Suite
from canary.config.validate import validated
from canary.errors import ProbeFileError
from canary.resources import data_folder


class Choice(Strict):
    """What a suite fires; without families and probes, all of them."""

    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=20, max_length=2_000)]
    families: tuple[Id, ...] | None = None
    probes: tuple[Id, ...] | None = None
    max_tokens_per_run: Annotated[int, Field(ge=1)] | None = None
    burst: Bursts | None = None


class _File(Strict):
    suites: dict[Id, Choice]


@cache
def builtin_suites() -> Mapping[str, Choice]:
    """By name. Raises: ProbeFileError."""
    path = data_folder("probes") / SUITES_FILE
    document = read(path)
    file = None if document.problems else validated(_File, document, document.data, {})
    if file is None:
        raise ProbeFileError(render(path, document.problems))
    return file.suites


def chosen_suites(suites: Sequence[Suite], problems: list[Problem]) -> tuple[Suite, ...]:
    """The suites with what they `use` written out; names that are not known are added to `problems`."""
    return tuple(_chosen(suite, ("suites", index, "use"), problems) for index, suite in enumerate(suites))


def _chosen(suite: Suite, place: Place, problems: list[Problem]) -> Suite:
    if suite.use is None:
        return suite
    known = builtin_suites()
    if suite.use not in known:
        problems.append(Problem(place, f'there is no suite "{suite.use}"; {suggestion(suite.use, known)}'))
        return suite
    used = known[suite.use].model_dump(exclude={"why"}, exclude_none=True)
    return suite.model_copy(update={key: value for key, value in used.items() if key not in suite.model_fields_set})
