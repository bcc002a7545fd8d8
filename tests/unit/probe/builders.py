import json
from datetime import UTC, datetime
from typing import Any

from canary.records import Dialect, Endpoint, Limits, Message, Probe, Run, Sampling, Target

SLOT = datetime(2025, 8, 5, 12, tzinfo=UTC)


def endpoint(dialect: Dialect = Dialect.OPENAI_CHAT, base_url: str = "http://model.invalid", **more: Any) -> Endpoint:
    return Endpoint(dialect, base_url, "small", **more)


def run(at: Endpoint | None = None, *, limits: Limits | None = None, ordinal: int = 0, pool: str = "a") -> Run:
    probe = Probe("capital", "facts", (Message("user", "What is the capital of France?"),), Sampling(8), (), "to test")
    target = Target("small", "cpu", pool, at or endpoint(), limits or Limits())
    return Run(probe, target, "here", SLOT, ordinal)


def chat(content: object = "Paris.", **more: object) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop", **more}
    return json.dumps({"model": "small", "choices": [choice]}).encode()


def completion(**more: object) -> bytes:
    return json.dumps({"choices": [{"index": 0, "text": "Paris.", "finish_reason": "stop", **more}]}).encode()
