"""The `forced` signal from end to end: a suite's probe, the lab over HTTP in each form of prompt logprobs, a verdict.

It compares the prompt's own tokens, so the answers may be as short as they like.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from canary.cli import words
from canary.lab.run import in_thread
from canary.lab.spec import default_spec
from canary.records import BaselineStatus, Purpose, Score, SeriesKey
from canary.store import open_store
from canary.store.base import Store

PROBE = """\
id: forced-lamp
family: forced
why: The tokens of the prompt itself are compared, whatever the answer says.
messages: [{role: user, content: "A lighthouse stands on the rock. Its lamp turns in the night. What does it do?"}]
sampling: {max_tokens: 4, logprobs: 1, prompt_logprobs: 1}
scorers: [forced]
"""
CONFIG = """\
version: 1
models: [mid]
platforms: [api]
pools: [short]
detect: {{smallest_share: 0.2}}
probes: {{folders: [probes]}}
endpoints:
  - base_url: {url}/{{platform}}/{{pool}}/v1
    affinity_header: x-session-id
    limits: {{concurrency: 16, rate_per_second: 500}}
    {how}
suites:
  - {{name: forced, interval: 10s, families: [forced]}}
"""
FORMS = {
    "prompt_logprobs of chat": "dialect: openai_chat",
    "prompt_logprobs of completions": "dialect: openai_completions",
    "echo": "dialect: openai_completions\n    extra_body: {echo: true, prompt_logprobs: null}",
}
TARGET = "mid/api/short"
SERIES = SeriesKey(TARGET, "local", "forced", "forced")


@dataclass(frozen=True)
class Watched:
    """A lab with a fault to switch, and a config that watches it."""

    url: str
    folder: Path

    def canary(self, *args: str) -> Result:
        return CliRunner().invoke(words, ["-c", str(self.folder / "canary.yaml"), *args], catch_exceptions=False)

    def replay(self, *faults: dict[str, object]) -> tuple[int, str, list[float]]:
        """The exit code, the signal that it speaks of, and the scores, while these faults are on."""
        httpx.put(f"{self.url}/lab/faults", json=faults).raise_for_status()
        before = self.scores()
        result = self.canary("replay", "forced", "--target", TARGET, "-n", "100", "--json")
        return result.exit_code, json.loads(result.stdout)["signal"], self.scores()[len(before) :]

    def store(self) -> Store:
        return open_store(f"sqlite:///{self.folder / 'canary.db'}")

    def scores(self) -> list[float]:
        """Of all replays so far."""
        store = self.store()
        with store.reading() as tx:
            replayed = {seen.slot_id: seen.started_at for seen in tx.observations(purpose=Purpose.REPLAY)}
            rows = [row for row in tx.scores(SERIES, fed=False) if row.slot_id in replayed]
        store.close()
        assert all(isinstance(row.score, Score) for row in rows)
        rows.sort(key=lambda row: replayed[row.slot_id])
        return [row.score.value for row in rows if isinstance(row.score, Score)]

    def golden(self) -> tuple[float, ...]:
        """The distances of golden answers from each other."""
        store = self.store()
        with store.reading() as tx:
            (baseline,) = (b for b in tx.baselines(status=BaselineStatus.ACTIVE) if b.series == SERIES)
        store.close()
        return baseline.calibration


@pytest.fixture(scope="module", params=FORMS.values(), ids=list(FORMS))
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("forced")
    (folder / "probes").mkdir()
    (folder / "probes" / "forced-lamp.yaml").write_text(PROBE)
    with in_thread(default_spec(latency=0.0)) as url:
        (folder / "canary.yaml").write_text(CONFIG.format(url=url, how=request.param))
        one = Watched(url, folder)
        recorded = one.canary("baseline", "record", "--promote")
        assert recorded.exit_code == 0, recorded.output
        yield one


def test_a_healthy_pool_stays_within_the_golden_noise(watched: Watched) -> None:
    code, _, scores = watched.replay()
    assert code == 0
    assert max(scores) <= 2 * watched.golden()[-1]


def test_misrouting_is_seen(watched: Watched) -> None:
    code, signal, scores = watched.replay({"kind": "misrouting", "to_pool": "long"})
    assert (code, signal) == (1, "forced/forced")
    assert min(scores) > max(0.1, 3 * watched.golden()[-1])
