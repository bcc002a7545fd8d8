"""The three bugs of the postmortem, their changes as a careful team would have recorded them, and decoys."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from canary.alert.suspects import Suspect, rank
from canary.records import Change, ChangeKind, Interval, Scope

MODELS = ("mid", "large", "large-old", "small")
POOLS = ("api/tpu-short", "api/tpu-long", "api/gpu", "bedrock/trn", "vertex/tpu")
SPOTS = [(f"{model}/{pool}", "us") for model in MODELS for pool in POOLS]


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2025, month, day, hour, minute, tzinfo=UTC)


LONG_CONTEXT = Change("long", ChangeKind.ROUTING, at(8, 5, 9), "1M context for the mid model", Scope("mid", "api"))
BALANCE = Change("balance", ChangeKind.ROUTING, at(8, 29, 14), "load balancing, routine", Scope("mid", "api"))
TPU_CONFIG = Change("tpu", ChangeKind.CONFIG, at(8, 25, 17), "runtime settings", Scope(platform="api", pool="tpu-*"))
SELECTION = Change(
    "selection",
    ChangeKind.ROLLOUT,
    at(8, 25, 21),
    "new token selection",
    Scope("small", "api"),
    finished_at=at(8, 26, 3),
)
DECOYS = (
    Change("gpu", ChangeKind.HARDWARE, at(8, 4, 12), "two hosts replaced", Scope(platform="api", pool="gpu")),
    Change("flag-1", ChangeKind.FLAG, at(8, 5, 6), "a new header, everywhere"),
    Change("vertex-1", ChangeKind.DEPLOY, at(8, 5, 9, 20), "engine", Scope(platform="vertex")),
    Change("scale-1", ChangeKind.SCALE, at(8, 5, 2), "20 servers more", Scope("mid", "api", "tpu-short")),
    Change("bedrock-1", ChangeKind.DEPLOY, at(8, 25, 17, 5), "engine", Scope(platform="bedrock")),
    Change("flag-2", ChangeKind.FLAG, at(8, 25, 12), "billing, everywhere"),
    Change("model-2", ChangeKind.MODEL, at(8, 20, 10), "system prompt", Scope("large")),
    Change("scale-2", ChangeKind.SCALE, at(8, 25, 20, 30), "20 servers more", Scope("small")),
    Change("flag-3", ChangeKind.FLAG, at(8, 29, 10), "a new header, everywhere"),
    Change("deploy-3", ChangeKind.DEPLOY, at(8, 29, 13, 30), "engine", Scope("small")),
    Change("config-3", ChangeKind.CONFIG, at(8, 29, 18), "time-outs, everywhere"),
)
CHANGES = (LONG_CONTEXT, BALANCE, TPU_CONFIG, SELECTION, *DECOYS)


def ranked(best: datetime, scope: Scope, changes: Sequence[Change] = CHANGES) -> tuple[Suspect, ...]:
    """Seen from a fault that needed some hours of probes to be dated to an hour."""
    onset = Interval(best - timedelta(minutes=90), best, best + timedelta(minutes=30))
    return rank(onset, scope, changes, SPOTS)


@pytest.mark.parametrize(
    ("best", "scope", "culprit"),
    [
        (at(8, 5, 9, 30), Scope("mid", "api", "tpu-short"), LONG_CONTEXT),
        (at(8, 25, 17, 20), Scope("large", "api", "tpu-*"), TPU_CONFIG),
        (at(8, 25, 17, 20), Scope("large", "api", "tpu-long"), TPU_CONFIG),
        (at(8, 25, 23), Scope("small", "api", "tpu-short"), SELECTION),
        (at(8, 29, 14, 10), Scope("mid", "api", "tpu-short"), BALANCE),
    ],
    ids=["misrouting", "corruption", "corruption, first alarm", "selection", "misrouting gets worse"],
)
def test_the_bug_is_traced_to_its_change(best: datetime, scope: Scope, culprit: Change) -> None:
    first, second, *_ = ranked(best, scope)
    assert (first.change, first.probability > 2 * second.probability) == (culprit, True)


@pytest.mark.parametrize("hidden", [LONG_CONTEXT, TPU_CONFIG, BALANCE], ids=lambda change: change.id)
def test_a_bug_whose_change_nobody_recorded_is_not_blamed_on_a_decoy(hidden: Change) -> None:
    scope = Scope("mid", "api", "tpu-short")
    others = [change for change in CHANGES if change is not hidden and change.scope != hidden.scope]
    (first, *_) = ranked(hidden.at + timedelta(minutes=20), scope, others)
    assert first.change is None or first.probability < 0.5
