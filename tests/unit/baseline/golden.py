"""Golden answers to calibrate on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from canary.records import (
    Dialect,
    Endpoint,
    Failure,
    FailureKind,
    Finish,
    Logprobs,
    Message,
    Observation,
    Probe,
    Purpose,
    Recording,
    Response,
    Run,
    Sampling,
    Score,
    Signal,
    SignalKind,
    Symptom,
    Target,
)

AT = datetime(2025, 8, 25, 12, tzinfo=UTC)
TARGET = Target("small", "own", "short", Endpoint(Dialect.OPENAI_CHAT, "http://127.0.0.1", "small"))
RECORDING = Recording("rec-1", TARGET.name, "eu", epoch=3, n=50, started_at=AT)
SIGNALS = {
    "script": Signal("script", 1, SignalKind.EVENT, Symptom.CORRUPTION, "runs", "letters"),
    "syntax": Signal("syntax", 3, SignalKind.EVENT, Symptom.CORRUPTION, "errors", "answers"),
    "logprob": Signal("logprob", 1, SignalKind.DISTANCE, Symptom.DEVIATION, "nats", "answers"),
}


def probe(name: str, family: str = "prose", salts: tuple[str, ...] = ()) -> Probe:
    return Probe(name, family, (Message("user", f"Say {name}."),), Sampling(16), ("script",), why="a test", salts=salts)


def atom(token: int) -> Logprobs:
    return Logprobs((token,), (-0.1,), ((token,),), ((-0.1,),))


def answer(run: Run, logprobs: Logprobs | None = None) -> Observation:
    response = Response("fine", Finish.STOP, logprobs=logprobs)
    return Observation(
        slot_id=run.slot_id, probe_id=run.probe.id, probe_digest=run.probe.digest, group=run.group,
        target=run.target.name, region=run.region, slot_time=run.slot_time, started_at=run.slot_time,
        duration=timedelta(seconds=1), ordinal=run.ordinal, salt=run.salt, purpose=Purpose.GOLDEN, response=response,
    )  # fmt: skip


def failed(observation: Observation) -> Observation:
    return replace(observation, response=None, failure=Failure(FailureKind.TIMEOUT, "60 s"))


def score(signal: str, value: float, exposure: float = 1.0) -> Score:
    return Score(signal, SIGNALS[signal].version, value, exposure)
