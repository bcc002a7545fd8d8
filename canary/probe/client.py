"""Fires a run, or a burst: one attempt, and whatever comes back is an Observation."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from canary.clock import Clock
from canary.http import Answer, Http, NoAnswer, Trouble
from canary.probe.affinity import Replicas, affinity_key
from canary.probe.auth import request_headers
from canary.probe.pacing import Pacing
from canary.probe.wire import decode, encode
from canary.records import Failure, FailureKind, Observation, Response, Run


class ProbeClient:
    """Fires runs at their targets. A retry would hide the very fault that is looked for, so there is none."""

    def __init__(self, http: Http, clock: Clock, pacing: Pacing | None = None) -> None:
        self._http = http
        self._clock = clock
        self._pacing = pacing or Pacing(clock)
        self._replicas = Replicas()

    async def fire(self, run: Run) -> Observation:
        """One attempt, alone. `started_at` and `duration` are of the exchange, without the wait for a turn."""
        (seen,) = await self.fire_at_once((run,))
        return seen

    async def fire_at_once(self, volley: Sequence[Run]) -> tuple[Observation, ...]:
        """One attempt for each run of a burst, all at the same moment, in one session; ends when the last has ended."""
        return await self.fire_within(affinity_key(volley[0].slot_id), volley)

    async def fire_within(self, session: str, volley: Sequence[Run]) -> tuple[Observation, ...]:
        """The same in a session that has been before: a sticky router takes it to where it was."""
        target = volley[0].target
        async with self._pacing.turn(target, len(volley)) as refusal:
            if refusal is not None:
                return tuple(_observation(run, session, refusal, self._clock.now()) for run in volley)
            return tuple(await asyncio.gather(*(self._exchange(run, session) for run in volley)))

    async def _exchange(self, run: Run, session: str) -> Observation:
        endpoint, limits = run.target.endpoint, run.target.limits
        request = encode(endpoint, run.probe.prompt(run.salt), run.probe.sampling, run.probe.tools)
        started_at, began = self._clock.now(), self._clock.monotonic()
        answer = await self._http.send(
            "POST",
            request.url,
            headers=request_headers(endpoint, session),
            body=request.body,
            within=limits.timeout,
            max_bytes=limits.max_bytes,
        )
        duration = timedelta(seconds=self._clock.monotonic() - began)
        if isinstance(answer, NoAnswer):
            return _observation(run, session, Failure(_kind(answer.trouble), answer.detail), started_at, duration)
        replica = self._replicas.of(run.target, answer.headers)
        return _observation(run, session, self._read(run, answer, request.echo), started_at, duration, replica)

    def _read(self, run: Run, answer: Answer, echo: str) -> Response | Failure:
        dialect = run.target.endpoint.dialect
        outcome = decode(dialect, answer.status, answer.headers, answer.body, self._clock.now(), echo)
        if isinstance(outcome, Failure) and outcome.retry_after is not None:
            self._pacing.silence(run.target, outcome.retry_after)
        return outcome


def _observation(
    run: Run,
    session: str,
    outcome: Response | Failure,
    started_at: datetime,
    duration: timedelta = timedelta(0),
    replica: str = "",
) -> Observation:
    return Observation(
        slot_id=run.slot_id,
        probe_id=run.probe.id,
        probe_digest=run.probe.digest,
        group=run.group,
        target=run.target.name,
        region=run.region,
        slot_time=run.slot_time,
        started_at=started_at,
        duration=duration,
        ordinal=run.ordinal,
        salt=run.salt,
        purpose=run.purpose,
        affinity=session,
        replica=replica,
        response=outcome if isinstance(outcome, Response) else None,
        failure=outcome if isinstance(outcome, Failure) else None,
    )


def _kind(trouble: Trouble) -> FailureKind:
    match trouble:
        case Trouble.TIMEOUT:
            return FailureKind.TIMEOUT
        case Trouble.UNREACHABLE | Trouble.BROKEN_OFF:
            return FailureKind.UNREACHABLE
        case Trouble.NOT_HTTP | Trouble.COMPRESSED | Trouble.TOO_LARGE:
            return FailureKind.MALFORMED
        case Trouble.UNSENDABLE:
            return FailureKind.REFUSED
        case _:
            assert_never(trouble)
