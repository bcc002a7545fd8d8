"""Fires a run: one attempt, and whatever comes back is an Observation."""

from datetime import datetime, timedelta
from typing import assert_never

from canary.clock import Clock
from canary.http import Answer, Http, NoAnswer, Trouble
from canary.probe.affinity import affinity_key, replica_of
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

    async def fire(self, run: Run) -> Observation:
        """One attempt. `started_at` and `duration` are of the exchange alone, without the wait for a turn."""
        async with self._pacing.turn(run.target) as refusal:
            if refusal is not None:
                return _observation(run, refusal, self._clock.now())
            return await self._exchange(run)

    async def _exchange(self, run: Run) -> Observation:
        endpoint, limits = run.target.endpoint, run.target.limits
        request = encode(endpoint, run.probe.prompt(run.salt), run.probe.sampling, run.probe.tools)
        started_at, began = self._clock.now(), self._clock.monotonic()
        answer = await self._http.send(
            "POST",
            request.url,
            headers=request_headers(endpoint, affinity_key(run.slot_id)),
            body=request.body,
            within=limits.timeout,
            max_bytes=limits.max_bytes,
        )
        duration = timedelta(seconds=self._clock.monotonic() - began)
        if isinstance(answer, NoAnswer):
            return _observation(run, Failure(_kind(answer.trouble), answer.detail), started_at, duration)
        replica = replica_of(endpoint, answer.headers)
        return _observation(run, self._read(run, answer, request.echo), started_at, duration, replica)

    def _read(self, run: Run, answer: Answer, echo: str) -> Response | Failure:
        dialect = run.target.endpoint.dialect
        outcome = decode(dialect, answer.status, answer.headers, answer.body, self._clock.now(), echo)
        if isinstance(outcome, Failure) and outcome.retry_after is not None:
            self._pacing.silence(run.target, outcome.retry_after)
        return outcome


def _observation(
    run: Run,
    outcome: Response | Failure,
    started_at: datetime,
    duration: timedelta = timedelta(0),
    replica: str = "",
) -> Observation:
    return Observation(
        slot_id=run.slot_id,
        probe_id=run.probe.id,
        probe_digest=run.probe.digest,
        group=run.probe.group,
        target=run.target.name,
        region=run.region,
        slot_time=run.slot_time,
        started_at=started_at,
        duration=duration,
        ordinal=run.ordinal,
        salt=run.salt,
        purpose=run.purpose,
        affinity=affinity_key(run.slot_id),
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
