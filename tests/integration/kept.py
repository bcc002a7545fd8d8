"""A store with observations that nobody had to fire."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from canary.records import Failure, FailureKind, Finish, Observation, Purpose, Response, Score, SeriesKey
from canary.store import open_store
from canary.store.base import ScoreRow
from tests.integration.test_cli import CONFIG, SHORT, Desk

WHEN = datetime(2025, 8, 25, 12, tzinfo=UTC)
SECRET = "the tide \x1b[2J is a secret \ud800"


def desk_in(folder: Path) -> Desk:
    config = folder / "canary.yaml"
    config.write_text(CONFIG.format(url="http://127.0.0.1:1"), encoding="utf-8")
    return Desk(config)


def an_observation(nth: int, target: str = SHORT, *, failed: bool = False) -> Observation:
    at = WHEN + timedelta(seconds=nth)
    failure = Failure(FailureKind.TIMEOUT, "no whole answer") if failed else None
    response = None if failed else Response(SECRET, Finish.STOP, prompt_tokens=3, completion_tokens=5)
    return Observation(
        f"slot-{nth:06}",
        "prose-glass",
        "digest",
        "prose",
        target,
        "local",
        at,
        at,
        timedelta(milliseconds=120),
        replica="api-short-1",
        response=response,
        failure=failure,
    )


def keep(desk: Desk, observations: Sequence[Observation], events: Sequence[str] = ()) -> None:
    """With a score of script and one of language each; of the slots in `events` script is an event."""
    store = open_store(desk.store_url, create=True)
    with store.transaction() as tx:
        tx.add_observations(observations)
        for seen in observations:
            key = SeriesKey(seen.target, seen.region, seen.group, "script")
            event = seen.slot_id in events
            script = Score("script", 1, 6.0 * event, 400.0, "Thai at 17" if event else "")
            fed = ScoreRow(seen.slot_id, key, seen.slot_time, script, "digest", "detector", -20.0, event)
            other = ScoreRow(
                seen.slot_id, replace(key, signal="language"), seen.slot_time, Score("language", 2, 0.0), "digest"
            )
            tx.add_scores([fed, other] if seen.purpose is Purpose.SCHEDULED else [])
    store.close()
