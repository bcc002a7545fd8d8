"""Observations as they come, and what the store holds in rows: both in pages, each with where the next one begins."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Response

from canary.clock import Clock
from canary.desk import rows as desk
from canary.desk import tail
from canary.pipeline.watch import Watch
from canary.score import signals
from canary.store.base import Transaction
from canary.web.api.bulk_models import RowsOut, TailOut
from canary.web.api.fields import Glob, Person
from canary.web.api.kit import Api
from canary.web.door import OPERATORS, READERS, Caller

MOST_ROWS = 1_000
MOST_ANSWERS = 100
MOST_LOOKED = 5_000
LOOK_SECONDS = 2.0

Span = tuple[datetime | None, datetime | None]
Seq = Annotated[int, Query(ge=0, le=2**53)]


def routes(api: Api) -> APIRouter:
    router = APIRouter(tags=["bulk"])
    bearer = api.door.bearer(READERS)

    @router.get("/observations", response_model=TailOut, dependencies=[Depends(api.door.reader())])
    async def observations(
        target: Annotated[list[Glob] | None, Query(max_length=20)] = None,
        signal: Annotated[list[Person] | None, Query(max_length=50)] = None,
        *,
        events: bool = False,
        after: Seq | None = None,
        last: Annotated[int, Query(ge=0, le=1_000)] = 10,
    ) -> Response:
        """Those kept after `after`, or the `last` ones: what was wrong with each, and no answer.

        `next` is the `after` of the following page, which is there already where this one is `full`. The last ones are
        looked for among the latest few thousand, for two seconds: there may be fewer than `last`.
        """
        _require_known(api.ground().watch, signal or ())
        wanted = tail.Wanted(tuple(target or ()), tuple(signal or ()), events)
        if after is not None:
            return await api.bulk(("after", wanted, after), lambda tx: tail.after(tx, wanted, after))
        return await api.bulk(
            ("tail", wanted, last), lambda tx: tail.latest(tx, wanted, last, MOST_LOOKED, _patience(api.clock))
        )

    @router.get("/export/{kind}", response_model=RowsOut)
    async def export(
        kind: desk.Name,
        caller: Annotated[Caller, Depends(bearer)],
        since: str | None = None,
        until: str | None = None,
        *,
        answers: bool = False,
        after: Seq = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = MOST_ROWS,
    ) -> Response:
        """What the store holds, in rows; `next` is the `after` of the following page, null at the end.

        With `answers` observations hold what was answered: that needs the role operate.
        """
        chosen = _chosen(kind, caller, answers=answers)
        most = min(limit, MOST_ANSWERS) if answers else limit
        span = _moment(api, since, "since"), _moment(api, until, "until")
        return await api.bulk(
            ("export", kind, answers, span, after, most), lambda tx: _page(tx, chosen, span, after, most)
        )

    return router


def _require_known(watch: Watch | None, names: Sequence[str]) -> None:
    """Raises: HTTPException 422."""
    known = {} if watch is None else signals(watch.scorers)
    if watch is not None and not known.keys() >= set(names):
        raise HTTPException(422, f"no such signal: there are {', '.join(known)}")


def _patience(clock: Clock) -> Callable[[], bool]:
    until = clock.monotonic() + LOOK_SECONDS
    return lambda: clock.monotonic() < until


def _page(tx: Transaction, chosen: desk.Kind, span: Span, after: int, most: int) -> Mapping[str, object]:
    rows, following = desk.page(tx, chosen, span, after, most)
    return {"columns": list(chosen.columns), "rows": [list(map(_plain, row)) for row in rows], "next": following}


def _chosen(kind: desk.Name, caller: Caller, *, answers: bool) -> desk.Kind:
    """Raises: HTTPException 403, 422."""
    if not answers:
        return desk.KINDS[kind]
    if caller.role not in OPERATORS:
        raise HTTPException(403, "answers in bulk need the role operate")
    if kind is not desk.Name.OBSERVATIONS:
        raise HTTPException(422, "answers are those of observations")
    return desk.ANSWERED


def _moment(api: Api, text: str | None, name: str) -> datetime | None:
    return None if text is None else api.moment(text, name)


def _plain(cell: desk.Cell) -> Any:
    return cell.isoformat() if isinstance(cell, datetime) else cell
