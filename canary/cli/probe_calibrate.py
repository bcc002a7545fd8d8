"""`canary probe calibrate`: whether a probe is useful on a target."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, console, json_option, progress, run_async, say
from canary.cli.complete import probe_ids, target_names
from canary.cli.word import Word

if TYPE_CHECKING:
    from canary.config import Config
    from canary.records import Baseline, Observation, Probe, Recording, Signal, SignalKind, Target

_REFERENCE = 10  # answers to each salt that the others are compared with
_SHARES = (0.05, 0.16)
_BARE = {"availability", "empty", "finish"}  # every probe sees these


@dataclass(frozen=True, slots=True)
class Noise:
    """What one signal of a probe showed on healthy answers, and what it would see of a fault.

    An answer is an event when its value exceeds `threshold`: 0, or the worst reference answer. `visible` is the
    smallest share of touched answers that these answers would let a detector see; `needed` the golden answers that
    would arm it (None: it is too noisy); `delays` the median number of probes until a fault that touches a share of
    answers is found with that many (None: it is not found).
    """

    signal: str
    kind: str
    answers: int
    events: int
    threshold: float
    median: float | None
    largest: float | None
    visible: float
    needed: int | None
    delays: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure the model is: the probability of the first token, and of the least likely token of a typical answer."""

    first: float
    weakest: float


@dataclass(frozen=True, slots=True)
class Usefulness:
    """The outcome of a calibration."""

    probe: str
    target: str
    answered: int
    failed: int
    distinct: int
    certainty: Certainty | None
    noise: tuple[Noise, ...]

    @property
    def useful(self) -> bool:
        """Some signal that speaks of what the answer says sees a fault of the size that the config asks for."""
        return any(one.needed is not None for one in self.noise if one.signal not in _BARE)


@click.command(
    cls=Word,
    exits={
        0: "useful",
        1: "not: nothing it is scored for could tell a fault of the size that the config asks for",
        2: "no such probe or target, or bad config",
    },
    examples=("canary probe calibrate prose-glass --target mid/api/short -n 200",),
)
@click.argument("probe_id", shell_complete=probe_ids)
@click.option("--target", "target_name", required=True, help="MODEL/PLATFORM/POOL", shell_complete=target_names)
@click.option("-n", "n", type=click.IntRange(min=10, max=100_000), default=100, show_default=True, help="Answers.")
@json_option
@click.pass_obj
def calibrate(path: str, probe_id: str, target_name: str, n: int, as_json: bool) -> None:
    """Fire a probe N times at a healthy target, off the books, and say whether it is useful there.

    Shown for each signal: how it scatters while nothing is wrong, and what fault it would see.
    """
    from canary.cli.probe import probe_of
    from canary.daemon.assembly import target_of

    config = config_at(path)
    probe, target = probe_of(config, probe_id), target_of(config, target_name)
    recording, observations = run_async(_fire(config, probe, target, n))
    found = usefulness(config, probe, recording, observations)
    if as_json:
        say({**asdict(found), "useful": found.useful})
    else:
        _show(found)
    if not found.useful:
        raise SystemExit(1)


async def _fire(
    config: "Config", probe: "Probe", target: "Target", n: int
) -> "tuple[Recording, Sequence[Observation]]":
    import asyncio

    from canary.baseline import plan_recording
    from canary.clock import SystemClock
    from canary.http import HttpClient
    from canary.probe.client import ProbeClient
    from canary.records import Recording

    clock, http = SystemClock(), HttpClient()
    client = ProbeClient(http, clock)
    recording = Recording("calibrate", target.name, config.region, 0, n, clock.now())
    runs = plan_recording(recording, target, {probe.group: [probe]}, k=_REFERENCE)
    try:
        with progress(console(stderr=True)) as bar:
            task = bar.add_task(f"{probe.id} on {target.name}", total=len(runs))
            observations = []
            for firing in asyncio.as_completed([client.fire(run) for run in runs]):
                observations.append(await firing)
                bar.advance(task)
    finally:
        await http.aclose()
    return recording, observations


