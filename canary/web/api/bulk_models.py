"""Observations in pages, and rows."""

from canary.web.api.fields import Out


class MarkOut(Out):
    signal: str
    value: float | None = None
    exposure: float | None = None
    event: bool | None = None
    note: str | None = None
    unscored: str | None = None


class ObservedOut(Out):
    """A scheduled run, without its answer."""

    seq: int
    slot_id: str
    at: str
    target: str
    region: str
    group: str
    probe: str
    replica: str
    duration_seconds: float
    failure: str | None
    failure_detail: str | None
    scores: list[MarkOut]


class TailOut(Out):
    observations: list[ObservedOut]
    next: int
    full: bool


class RowsOut(Out):
    """`columns` are pairs of a name and text, number, count, flag or moment."""

    columns: list[list[str]]
    rows: list[list[str | float | int | bool | None]]
    next: int | None
