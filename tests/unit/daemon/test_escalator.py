"""How far tokens and limits let escalation go."""

import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.config import Config, cost, load
from canary.daemon.assembly import plan_of
from canary.daemon.escalator import Escalator, kept
from canary.daemon.fund import Fund
from canary.daemon.purse import Purse
from canary.detect import esr, hierarchy
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.records import Incident, Run, SeriesKey
from canary.store import MemoryStore
from canary.store.base import StateKind, StoredState
from tests.contract.store_values import T0, incident
from tests.unit.alert.findings import finding
from tests.unit.pipeline.stage import PROBE, baseline

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
POOLS = ("a", "b", "c", "d")


def config(folder: Path, *, limits: dict[str, Any] | None = None, interval: str = "60s", **escalation: Any) -> Config:
    path = folder / "canary.yaml"
    settings = {
        "version": 1,
        "region": "eu",
        "models": ["m"],
        "platforms": ["p"],
        "pools": list(POOLS),
        "detect": {"escalation": escalation},
        "endpoints": [{"base_url": "http://127.0.0.1:1/v1", "limits": limits or {}}],
        "suites": [{"name": "all", "interval": interval, "families": ["prose"]}],
    }
    path.write_text(json.dumps(settings), encoding="utf-8")
    return load(path, {})


def watched(made: Config) -> Watch:
    rhythms = [Rhythm(one.target.name, one.group, (PROBE,), one.interval) for one in made.assignments()]
    golden = [baseline(series(pool)) for pool in POOLS]
    return muster(rhythms, golden, Terms(0.25, 0.05, 0.05), "eu")


def series(pool: str) -> SeriesKey:
    return SeriesKey(f"m/p/{pool}", "eu", "prose", "script")


class Stage:
    def __init__(self, made: Config, fund: Fund | None = None) -> None:
        self.config, self.watch = made, watched(made)
        self.fund, self.purse = fund or Fund(), Purse()
        self.escalator = Escalator(made, self.watch, self.purse, (), self.fund)

    def hear(self, *pools: str, evidence: float = -3.0) -> None:
        blob = esr.to_bytes(hierarchy.start())
        self.escalator.heed(
            StoredState(series(p), StateKind.ALARM, self.watch.armed[series(p)].digest, 1, blob, evidence, 1, T0)
            for p in pools
        )

    def chosen(self, unresolved: Iterable[Incident] = ()) -> set[str]:
        self.escalator.choose(T0, unresolved)
        return {target.rsplit("/", 1)[1] for target, _ in self.escalator.keys}

    def runs(self, pool: str) -> tuple[Run, ...]:
        one = next(one for one in self.config.assignments() if one.target.pool == pool)
        return Run(one.probes[0], one.target, "eu", T0).volley

    @property
    def tokens(self) -> int:
        return cost(self.runs("a")[0].probe).total


def test_what_is_past_its_warning_is_chosen_until_it_falls_back(tmp_path: Path) -> None:
    stage = Stage(config(tmp_path))
    stage.hear("a")
    assert stage.chosen() == {"a"}
    stage.hear("a", evidence=-9.0)
    assert stage.chosen() == set()


def test_an_extra_share_of_zero_turns_it_off(tmp_path: Path) -> None:
    stage = Stage(config(tmp_path, extra_share=0))
    stage.hear("a")
    assert stage.chosen() == set()


def test_an_open_incident_takes_the_place_of_escalation(tmp_path: Path) -> None:
    stage = Stage(config(tmp_path))
    stage.hear("a", "b")
    told = incident(findings=(finding("script", target="m/p/a"),))
    assert stage.chosen([told]) == {"b"}


def test_as_many_are_chosen_as_the_tokens_last_for_six_hours(tmp_path: Path) -> None:
    few = Stage(config(tmp_path, factor=10, extra_share=0.05))  # 2,016 slots: 5.6 a minute in six hours
    few.hear(*POOLS)
    assert len(few.chosen()) == 1
    many = Stage(config(tmp_path, factor=10, extra_share=0.17))  # 19 a minute
    many.hear(*POOLS)
    assert len(many.chosen()) == 2


