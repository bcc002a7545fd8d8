"""An external target: scored inside its boundary by `canary score`, handed in over HTTP, judged like any."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from canary.cli import words
from canary.clock import SystemClock
from canary.config import load
from canary.daemon.assembly import ground_of, watch_of
from canary.daemon.intake import LedgerIntake
from canary.pipeline.ledger import Ledger
from canary.pipeline.tell import Audience
from canary.pipeline.watch import Watch
from canary.records import Observation, Purpose
from canary.store import Store, open_store
from canary.web.api.kit import Access, Api
from tests.integration.test_cli import Desk
from tests.integration.test_cli_remote import serving
from tests.unit.web.fleet import EMPTY, Known, NoGates, snapshot

EDGE = "mid/edge/main"
CONFIG = """\
version: 1
detect: {smallest_share: 0.2}
models: [mid]
platforms: [api]
pools: [short]
include:
  - {model: mid, platform: edge, pool: main, external: true}
endpoints:
  - base_url: http://127.0.0.1:1/v1
suites:
  - {name: prose, interval: 10s, probes: [prose-glass]}
"""
CLEAN = "Glass is made by melting sand with soda ash and limestone in a furnace, and by letting it cool slowly. " * 3
BROKEN = CLEAN.replace("furnace", "furสวัสดีnace")


@dataclass
class Boundary:
    """The config's store behind the API, with a token to hand in."""

    desk: Desk
    store: Store
    url: str
    token: str

    def score(self, texts: list[str], start: datetime) -> str:
        """What `canary score` says of these answers, ten seconds apart."""
        answers = [
            {"probe": "prose-glass", "text": text, "id": f"{start:%H%M}-{n}", "at": (start + n * SECONDS).isoformat()}
            for n, text in enumerate(texts)
        ]
        result = score(self.desk, "\n".join(map(json.dumps, answers)))
        assert result.exit_code == 0, result.output
        return result.stdout

    def hand_in(self, lines: str, *, golden: bool = False, target: str = EDGE) -> httpx.Response:
        return httpx.post(
            f"{self.url}/api/v1/scores",
            params={"target": target, "golden": golden},
            content=lines,
            headers={"authorization": f"Bearer {self.token}"},
            timeout=60,
        )

    def kept(self, purpose: Purpose) -> list[Observation]:
        with self.store.reading() as tx:
            return list(tx.observations(target=EDGE, purpose=purpose, bodies=True))

    def watch(self) -> Watch:
        return watch_of(load(self.desk.config, {}), self.store)


SECONDS = timedelta(seconds=10)


def score(desk: Desk, text: str) -> Result:
    return CliRunner().invoke(words, ["-c", str(desk.config), "score"], input=text)


@pytest.fixture
def boundary(tmp_path: Path) -> Iterator[Boundary]:
    path = tmp_path / "canary.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    desk = Desk(path)
    token = desk.facts("token", "add", "edge", "--role", "ingest")["token"]
    store, config, clock = open_store(desk.store_url), load(path, {}), SystemClock()
    ledger = Ledger(store, watch_of(config, store), Audience(), clock)

    def again(_: object) -> None:
        """As the daemon's heartbeat does."""
        ledger.watch = watch_of(config, store)

    intake = LedgerIntake(ledger, clock, lambda: config, again)
    ground = ground_of(config)
    access = Access(per_second=1e6)
    api = Api(
        store, clock, Known(snapshot()), lambda: ground, lambda _: None, access, NoGates(), intake, lambda _: EMPTY
    )
    with serving(api) as url:
        yield Boundary(desk, store, url, token)
    store.close()


def test_what_leaves_the_boundary_is_numbers_alone(boundary: Boundary) -> None:
    told = json.loads(boundary.score([BROKEN], SystemClock().now()))
    texts = {key: value for key, value in told.items() if isinstance(value, str)}
    assert set(texts) == {"id", "probe", "digest", "at", "replica"}
    assert all(set(one) <= {"signal", "version", "value", "exposure", "unscored"} for one in told["scores"])
    assert "สวัสดี" not in json.dumps(told, ensure_ascii=False)
    assert next(one["value"] for one in told["scores"] if one["signal"] == "script") > 0


def test_golden_scores_arm_it_and_a_fault_is_an_incident(boundary: Boundary) -> None:
    now = SystemClock().now()
    golden = boundary.score([CLEAN] * 700, now - timedelta(days=1))
    assert boundary.hand_in(golden, golden=True).json() == {"new": 700, "known": 0}
    assert boundary.desk("baseline", "propose", EDGE).exit_code == 0
    promoted = boundary.desk("baseline", "promote", "--target", EDGE)
    assert promoted.exit_code == 0, promoted.output
    assert any(key.target == EDGE and key.signal == "script" for key in boundary.watch().armed)
    boundary.hand_in(boundary.score([CLEAN] * 20, now - timedelta(hours=2)))
    boundary.hand_in(boundary.score([CLEAN, BROKEN] * 20, now - timedelta(hours=1)))
    with boundary.store.reading() as tx:
        incidents = tx.incidents()
    assert [one.target for one in incidents] == [EDGE]
    assert any(finding.series.signal == "script" for finding in incidents[0].findings)


