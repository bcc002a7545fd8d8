"""Score vectors of one target of the lab, healthy and struck by each fault, for `tests.bench.gate`.

The lab answers without HTTP: a request goes through the real wire encoding, the fleet, the real rendering and decoding,
and the answer through the real scorers, against golden answers that were recorded and calibrated as `canary baseline
record` does. An answer counts as struck where at least one of its tokens is another than without the fault.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from canary.baseline import calibrate, plan_recording, references
from canary.config import Config, load
from canary.daemon.assembly import rhythms_of, signals_of, target_of, terms_of
from canary.lab import render
from canary.lab.engine import Answer
from canary.lab.faults import Fault, FaultKind
from canary.lab.fleet import Fleet
from canary.lab.spec import config_text, default_spec
from canary.lab.wire import chat_request
from canary.pipeline.advance import Judged
from canary.pipeline.remembered import remembered
from canary.pipeline.watch import Rhythm, Watch, muster
from canary.probe.affinity import affinity_key
from canary.probe.wire import decode, encode
from canary.records import BaselineStatus, Failure, Observation, Probe, Purpose, Recording, Reference, Run, Target
from canary.score import SCORERS, STRATIFIED, score, signals

TARGET = "mid/api/short"
SUITE = "smoke"
FAULTS: Mapping[str, Fault] = {
    "corruption": Fault(FaultKind.CORRUPTION, rate=0.02),
    "dropped top token": Fault(FaultKind.DROPPED_TOP, rate=0.02),
    "misrouting": Fault(FaultKind.MISROUTING, to_pool="long"),
}
_BEGAN = datetime(2025, 8, 1, tzinfo=UTC)
_SHORT = 3  # tokens; so short an answer is struck in every one of them
_TRIES = 100


@dataclass(frozen=True)
class Bank:
    """Judged answers by probe; `struck` by fault and probe."""

    target: Target
    groups: Mapping[str, tuple[Probe, ...]]
    watch: Watch
    healthy: Mapping[str, Sequence[Judged]]
    struck: Mapping[str, Mapping[str, Sequence[Judged]]]


def lab_config() -> Config:
    """Of a lab that nobody serves."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "canary.yaml"
        path.write_text(config_text(default_spec(), "http://127.0.0.1:1"), encoding="utf-8")
        return load(path, {})


def fill(golden: int, healthy: int, struck: int) -> Bank:
    """With `golden` answers for each probe group; `healthy` and `struck` ones for each probe."""
    config = lab_config()
    target = target_of(config, TARGET)
    groups = {one.group: one.probes for one in config.fired_by(SUITE) if one.target.name == TARGET}
    lab = _Lab(target, config.region)
    watch, known = _golden(config, lab, groups, golden)
    lab.known = known
    probes = [probe for group in groups.values() for probe in group]
    return Bank(
        target,
        groups,
        watch,
        {probe.digest: list(lab.healthy(probe, healthy)) for probe in probes},
        {
            name: {probe.digest: list(lab.struck(probe, fault, struck)) for probe in probes}
            for name, fault in FAULTS.items()
        },
    )


class _Lab:
    """The fleet, asked and judged without HTTP."""

    def __init__(self, target: Target, region: str) -> None:
        self.target = target
        self.region = region
        self.known: Mapping[tuple[str, int], Reference] = {}
        self._scorers = remembered(SCORERS)
        self._fleets: dict[Fault | None, Fleet] = {}

    def ask(self, run: Run, fault: Fault | None = None) -> tuple[Observation, Answer]:
        fleet = self._fleets.setdefault(fault, Fleet(default_spec(), () if fault is None else (fault,)))
        asked = encode(run.target.endpoint, run.probe.prompt(run.salt), run.probe.sampling, run.probe.tools)
        session = affinity_key(run.slot_id)
        request = chat_request(run.target.platform, run.target.pool, asked.body, session)
        reply = fleet.reply(request)
        assert reply.answer is not None
        body = render.chat(request, reply.answer, run.slot_id)
        response = decode(run.target.endpoint.dialect, 200, {}, body, _BEGAN)
        assert not isinstance(response, Failure)
        place = (run.slot_id, run.probe.id, run.probe.digest, run.group, run.target.name, run.region, run.slot_time)
        seen = Observation(
            *place, run.slot_time, timedelta(0), run.ordinal, run.salt, run.purpose, session, reply.replica
        )
        return replace(seen, response=response), reply.answer

    def judge(self, probe: Probe, seen: Observation) -> Judged:
        scores = score(probe, seen, self.known.get((seen.probe_digest, seen.salt)), self._scorers)
        return Judged(replace(seen, response=None), scores)

    def healthy(self, probe: Probe, n: int) -> Iterator[Judged]:
        for run in self._runs(probe, n):
            yield self.judge(probe, self.ask(run)[0])

    def struck(self, probe: Probe, fault: Fault, n: int) -> Iterator[Judged]:
        """Misrouting strikes sessions, so each of its answers; the others strike tokens."""
        short = probe.sampling.max_tokens <= _SHORT
        harder = replace(fault, rate=1.0) if short else fault
        found = 0
        for run in self._runs(probe, n * _TRIES):
            seen, answer = self.ask(run, harder)
            if fault.kind is FaultKind.MISROUTING or answer.decoded.tokens != self.ask(run)[1].decoded.tokens:
                yield self.judge(probe, seen)
                found += 1
            if found == n:
                return

    def _runs(self, probe: Probe, n: int) -> Iterator[Run]:
        for nth in range(n):
            moment = _BEGAN + timedelta(seconds=1 + nth)
            yield Run(probe, self.target, self.region, moment, 0, nth % max(1, len(probe.salts)), Purpose.GATE)


def _golden(
    config: Config, lab: _Lab, groups: Mapping[str, tuple[Probe, ...]], n: int
) -> tuple[Watch, Mapping[tuple[str, int], Reference]]:
    """What `watch_of_groups` makes of a recording."""
    recording = Recording("bench", TARGET, config.region, 1, n, _BEGAN)
    seen = [lab.ask(run)[0] for run in plan_recording(recording, lab.target, groups)]
    by_digest = {probe.digest: probe for group in groups.values() for probe in group}
    lab.known = {(each.probe_digest, each.salt): each for each in references(seen)}
    rows = ((one.observation, one.scores) for one in (lab.judge(by_digest[each.probe_digest], each) for each in seen))
    made = calibrate(recording, rows, signals(SCORERS), stratified=STRATIFIED, now=_BEGAN)
    active = [replace(one, status=BaselineStatus.ACTIVE) for one in made]
    known = signals_of(config)
    rhythms = [Rhythm(TARGET, group, probes, timedelta(minutes=1), known=known) for group, probes in groups.items()]
    assert rhythms_of(config)
    return muster(rhythms, active, replace(terms_of(config), smallest_share=1.0), config.region), lab.known
