"""Takes what is handed in over HTTP: it is kept, fed to detectors and written down in one transaction."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from canary.clock import Clock
from canary.config import Config
from canary.daemon.assembly import feedback_of, signals_of
from canary.errors import NotFound, ReportError
from canary.pipeline import feedback
from canary.pipeline.advance import Judged
from canary.pipeline.feedback import Terms, Window
from canary.pipeline.ledger import Committed, Ledger
from canary.pipeline.reported import Reported
from canary.pipeline.reported import judged as reported_judged
from canary.records import Act, AuditEntry, Probe, Score, SeriesKey, Signal, Unscored
from canary.score import AVAILABILITY
from canary.store.base import Transaction
from canary.web.intake import Line, Mark, Taken


class LedgerIntake:
    """Lives in the event loop; `told` takes note of what was committed."""

    def __init__(
        self, ledger: Ledger, clock: Clock, config: Callable[[], Config], told: Callable[[Committed], None]
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._config = config
        self._told = told

    async def windows(self, windows: Sequence[Window], who: str) -> Taken:
        config, now = self._config(), self._clock.now()
        terms = feedback_of(config)
        if terms is None:
            raise NotFound("no feedback is taken: add feedback to the config")
        _require(windows, {target.name for target in config.targets}, terms)
        judged = in_order(feedback.judged(window, config.region) for window in windows)
        entry = AuditEntry(
            now, who, Act.FEEDBACK, ", ".join(sorted({one.target for one in windows})[:5]), _count(windows)
        )
        keys = {
            SeriesKey(one.observation.target, config.region, one.observation.group, feedback.NAME) for one in judged
        }

        def also(tx: Transaction) -> None:
            feedback.require_apart(tx, windows, config.region)
            tx.note(entry)
            feedback.learn(tx, terms, sorted(keys), now)

        return await self._keep(judged, also)

    async def scores(self, lines: Sequence[Line], target: str, who: str, *, golden: bool) -> Taken:
        config, now = self._config(), self._clock.now()
        if not any(one.name == target and one.external for one in config.targets):
            raise NotFound(f"no external target {target}: include it with external: true in the config")
        probes, known = {probe.id: probe for probe in config.probes}, signals_of(config)
        reported = [_reported(nth, line, probes, known) for nth, line in enumerate(lines, start=1)]
        judged = in_order(reported_judged(one, target, config.region, golden=golden) for one in reported)
        what = f"{len(lines)} golden answers" if golden else f"{len(lines)} answers"
        entry = AuditEntry(now, who, Act.SCORES, target, what)
        return await self._keep(judged, lambda tx: tx.note(entry), feed=not golden)

    async def _keep(self, judged: Sequence[Judged], also: Callable[[Transaction], None], *, feed: bool = True) -> Taken:
        committed = await asyncio.to_thread(self._ledger.hand_in, judged, also, feed=feed)
        self._told(committed)
        new = len(committed.step.fresh)
        return Taken(new, len(judged) - new)


def _reported(nth: int, line: Line, probes: Mapping[str, Probe], known: Mapping[str, Signal]) -> Reported:
    """Raises: ReportError."""
    probe = probes.get(line.probe)
    if probe is None or probe.digest != line.digest:
        raise ReportError(f"line {nth}: the config has no such version of this probe: score by the same probes")
    wanted = {*probe.scorers, AVAILABILITY.name}
    for mark in line.scores:
        if mark.signal not in wanted or mark.version != known[mark.signal].version:
            raise ReportError(f"line {nth}: this probe is not scored so here: score by the same release and scorers")
    if len({mark.signal for mark in line.scores}) < len(line.scores):
        raise ReportError(f"line {nth}: a signal stands twice")
    return Reported(probe, line.identity, line.at, tuple(map(_score, line.scores)), line.replica)


def _score(mark: Mark) -> Score | Unscored:
    if mark.unscored is not None:
        return Unscored(mark.signal, mark.version, mark.unscored)
    return Score(mark.signal, mark.version, mark.value, mark.exposure)


def in_order(judged: Iterable[Judged]) -> list[Judged]:
    """As they are fed: at the same moment by their ids, so that no sender's order follows the outcomes."""
    return sorted(judged, key=lambda one: (one.observation.slot_time, one.observation.slot_id))


def _require(windows: Sequence[Window], targets: set[str], terms: Terms) -> None:
    for one in windows:
        if one.target not in targets:
            raise NotFound(f"no target {one.target} in the config")
        if one.kind not in terms.classes:
            raise NotFound(f"no class {one.kind}: the config's feedback has {', '.join(terms.classes)}")
        if one.length != terms.window:
            raise ReportError(f"a window of {one.length} is handed in, feedback.window of the config is {terms.window}")


def _count(windows: Sequence[Window]) -> str:
    return f"{len(windows)} windows" if len(windows) > 1 else "1 window"
