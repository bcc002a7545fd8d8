from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from canary.config import Config, load
from canary.daemon.assembly import plan_of, rhythms_of, target_of, watch_of, watch_of_groups
from canary.lab.spec import config_text, default_spec
from canary.pipeline.declared import keep_change
from canary.records import BaselinePart, Change, ChangeKind, Scope, SeriesKey
from canary.store import MemoryStore
from tests.unit.pipeline.stage import baseline

SHORT = "mid/api/short"
SERIES = SeriesKey(SHORT, "local", "prose", "script")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "canary.yaml"
    path.write_text(config_text(default_spec(), "http://127.0.0.1:1", choice="probes: [prose-glass, prose-bread]"))
    return load(path, {})


@pytest.fixture
def store(config: Config) -> MemoryStore:
    """Golden answers of two probes, one of which shows events now and then."""
    parts = [BaselinePart(one.digest, 3_000, events=150) for one in config.probes if one.id == "prose-bread"]
    parts += [BaselinePart(one.digest, 3_000) for one in config.probes if one.id == "prose-glass"]
    kept = MemoryStore()
    with kept.transaction() as tx:
        tx.put_baseline(replace(baseline(SERIES), n=6_000, exposure=6_000.0, events=150, parts=tuple(parts)))
    return kept


def bound(config: Config, store: MemoryStore, *names: str) -> float:
    probes = [probe for probe in config.probes if probe.id in names]
    watch = watch_of_groups(config, store, target_of(config, SHORT), {"prose": probes})
    return watch.armed[SERIES].detector.healthy_event_rate(1.0)


def test_a_verdict_on_some_probes_of_a_group_stands_on_their_own_golden_answers(
    config: Config, store: MemoryStore
) -> None:
    quiet, noisy = (bound(config, store, name) for name in ("prose-glass", "prose-bread"))
    assert quiet < 0.005
    assert noisy > 0.05
    assert quiet < bound(config, store, "prose-glass", "prose-bread") < noisy


def test_a_verdict_judges_by_golden_data_too_noisy_for_the_daemon(config: Config, store: MemoryStore) -> None:
    probes = [probe for probe in config.probes if probe.id == "prose-bread"]
    groups = {"prose": probes}
    verdict, daemon = watch_of_groups(config, store, target_of(config, SHORT), groups), watch_of(config, store)
    assert (SERIES in verdict.armed, SERIES in daemon.armed) == (True, False)


def test_golden_answers_of_a_model_that_was_changed_since_judge_no_verdict(config: Config, store: MemoryStore) -> None:
    groups = {"prose": config.probes}
    with store.transaction() as tx:
        (golden,) = tx.baselines()
        keep_change(tx, Change("mid-2", ChangeKind.MODEL, golden.created_at + timedelta(hours=1), "2", Scope("mid")))
    assert SERIES not in watch_of_groups(config, store, target_of(config, SHORT), groups).armed


def test_bursts_reach_the_plan_and_the_watch(tmp_path: Path) -> None:
    path = tmp_path / "canary.yaml"
    choice = "families: [onetoken]\n    burst: [1, 8]"
    path.write_text(config_text(default_spec(), "http://127.0.0.1:1", choice=choice))
    config = load(path, {})
    assert {(one.group, one.burst) for one in plan_of(config).entries} == {("onetoken", 1), ("onetoken@8", 8)}
    assert {one.group for one in rhythms_of(config)} == {"onetoken", "onetoken@8"}
