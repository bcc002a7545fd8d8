"""The runs behind an incident, read back from the store."""

from dataclasses import asdict, dataclass

from canary.alert.gist import evidence
from canary.errors import NotFound
from canary.records import Incident, Observation, Score, SeriesKey, Unscored
from canary.score import SIGNALS
from canary.store.base import Transaction


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A run that an incident names, and what its series made of the answer."""

    observation: Observation
    score: Score | Unscored | None

    def words(self) -> str:
        """The score for a person."""
        if not isinstance(self.score, Score):
            return "-"
        note = f" ({self.score.note})" if self.score.note else ""
        return f"{self.score.signal} {self.score.value:.4g}{note}"

    def facts(self) -> dict[str, object]:
        """The run for `--json`, without its answer."""
        seen = self.observation
        return {
            "slot_id": seen.slot_id,
            "probe": seen.probe_id,
            "at": seen.slot_time.isoformat(),
            "replica": seen.replica,
            "score": None if self.score is None else asdict(self.score),
        }


def exhibits(tx: Transaction, incident: Incident) -> list[Exhibit]:
    """The runs that the incident's text names, the strongest first; without those that the store forgot."""
    series = {slot_id: finding.series for finding in incident.findings for slot_id in finding.evidence}
    found = []
    for slot_id in evidence(incident):
        seen = tx.observation(slot_id)
        if seen is not None:
            key = SeriesKey(seen.target, seen.region, seen.group, series[slot_id].signal)
            found.append(Exhibit(seen, _score(tx, seen, key)))
    return found


def exhibit(tx: Transaction, slot_id: str) -> tuple[Observation, tuple[Score | Unscored, ...]]:
    """A run with its scores. Raises: NotFound."""
    seen = tx.observation(_whole(tx, slot_id))
    if seen is None:
        raise NotFound(f'no run with the slot id "{slot_id}": see `canary incident show`')
    return seen, tuple(score for key in _series(seen) if (score := _score(tx, seen, key)) is not None)


def outcome(observation: Observation, scores: tuple[Score | Unscored, ...]) -> dict[str, object]:
    """What came back, as JSON."""
    response, failure = observation.response, observation.failure
    return {
        "slot_id": observation.slot_id,
        "probe": observation.probe_id,
        "target": observation.target,
        "started_at": observation.started_at.isoformat(),
        "duration_seconds": observation.duration.total_seconds(),
        "replica": observation.replica,
        "failure": None if failure is None else {"kind": failure.kind.value, "detail": failure.detail},
        "answer": None if response is None else response.text,
        "tool_calls": [] if response is None else [{"name": n, "arguments": a} for n, a in response.tool_calls],
        "finish": None if response is None else response.finish.value,
        "completion_tokens": None if response is None else response.completion_tokens,
        "logprobs": response is not None and response.logprobs is not None,
        "prompt_logprobs": response is not None and response.prompt_logprobs is not None,
        "scores": [asdict(score) for score in scores],
    }


def _whole(tx: Transaction, beginning: str) -> str:
    """A beginning stands for the one slot id that an incident names."""
    named = {
        slot_id
        for incident in tx.incidents()
        for finding in incident.findings
        for slot_id in finding.evidence
        if slot_id.startswith(beginning)
    }
    if len(named) > 1:
        raise NotFound(f'{len(named)} slot ids begin with "{beginning}": give more of it')
    return named.pop() if named else beginning


def _score(tx: Transaction, seen: Observation, series: SeriesKey) -> Score | Unscored | None:
    rows = tx.scores(series, since=seen.slot_time, fed=False)
    return next((row.score for row in rows if row.slot_id == seen.slot_id), None)


def _series(seen: Observation) -> list[SeriesKey]:
    return [SeriesKey(seen.target, seen.region, seen.group, signal) for signal in SIGNALS]
