"""Series over HTTP: what each has learned, may spend, has seen, and can see."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from canary.metrics import Metrics
from canary.pipeline.watch import Watch
from canary.records import SeriesKey
from canary.store import MemoryStore, StateKind, StoredState
from canary.web.app import build
from tests.unit.alert.findings import START
from tests.unit.pipeline.stage import target, watch
from tests.unit.web.fleet import api, snapshot

pytestmark = pytest.mark.anyio
ON = watch(["long", "short"])
SERIES = SeriesKey(target("long").name, "eu", "prose", "script")


async def asked(query: str = "", on: Watch | None = ON) -> Any:
    store = MemoryStore()
    with store.transaction() as tx:
        tx.put_states([StoredState(SERIES, StateKind.ALARM, "digest", 1, b"", -7.5, 42, START)])
    app = build(api(snapshot(), store, watch=on), Metrics(version="1"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://canary") as http:
        return (await http.get(f"/api/v1/series{query}")).json()


async def test_every_series_of_the_config_is_listed() -> None:
    told = (await asked())["series"]
    assert {SeriesKey(one["target"], one["region"], one["group"], one["signal"]) for one in told} == set(ON.signals)


async def test_a_series_says_how_strong_its_evidence_is() -> None:
    (one,) = (await asked(f"?target={SERIES.target}&signal=script"))["series"]
    assert one["evidence"] == {"nats": -7.5, "scores": 42, "last_slot_at": START.isoformat()}


async def test_the_shares_of_the_budget_are_those_of_the_watch() -> None:
    told = (await asked())["series"]
    shares = [one["budget"]["share"] for one in told if one["armed"]]
    assert sum(shares) == pytest.approx(1.0 / ON.hierarchy.total)


async def test_the_arl_is_what_the_budget_leaves() -> None:
    (one,) = (await asked(f"?target={SERIES.target}&signal=script"))["series"]
    assert one["budget"]["arl_seconds"] * one["budget"]["false_alarms_per_week"] == pytest.approx(
        timedelta(weeks=1).total_seconds()
    )


async def test_reach_is_told_when_it_is_asked_for() -> None:
    query = f"?target={SERIES.target}&signal=script"
    without, having = [(await asked(f"{query}&reach={reach}"))["series"][0]["reach"] for reach in ("false", "true")]
    assert without is None
    assert [delay["share"] for delay in having["delays"]] == [0.0018, 0.008, 0.05, 0.16]


async def test_a_page_says_where_the_next_one_begins() -> None:
    first = await asked("?limit=3")
    second = await asked(f"?limit=3&after={first['next']}")
    assert first["next"] == 3
    assert [one["signal"] for one in first["series"]] != [one["signal"] for one in second["series"]]
    assert (await asked("?after=10000"))["next"] is None


async def test_a_learning_series_says_what_it_lacks_and_has_no_budget() -> None:
    one = (await asked(on=watch(["long"], n=50)))["series"][0]
    assert (one["armed"], one["budget"], one["learned"]["golden"]) == (False, None, 50)
    assert one["learned"]["needed"] > 50
