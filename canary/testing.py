"""Public fakes for tests of Canary and of what users add to it."""

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from canary.errors import DeliveryError
from canary.http import Answer, NoAnswer
from canary.records import Notification


class FakeClock:
    """A clock that moves only when told to, or when somebody sleeps on it."""

    def __init__(self, start: datetime = datetime(2025, 8, 5, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=max(0.0, seconds)))
        await asyncio.sleep(0)

    def advance(self, by: timedelta) -> None:
        """Time passes."""
        self._now += by
        self._monotonic += by.total_seconds()

    def jump(self, by: timedelta) -> None:
        """The wall clock is set; no time passes."""
        self._now += by


class RecordingReceiver:
    """Takes every notification and keeps it, after it has raised each of `troubles` once."""

    def __init__(self, troubles: Iterable[DeliveryError] = ()) -> None:
        self.taken: list[Notification] = []
        self._troubles = deque(troubles)

    async def deliver(self, notification: Notification) -> None:
        if self._troubles:
            raise self._troubles.popleft()
        self.taken.append(notification)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that a `ScriptedModel` was sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    within: timedelta
    max_bytes: int


class ScriptedModel:
    """Stands where `canary.http.HttpClient` stands: gives its answers in turn, the last one for ever after.

    A text is answered as a model would, in any dialect.
    """

    def __init__(self, *answers: str | Answer | NoAnswer) -> None:
        if not answers:
            raise ValueError("a model needs at least one answer")
        self._answers = list(answers)
        self.sent: list[Sent] = []

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, within: timedelta, max_bytes: int
    ) -> Answer | NoAnswer:
        """Takes the place of `canary.http.Http.send`."""
        self.sent.append(Sent(method, url, dict(headers), body, within, max_bytes))
        await asyncio.sleep(0)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return _spoken(answer) if isinstance(answer, str) else answer


def _spoken(text: str) -> Answer:
    choice = {"message": {"role": "assistant", "content": text}, "text": text, "finish_reason": "stop"}
    return Answer(200, {}, json.dumps({"choices": [choice]}).encode())
