"""A stage for the pipeline: one probe group on some targets, with answers made to order."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from canary.alert.routing import Route
from canary.alert.specs import ReceiverSpec, WebhookSpec
from canary.pipeline.ledger import Committed, Fired, Ledger
from canary.pipeline.tell import Audience
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.records import (
    Baseline,
    BaselinePart,
    BaselineStatus,
    Dialect,
    Endpoint,
    Failure,
    FailureKind,
    Finish,
    Message,
    Observation,
    Probe,
    Response,
    Run,
    Sampling,
    SeriesKey,
    Target,
)
from canary.store.base import Store
from canary.testing import FakeClock

START = datetime(2025, 8, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PROBE = Probe(
    id="prose-glass",
    family="prose",
    messages=(Message("user", "How is glass made?"),),
    sampling=Sampling(max_tokens=200),
    scorers=("script",),
    why="for the tests of the pipeline",
    language="en",
    scripts=("Latn",),
)
CLEAN = "Glass is made by melting sand with soda ash and limestone in a furnace, and by letting it cool slowly. " * 3
BROKEN = CLEAN.replace("furnace", "furสวัสดีnace")
TERMS = Terms(false_alarms_per_week=0.25, delta=0.05, smallest_share=0.05)


def target(pool: str) -> Target:
    return Target("mid", "api", pool, Endpoint(Dialect.OPENAI_CHAT, "http://127.0.0.1:1/v1", "mid"))


def baseline(series: SeriesKey, *, n: int = 3_000, epoch: int = 1, at: datetime = START - MINUTE) -> Baseline:
    return Baseline(
        id=f"{series.target}-{series.signal}-{epoch}",
        series=series,
        epoch=epoch,
        status=BaselineStatus.ACTIVE,
        scorer_version=1,
        created_at=at,
        n=n,
        exposure=float(n),
        events=0,
        parts=(BaselinePart(PROBE.digest, n),),
    )


def watch(pools: Sequence[str], terms: Terms = TERMS, groups: Sequence[str] = ("prose",), **golden: int) -> Watch:
    rhythms = [Rhythm(target(pool).name, group, (PROBE,), MINUTE) for pool in pools for group in groups]
    series = [SeriesKey(r.target, "eu", r.group, signal) for r in rhythms for signal in ("script", "availability")]
    return muster(rhythms, [baseline(key, **golden) for key in series], terms, "eu")


def ledger(store: Store, clock: FakeClock, on: Watch) -> Ledger:
    hook = ReceiverSpec("hook", WebhookSpec("http://127.0.0.1:1"))
    return Ledger(store, on, Audience((hook,), Route("hook")), clock)


def fired(pool: str, minute: int, *texts: str | None) -> Fired:
    """A run, or a burst, in that minute, and what came of it; None is a failure."""
    run = Run(PROBE, target(pool), "eu", START + minute * MINUTE, burst=len(texts))
    return Fired(PROBE, tuple(map(_observed, run.volley, texts)))


def _observed(run: Run, text: str | None) -> Observation:
    answer = None if text is None else Response(text, Finish.STOP)
    return Observation(
        slot_id=run.slot_id,
        probe_id=PROBE.id,
        probe_digest=PROBE.digest,
        group=run.group,
        target=run.target.name,
        region="eu",
        slot_time=run.slot_time,
        started_at=run.slot_time,
        duration=timedelta(seconds=1),
        ordinal=run.ordinal,
        response=answer,
        failure=Failure(FailureKind.UNREACHABLE, "refused") if text is None else None,
    )


def play(
    book: Ledger, clock: FakeClock, answers: dict[str, Sequence[str | None]], *, batch: int = 5, first: int = 0
) -> Iterator[Committed]:
    """Commit the answers of each pool, minute by minute, `batch` minutes at a time."""
    length = max(len(texts) for texts in answers.values())
    for begin in range(0, length, batch):
        clock.advance(batch * MINUTE)
        minutes = range(begin, min(begin + batch, length))
        yield book.commit(
            [fired(pool, first + m, texts[m]) for m in minutes for pool, texts in answers.items() if m < len(texts)]
        )