def usefulness(
    config: "Config", probe: "Probe", recording: "Recording", observations: "Sequence[Observation]"
) -> Usefulness:
    """Judge the answers as a baseline would, and forecast what its detectors would see."""
    from canary.baseline import calibrate as propose
    from canary.baseline import references
    from canary.daemon.assembly import scorers_of, signals_of
    from canary.score import score, stratified

    scorers, signals, terms = scorers_of(config), signals_of(config), _terms(config)
    golden = {(one.probe_digest, one.salt): one for one in references(observations, k=_REFERENCE)}
    judged = [(one, score(probe, one, golden.get((one.probe_digest, one.salt)), scorers)) for one in observations]
    worst = stratified(scorers)
    baselines = propose(recording, judged, signals, stratified=worst, now=recording.started_at, k=_REFERENCE)
    answers = [one.response for one in observations if one.response is not None]
    return Usefulness(
        probe=probe.id,
        target=recording.target,
        answered=len(answers),
        failed=len(observations) - len(answers),
        distinct=len({(answer.text, answer.tool_calls) for answer in answers}),
        certainty=_certainty([answer.logprobs.chosen_logprob for answer in answers if answer.logprobs]),
        noise=tuple(_noise(terms, one, signals[one.series.signal]) for one in baselines),
    )


def _certainty(logprobs: Sequence[Sequence[float]]) -> Certainty | None:
    from statistics import median

    chosen = [each for each in logprobs if each]
    if not chosen:
        return None
    return Certainty(median(math.exp(each[0]) for each in chosen), median(math.exp(min(each)) for each in chosen))


@dataclass(frozen=True, slots=True)
class _Terms:
    """One series' part of what the config promises."""

    smallest_share: float
    delta: float
    log_budget: float


def _terms(config: "Config") -> _Terms:
    from datetime import timedelta

    from canary.daemon.assembly import rhythms_of

    series = max(1, sum(len(rhythm.signals) for rhythm in rhythms_of(config)))
    interval = min(suite.interval for suite in config.suites)
    a_slot = config.budget.false_alarms_per_week / series * (interval / timedelta(weeks=1))
    return _Terms(config.detect.smallest_share, config.budget.delta / series, math.log(a_slot))


def _noise(terms: _Terms, baseline: "Baseline", signal: "Signal") -> Noise:
    from canary.detect import Armed, arm
    from canary.detect.arming import MARGIN

    share, kind = terms.smallest_share, signal.kind
    status = arm(baseline, kind, delta=terms.delta, smallest_share=share)
    needed = baseline.n if isinstance(status, Armed) else status.needed
    threshold = max(part.threshold for part in baseline.parts)
    blind = signal.unit == "answers" and threshold >= 1.0  # of 0 and 1: nothing is worse than golden
    sharp = not blind and (isinstance(status, Armed) or baseline.events / baseline.n <= share / MARGIN)
    values = baseline.golden
    return Noise(
        signal=signal.name,
        kind=kind.value,
        answers=baseline.n,
        events=baseline.events,
        threshold=threshold,
        median=values[len(values) // 2] if values else None,
        largest=values[-1] if values else None,
        visible=1.0 if blind else share if isinstance(status, Armed) else status.visible,
        needed=needed if sharp else None,
        delays=tuple((one, _delay(terms, baseline, kind, needed, one) if sharp else None) for one in _SHARES),
    )


def _delay(terms: _Terms, baseline: "Baseline", kind: "SignalKind", golden: int, share: float) -> float | None:
    """Median probes until a fault is found, by a detector on that many golden answers without an event."""
    from canary.detect import clean_detector, delay

    exposure = baseline.exposure / baseline.n
    probes = delay(clean_detector(kind, golden, exposure, terms.delta), share, exposure, terms.log_budget)
    return probes if math.isfinite(probes) else None


def _show(found: Usefulness) -> None:
    from rich.table import Table

    out = console()
    out.print(f"[bold]{found.probe}[/] on {found.target}: {found.answered} answers, {found.failed} failures")
    out.print(f"different texts: {found.distinct}")
    if found.certainty is not None:
        sure = found.certainty
        out.print(f"first token: probability {sure.first:.3f}; weakest token of an answer: {sure.weakest:.3f}")
    table = Table("signal", "answers", "events above", "events", "median", "largest", "sees now", "golden to arm")
    for share in _SHARES:
        table.add_column(f"probes to find {share:.0%}", justify="right")
    for one in found.noise:
        numbers = ["-" if value is None else f"{value:.2g}" for value in (one.median, one.largest)]
        delays = ["never" if probes is None else f"{probes:,.0f}" for _, probes in one.delays]
        arming = "too noisy" if one.needed is None else f"{one.needed:,}"
        table.add_row(
            one.signal,
            str(one.answers),
            f"{one.threshold:g}",
            str(one.events),
            *numbers,
            f"{one.visible:.1%}",
            arming,
            *delays,
        )
    out.print(table)
    out.print("[green]useful[/]" if found.useful else "[red]not useful here[/]: no signal could tell a fault")