def test_none_is_chosen_when_all_is_spent(tmp_path: Path) -> None:
    stage = Stage(config(tmp_path))
    stage.hear("a")
    stage.fund.spend(round(stage.fund.weekly) + 1, T0)
    assert stage.chosen() == set()


def test_a_target_is_not_asked_more_often_than_its_limits_allow(tmp_path: Path) -> None:
    stage = Stage(config(tmp_path, interval="1s", limits={"rate_per_second": 4}, factor=5))
    stage.hear("a")
    assert stage.chosen() == set()
    stage = Stage(config(tmp_path, interval="1s", limits={"rate_per_second": 5}, factor=5))
    stage.hear("a")
    assert stage.chosen() == {"a"}


def test_extra_runs_in_a_week_cost_no_more_than_their_share(tmp_path: Path) -> None:
    stage = Stage(config(tmp_path, interval="1h", extra_share=0.1))
    paid = sum(stage.escalator.pays(stage.runs("a"), T0 + n * WEEK / 5_000) for n in range(4_999))
    a_week = sum(one.tokens_in(WEEK) for one in stage.config.assignments())
    assert 0.09 * a_week < paid * stage.tokens <= 0.1 * a_week


def test_extra_runs_leave_the_regular_ones_their_tokens_of_the_day(tmp_path: Path) -> None:
    planned = Stage(config(tmp_path)).config.assignments()[0].tokens_in(DAY)
    tight = Stage(config(tmp_path, limits={"tokens_per_day": round(planned)}))
    wide = Stage(config(tmp_path, limits={"tokens_per_day": 2 * round(planned)}))
    midnight = T0.replace(hour=0)
    assert not tight.escalator.pays(tight.runs("a"), midnight)
    assert wide.escalator.pays(wide.runs("a"), midnight)


def test_what_was_spent_outlives_a_restart(tmp_path: Path) -> None:
    stage, store = Stage(config(tmp_path)), MemoryStore()
    stage.hear("b")
    stage.chosen()
    assert stage.escalator.pays(stage.runs("a"), T0)
    with store.transaction() as tx:
        tx.put_fact(*stage.escalator.fact(T0))
    again = kept(store, "eu")
    assert (again.at, again.keys) == (T0, stage.escalator.keys)
    assert Stage(stage.config, Fund(again.hours)).escalator.left(T0) == stage.escalator.left(T0)


def test_a_store_without_a_daemon_tells_of_no_escalation() -> None:
    assert kept(MemoryStore(), "eu").keys == frozenset()


@given(st.lists(st.tuples(st.integers(0, 30 * 60), st.integers(1, 400)), max_size=200), st.integers(0, 199))
def test_no_seven_days_cost_more_than_the_fund_has(steps: list[tuple[int, int]], at: int) -> None:
    fund, now, spent = Fund(), T0, []
    fund.weekly = 1_000.0
    for minutes, tokens in steps:
        now += timedelta(minutes=minutes)
        if tokens <= fund.left(now):
            fund.spend(tokens, now)
            spent.append((now, tokens))
    begin = spent[at % len(spent)][0] if spent else T0
    assert sum(tokens for when, tokens in spent if begin <= when < begin + WEEK) <= 1_000


@pytest.mark.parametrize("passed", [WEEK, WEEK + HOUR])
def test_after_a_week_the_tokens_are_there_again(passed: timedelta) -> None:
    fund = Fund()
    fund.weekly = 10.0
    fund.spend(10, T0)
    assert fund.left(T0 + passed) == (10.0 if passed > WEEK else 0.0)


def test_the_plan_holds_as_many_slots_as_the_config_says(tmp_path: Path) -> None:
    assert plan_of(config(tmp_path, factor=7)).factor == 7
