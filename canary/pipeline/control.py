"""A control target with a known fault, off the books: is what watches the fleet able to see anything?

Its model answers well for a while, then with a fault: every second answer has a word in a strange script. It is probed
through the client, and judged by a ledger, as every target is; but the ledger's store is one of its own in memory, so
that no budget, series, incident or metric of the fleet knows of it. The fault counts as detected when it opens an
incident there, and nothing had opened one before it: a detector that always alarms is as blind as one that never does.
Then everything starts anew.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from canary.alert.incident import Reason
from canary.clock import Clock
from canary.http import Answer
from canary.pipeline.ledger import Fired, Ledger
from canary.pipeline.tell import Audience
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.probe.client import ProbeClient
from canary.records import (
    Baseline,
    BaselinePart,
    BaselineStatus,
    Dialect,
    Endpoint,
    Message,
    Probe,
    Run,
    Sampling,
    SeriesKey,
    Target,
)
from canary.score import SCORERS, SIGNALS, Scorer
from canary.store import MemoryStore

WELL = 12
"""Answers without the fault at the beginning of each round."""
PATIENCE = 60
"""Answers after which a round is given up: with the fault in every second, a few are enough."""

_SIGNAL = "script"
_GOLDEN = 3_000
_TERMS = Terms(false_alarms_per_week=0.25, delta=0.05, smallest_share=0.05)
_SOUND = "Glass is made by melting sand with soda ash and limestone in a furnace, and by letting it cool slowly. "
_FAULTY = _SOUND.replace("furnace", "fur\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35nace")
_PROBE = Probe(
    id="control-glass",
    family="control",
    messages=(Message("user", "How is glass made?"),),
    sampling=Sampling(max_tokens=100),
    scorers=(_SIGNAL,),
    why="the control target answers it with a known fault",
    language="en",
    scripts=("Latn",),
)
_TARGET = Target("control", "canary", "control", Endpoint(Dialect.OPENAI_CHAT, "http://control.invalid/v1", "control"))


class Sight(StrEnum):
    """What one answer of the control target came to."""

    NOTHING = "nothing"
    DETECTED = "detected"
    FALSE_ALARM = "false_alarm"  # before the fault was there
    UNSEEN = "unseen"  # the round is given up


class FaultyModel:
    """Stands where the HTTP client stands: answers as an OpenAI server would, well at first, then with the fault."""

    def __init__(self) -> None:
        self.answered = 0

    @property
    def faulty(self) -> bool:
        """Whether the fault has been in an answer."""
        return self.answered > WELL

    async def send(
        self,
        _method: str,
        _url: str,
        *,
        headers: Mapping[str, str],  # noqa: ARG002  whatever is asked, by whomever
        body: bytes,  # noqa: ARG002
        within: timedelta,  # noqa: ARG002
        max_bytes: int,  # noqa: ARG002
    ) -> Answer:
        """Takes the place of `canary.http.Http.send`."""
        self.answered += 1
        text = _FAULTY if self.faulty and self.answered % 2 else _SOUND
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return Answer(200, {"content-type": "application/json"}, json.dumps({"choices": [choice]}).encode())


class Control:
    """Probes the control target. `scorers` are those of the fleet; `watch` is what judges (default: the usual)."""

    def __init__(
        self,
        clock: Clock,
        region: str,
        interval: timedelta,
        scorers: Mapping[str, Scorer] = SCORERS,
        watch: Watch | None = None,
    ) -> None:
        self._clock = clock
        self._region = region
        self._watch = watch or control_watch(region, interval, clock.now(), scorers)
        self._begin()

    async def probe(self) -> Sight:
        """Once: from the probe to whether there is an incident."""
        run = Run(_PROBE, _TARGET, self._region, self._clock.now())
        seen = await self._client.fire_at_once((run,))
        committed = await asyncio.to_thread(self._ledger.commit, [Fired(_PROBE, seen)])
        opened = any(reason is Reason.OPENED for _, reason in committed.decisions)
        sight = self._sight(opened=opened)
        if sight is not Sight.NOTHING:
            self._begin()
        return sight

    def _sight(self, *, opened: bool) -> Sight:
        if opened:
            return Sight.DETECTED if self._model.faulty else Sight.FALSE_ALARM
        return Sight.UNSEEN if self._model.answered >= PATIENCE else Sight.NOTHING

    def _begin(self) -> None:
        """A new round: another store, another model, no evidence."""
        self._model = FaultyModel()
        self._client = ProbeClient(self._model, self._clock)
        self._ledger = Ledger(MemoryStore(), self._watch, Audience(), self._clock)


def control_watch(region: str, interval: timedelta, now: datetime, scorers: Mapping[str, Scorer] = SCORERS) -> Watch:
    """One armed series, by golden answers that are known to be without an event."""
    golden = Baseline(
        id="control",
        series=SeriesKey(_TARGET.name, region, _PROBE.group, _SIGNAL),
        epoch=1,
        status=BaselineStatus.ACTIVE,
        scorer_version=SIGNALS[_SIGNAL].version,
        created_at=now,
        n=_GOLDEN,
        exposure=float(_GOLDEN),
        events=0,
        parts=(BaselinePart(_PROBE.digest, _GOLDEN),),
    )
    return muster([Rhythm(_TARGET.name, _PROBE.group, (_PROBE,), interval)], [golden], _TERMS, region, scorers)
