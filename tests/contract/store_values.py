"""Values for the store's tests: all fields set, so that a forgotten column shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from canary.records import (
    Alarm,
    Baseline,
    BaselinePart,
    BaselineStatus,
    Change,
    ChangeKind,
    Failure,
    FailureKind,
    Finding,
    Finish,
    Incident,
    IncidentState,
    Interval,
    KeptVerdict,
    Logprobs,
    Notification,
    NotificationKind,
    Observation,
    Purpose,
    Recording,
    Response,
    Scope,
    Score,
    SeriesKey,
    Size,
    Symptom,
    Yardstick,
)
from canary.store import ScoreRow, StateKind, StoredState

T0 = datetime(2026, 3, 1, 12, 0, 0, 123_457, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TARGET = "m/p/pool"
SERIES = SeriesKey(TARGET, "eu", "script", "foreign_script")
OTHER = SeriesKey(TARGET, "eu", "logprobs", "top_k_recall")
LOGPROBS = Logprobs((5, b"\xff\x00"), (-0.1, -1e-300), ((5, b"\xff\x00"), ()), ((-0.1, -2.5000000000000004), ()))
RESPONSE = Response(
    text="ordinary, \x00 and \ud800 alone",
    finish=Finish.LENGTH,
    model="m-1",
    server="build 7",
    prompt_tokens=11,
    completion_tokens=7,
    cached_tokens=3,
    logprobs=LOGPROBS,
)
FAILURE = Failure(FailureKind.THROTTLED, "told to wait", 429, timedelta(seconds=1.5))


def observation(i: int = 0, **changes: Any) -> Observation:
    """The i-th: a minute after the one before."""
    made = Observation(
        slot_id=f"slot{i:06}",
        probe_id="greet-en",
        probe_digest="digest",
        group="script",
        target=TARGET,
        region="eu",
        slot_time=T0 + i * MINUTE,
        started_at=T0 + i * MINUTE + timedelta(microseconds=1),
        duration=timedelta(seconds=1, microseconds=7),
        ordinal=2,
        salt=3,
        affinity="key",
        replica="host-1",
        response=RESPONSE,
    )
    return replace(made, **changes)


def failed(i: int = 0, **changes: Any) -> Observation:
    return observation(i, response=None, failure=FAILURE, **changes)


def score(of: Observation, series: SeriesKey = SERIES, **changes: Any) -> ScoreRow:
    """A score that was fed."""
    made = ScoreRow(
        slot_id=of.slot_id,
        series=series,
        slot_time=of.slot_time,
        score=Score(series.signal, 4, 0.1 + 0.2, 17.0, "line 3"),
        probe_digest=of.probe_digest,
        replica=of.replica,
        detector="d1",
        log_budget=-13.815510557964274,
        event=False,
    )
    return replace(made, **changes)


def state(series: SeriesKey = SERIES, kind: StateKind = StateKind.ALARM, **changes: Any) -> StoredState:
    return replace(StoredState(series, kind, "d1", 2, b"\x00\xff", -0.75, 12, T0), **changes)


def alarm(i: int = 0, **changes: Any) -> Alarm:
    return replace(Alarm(f"alarm{i}", SERIES, f"slot{i:06}", T0 + i * MINUTE, 14.25, "d1"), **changes)


def incident(name: str = "abc1", **changes: Any) -> Incident:
    onset = Interval(T0 - DAY, T0 - MINUTE, T0)
    finding = Finding(SERIES, Symptom.CORRUPTION, 2, onset, Size(0.1, 0.3, 0.7, 0.95, 40), ("s2", "s1"), T0, onset)
    made = Incident(
        id=name,
        state=IncidentState.OPEN,
        model="m",
        platform="p",
        pool="pool",
        opened_at=T0,
        updated_at=T0 + MINUTE,
        findings=(finding,),
        acknowledged_by="ann",
        reopened=1,
        flapping=True,
        suppressed_by="other",
    )
    return replace(made, **changes)


def notification(i: int = 0, **changes: Any) -> Notification:
    at = T0 + i * MINUTE
    made = Notification(f"note{i}", "abc1", NotificationKind.TRIGGER, "pager", '{"what": 1}', at, at)
    return replace(made, **changes)


def baseline(epoch: int = 1, status: BaselineStatus = BaselineStatus.ACTIVE, **changes: Any) -> Baseline:
    made = Baseline(
        id=f"base{epoch}",
        series=SERIES,
        epoch=epoch,
        status=status,
        scorer_version=4,
        created_at=T0,
        n=300,
        exposure=1e5 / 3,
        events=2,
        parts=(
            BaselinePart("digest", 150, float("inf")),
            BaselinePart("other", 150, calibration=(-0.0, 0.1), scale=1 / 3),
        ),
        calibration=(-0.0, 0.1, 1 / 3),
    )
    return replace(made, **changes)


def recording(epoch: int = 1, **changes: Any) -> Recording:
    made = Recording(f"rec{epoch}", TARGET, "eu", epoch, 150, T0 + epoch * DAY, T0 + epoch * DAY + 10 * MINUTE)
    return replace(made, **changes)


def change(i: int = 0, **changes: Any) -> Change:
    made = Change(
        id=f"change{i}",
        kind=ChangeKind.DEPLOY,
        at=T0 + i * MINUTE,
        summary="v2 to all",
        scope=Scope("m", "p", None, "eu"),
        link="https://ci/1",
        author="ann",
        finished_at=T0 + (i + 1) * MINUTE,
    )
    return replace(made, **changes)


def verdict(name: str = "5e1f", **changes: Any) -> KeptVerdict:
    made = KeptVerdict(
        id=name,
        kind=Purpose.GATE,
        at=T0,
        target=TARGET,
        against=None,
        share=0.05,
        alpha=0.01,
        beta=0.05,
        power=0.9,
        yardsticks=(
            Yardstick(SERIES, 2, "detector-1", {"digest": 0.30000000000000004}),
            Yardstick(OTHER, 1, pairs="number"),
        ),
        slots=("slot000001", "slot000000"),
        verdict="inconclusive",
        evidence=float("-inf"),
        soundness=1e-300,
        signal="script/foreign_script",
        visible=1.0,
        answers=2,
        better=-0.1,
    )
    return replace(made, **changes)
