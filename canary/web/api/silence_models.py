"""Silences, said and told."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from canary.web.api.fields import In, Line, Matching, Moment, Out


class CoveredIn(In):
    """LABEL=GLOB or LABEL!=GLOB, as `canary silence add --help` has it; all must match."""

    matchers: Annotated[list[Matching], Field(min_length=1, max_length=20)]


class SilenceIn(CoveredIn):
    """Until when: `seconds` after its beginning, or `until`. `force`: though nothing known fits a matcher."""

    reason: Line
    seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
    until: Moment | None = None
    starts: Moment | None = None
    maintenance: bool = False
    force: bool = False
    by: Line | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.seconds is None) == (self.until is None):
            raise ValueError("give seconds or until: a silence has an end")
        return self


class SilenceOut(Out):
    id: str
    matchers: list[str]
    author: str
    reason: str
    starts_at: str
    ends_at: str
    maintenance: bool
    expired_by: str | None


class CoveredOut(Out):
    """Targets and open incidents that are covered now."""

    targets: list[str]
    targets_total: int
    incidents: list[str]
    summaries: list[str]
    doubts: list[str]


class SilencedOut(SilenceOut, CoveredOut):
    """The silence, and what it covers now."""
