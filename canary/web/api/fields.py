"""What the models of the API are made of: strict on the way in; to what comes out, fields may be added in version 1."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from canary.changes import link, moment, one_line, scope
from canary.records import ChangeKind, matcher


class In(BaseModel):
    """Strict: all keys are known, nothing is taken for something else, nothing is quoted in errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Out(BaseModel):
    """As it is told; fields may be added."""


def _moment(value: object) -> object:
    return moment(value) if isinstance(value, str) else value


def _scope(text: str) -> str:
    scope(text)
    return text


def _line(text: str) -> str:
    line = one_line(text)
    if not line:
        raise ValueError("is empty: write one line")
    return line


def _matching(text: str) -> str:
    matcher(text)
    return text


def _made(kind: ChangeKind) -> ChangeKind:
    if kind is ChangeKind.GATE:
        raise ValueError("is recorded by gates themselves")
    return kind


Kind = Annotated[ChangeKind, Field(strict=False), AfterValidator(_made)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=1_000), AfterValidator(_line)]
Link = Annotated[str, StringConstraints(max_length=500), AfterValidator(link)]
Person = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._@:+-]{1,80}$")]
Where = Annotated[
    str,
    StringConstraints(max_length=400, pattern=r"^(\*|[A-Za-z0-9._:@+*?\[\]!-]+(/[A-Za-z0-9._:@+*?\[\]!-]+){2,3})$"),
    AfterValidator(_scope),
]
Glob = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@+*?/\[\]!-]{1,240}$")]
TargetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@+-]{1,80}(/[A-Za-z0-9._:@+-]{1,80}){2}$")]
GateKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@+/-]{1,400}$")]
Matching = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_matching)]
Identity = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$")]


class Misfit(Out):
    at: str
    what: str


class Problem(Out):
    """Why not."""

    error: str
    problems: list[Misfit] = []


class ActIn(In):
    """Who acts; by default the token, by its name."""

    by: Person | None = None