def test_a_line_that_is_handed_in_again_counts_once(boundary: Boundary) -> None:
    lines = boundary.score([CLEAN] * 3, SystemClock().now())
    assert [boundary.hand_in(lines).json() for _ in range(2)] == [{"new": 3, "known": 0}, {"new": 0, "known": 3}]


def test_no_answer_is_kept(boundary: Boundary) -> None:
    boundary.hand_in(boundary.score([CLEAN], SystemClock().now()))
    (seen,) = boundary.kept(Purpose.REPORTED)
    assert (seen.response, seen.failure, seen.probe_id) == (None, None, "prose-glass")


def changed(lines: str, **facts: Any) -> str:
    return json.dumps({**json.loads(lines), **facts})


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"digest": "0" * 24}, "no such version of this probe"),
        ({"probe": "prose-none"}, "no such version of this probe"),
        ({"scores": [{"signal": "script", "version": 99, "value": 0.0}]}, "not scored so here"),
        ({"scores": [{"signal": "magic", "version": 1, "value": 0.0}]}, "not scored so here"),
        ({"scores": [{"signal": "script", "version": 1, "value": -1.0}]}, "scores.0.value"),
        ({"scores": [{"signal": "script", "version": 1}]}, "either a value or the reason"),
        ({"scores": [{"signal": "script", "version": 1, "value": 0.0}] * 2}, "stands twice"),
        ({"at": "2001-01-01T00:00:00Z"}, "90 days back"),
        ({"text": "an answer"}, "text"),
    ],
    ids=lambda value: "" if isinstance(value, str) else json.dumps(value)[:40],
)
def test_lines_that_do_not_fit_are_refused_whole(boundary: Boundary, facts: dict[str, Any], why: str) -> None:
    good = boundary.score([CLEAN], SystemClock().now())
    answer = boundary.hand_in(f"{good}{changed(good, **facts)}\n")
    assert (answer.status_code, why in answer.json()["error"]) == (422, True), answer.text
    assert "line 2" in answer.json()["error"]
    assert boundary.kept(Purpose.REPORTED) == []


@pytest.mark.parametrize("lines", ["", "\n", "{", "[1]", "7\n" * 1_001])
def test_what_is_no_line_is_refused(boundary: Boundary, lines: str) -> None:
    assert boundary.hand_in(lines).status_code == 422


def test_scores_of_a_target_that_we_fire_at_are_not_taken(boundary: Boundary) -> None:
    lines = boundary.score([CLEAN], SystemClock().now())
    assert boundary.hand_in(lines, target="mid/api/short").status_code == 404


@pytest.mark.parametrize(
    "args",
    [
        ("probe", "fire", "prose-glass", "--target", EDGE),
        ("replay", "prose", "--target", EDGE),
        ("gate", "--target", EDGE),
        ("compare", "mid/api/short", EDGE),
        ("baseline", "record", "--target", EDGE),
        ("baseline", "propose", "mid/api/short"),
        ("baseline", "propose", EDGE),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_with_it_is_refused_plainly(boundary: Boundary, args: tuple[str, ...]) -> None:
    result = boundary.desk(*args)
    assert (result.exit_code, result.stderr.startswith("canary: ")) == (2, True), result.output


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"probe": "prose-none", "text": "the-answer"}', "not known"),
        ('{"probe": "prose-glass"}', "neither"),
        ('{"probe": "prose-glass", "text": "the-answer", "at": "yesterday"}', "no time"),
        ('{"probe": "prose-glass", "text": "the-answer"', "is not JSON"),
        ('["the-answer"]', "should be an object"),
    ],
)
def test_a_bad_line_is_named_and_its_answer_is_not_quoted(boundary: Boundary, line: str, why: str) -> None:
    result = score(boundary.desk, line)
    assert (result.exit_code, why in result.stderr) == (2, True), result.output
    assert "line 1" in result.stderr
    assert "the-answer" not in result.output


def test_a_failed_answer_counts_as_one(boundary: Boundary) -> None:
    told = json.loads(score(boundary.desk, '{"probe": "prose-glass", "response": {"choices": []}}').stdout)
    assert {one["signal"]: one.get("value") for one in told["scores"]}["availability"] == 1.0
