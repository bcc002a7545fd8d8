"""The words that can ask a daemon elsewhere say the same as over the store itself."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from click.testing import Result

from canary.clock import SystemClock
from canary.config import load
from canary.daemon.assembly import ground_of, watch_of
from canary.daemon.survey import facts, survey
from canary.metrics import Metrics
from canary.store import Store, open_store
from canary.web.api.kit import Access, Api
from canary.web.app import build
from tests.integration.test_cli import CONFIG, TOKEN, Desk
from tests.integration.test_cli_change import ROUTING, add_incident
from tests.unit.web.fleet import Known, NoGates, NoIntake, snapshot


@contextmanager
def served(store: Store, config: Path) -> Iterator[str]:
    """The API over this store, as the daemon would serve it."""
    made, clock = load(config, {"TOKEN": TOKEN}), SystemClock()
    watch = watch_of(made, store)
    ground = ground_of(made, watch)

    def surveyed(reach: bool) -> Mapping[str, object]:
        return facts(survey(made, store, watch, clock.now(), trends=True), reaching=reach)

    access = Access(open_reading=False, per_second=1e6)
    told = lambda: ground, lambda _: None
    with serving(Api(store, clock, Known(snapshot()), *told, access, NoGates(), NoIntake(), surveyed)) as url:
        yield url


@contextmanager
def serving(api: Api) -> Iterator[str]:
    """Its application over HTTP."""
    made = uvicorn.Config(build(api, Metrics(version="1")), port=0, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(made)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        api.close()


@dataclass(frozen=True)
class Both:
    """The same store, asked directly and over HTTP."""

    desk: Desk
    url: str
    token: str

    def near(self, *args: str) -> Result:
        return self.desk(*args)

    def far(self, *args: str, token: str | None = None, config: str = "absent.yaml") -> Result:
        env = {"CANARY_URL": self.url, "CANARY_TOKEN": self.token if token is None else token}
        return Desk(self.desk.config.with_name(config))(*args, env=env)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    config = tmp_path / "canary.yaml"
    config.write_text(CONFIG.format(url="http://127.0.0.1:1"), encoding="utf-8")
    desk = Desk(config)
    add_incident(desk)
    desk(*ROUTING, "--id", "r-1", "--author", "ada", "--until", "2025-08-29T12:30:00Z")
    desk("silence", "add", "pool=long", "--for", "2h", "--reason", "draining", "--by", "ada")
    token = desk.facts("token", "add", "ops", "--role", "operate")["token"]
    store = open_store(desk.store_url)
    with served(store, config) as url:
        yield Both(desk, url, token)
    store.close()


@pytest.mark.parametrize(
    "args",
    [
        ("incident", "list"),
        ("incident", "list", "--json"),
        ("incident", "list", "--all"),
        ("incident", "show", "aaaa", "--json"),
        ("incident", "show", "--json"),
        ("change", "list", "--since", "2025-08-01"),
        ("change", "list", "--since", "2025-08-01", "--json"),
        ("change", "list", "--since", "2025-08-01", "--scope", "mid/api/long"),
        ("status",),
        ("status", "--json"),
        ("status", "--reach", "--json"),
        ("silence", "list"),
        ("silence", "list", "--all", "--json"),
        ("silence", "preview", "pool=short"),
        ("silence", "preview", "pool=short", "--json"),
    ],
    ids=" ".join,
)
def test_what_is_shown_is_the_same_and_needs_no_config(both: Both, args: tuple[str, ...]) -> None:
    near, far = both.near(*args), both.far(*args)
    assert (far.exit_code, far.stdout) == (near.exit_code, near.stdout), far.output


def test_an_incident_is_told_in_the_same_words(both: Both) -> None:
    near, far = both.near("incident", "show", "aaaa"), both.far("incident", "show", "aaaa")
    lines = far.stdout.splitlines()
    assert lines
    assert set(lines) <= set(near.stdout.splitlines())


@pytest.mark.parametrize("word", [("status",), ("incident", "list"), ("status", "--json")], ids=" ".join)
def test_a_silence_is_shown_from_afar(both: Both, word: tuple[str, ...]) -> None:
    both.desk("silence", "add", "pool=short", "--for", "1h", "--reason", "flaky rack", "--by", "ada")
    near, far = both.near(*word), both.far(*word)
    assert "silenced" in far.stdout
    assert far.stdout == near.stdout


@pytest.mark.parametrize(("word", "state"), [("ack", "acknowledged"), ("resolve", "resolved")])
def test_a_decision_is_the_same_act(both: Both, word: str, state: str) -> None:
    far = both.far("incident", word, "aaaa", "--by", "ada")
    assert (far.exit_code, far.stdout) == (0, f"aaaa1111 {state}\n")
    last = both.desk.facts("audit")[-1]
    assert (last["who"], last["detail"], last["subject"]) == ("token:ops", "ada", "aaaa1111")


def test_a_change_is_recorded_as_it_was_said(both: Both) -> None:
    args = (
        "change",
        "add",
        "flag",
        "fast path on",
        "--scope",
        "mid/api/*",
        "--at",
        "2h ago",
        "--id",
        "f-1",
    )
    far = both.far(*args, "--link", "https://ci/7")
    assert (far.exit_code, far.stdout[:33]) == (0, "recorded f-1 flag on mid/api/*, 2")
    told = {one["id"]: one for one in both.desk.facts("change", "list", "--since", "2025-08-01")}
    assert (told["f-1"]["author"], told["f-1"]["link"]) == ("ops", "https://ci/7")


def test_the_author_of_a_change_elsewhere_is_the_token(both: Both) -> None:
    refused = both.far("change", "add", "flag", "x", "--author", "bob")
    assert (refused.exit_code, "token" in refused.stderr) == (2, True)


def test_a_change_that_touches_no_target_there_is_warned_of(both: Both) -> None:
    assert "no target" in both.far("change", "add", "flag", "x", "--scope", "big/*/*").stderr


def test_a_silence_is_added_and_ended(both: Both) -> None:
    added = both.far("silence", "add", "pool=short", "--for", "1h", "--reason", "kernel", "--by", "ada", "--json")
    assert added.exit_code == 0, added.output
    identity = json.loads(added.stdout)["id"]
    near = {one["id"]: one for one in both.desk.facts("silence", "list")}
    assert (near[identity]["author"], near[identity]["reason"]) == ("ada", "kernel")
    ended = both.far("silence", "expire", identity, "--by", "bob")
    assert (ended.exit_code, ended.stdout.startswith(f"{identity} ended")) == (0, True), ended.output
    assert [(one["act"], one["who"]) for one in both.desk.facts("audit")[-2:]] == [
        ("silence.add", "token:ops"),
        ("silence.expire", "token:ops"),
    ]


def test_the_token_may_come_from_a_file(both: Both, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{both.token}\n", encoding="utf-8")
    assert both.far("incident", "list", "--token-file", str(file), token="none").exit_code == 1


@pytest.mark.parametrize(
    ("args", "token", "hint"),
    [
        (("incident", "list"), "", "CANARY_TOKEN"),
        (("incident", "list"), "canary_00000000_x", "CANARY_TOKEN"),
        (("incident", "list"), "a b", "no token"),
        (("incident", "show", "zzzz"), None, "no incident zzzz"),
        (("incident", "ack", "aaaa", "--by", "a b"), None, "body.by"),
        (("change", "list", "--url", "ftp://x"), None, "http://HOST"),
        (("change", "list", "--url", "http://127.0.0.1:1"), None, "no connection"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_goes_wrong_is_one_line_and_exit_code_2(
    both: Both, args: tuple[str, ...], token: str | None, hint: str
) -> None:
    far = both.far(*args, token=token)
    assert (far.exit_code, hint in far.stderr) == (2, True), far.output
    assert both.token not in far.output
