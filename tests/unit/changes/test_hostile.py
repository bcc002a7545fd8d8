import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.changes import MOST_BYTES, Source, parse
from canary.errors import ChangeError
from tests.unit.changes.told import APPLICATION, DEPLOYMENT, GIT_LOG, PUSH, flagger

WEIGHT = flagger("Advance mid.serving canary weight 10")


def refused(text: str, source: Source = Source.GITHUB) -> str:
    with pytest.raises(ChangeError) as caught:
        parse(text.encode("utf-8", "surrogatepass"), source, name="told.json")
    return str(caught.value)


def without(told: dict[str, Any], *path: str) -> str:
    key, *rest = path
    held = {name: value for name, value in told.items() if name != key or rest}
    return json.dumps({**held, key: json.loads(without(told[key], *rest))} if rest else held)


def with_(told: dict[str, Any], value: object, *path: str) -> str:
    key, *rest = path
    return json.dumps({**told, key: json.loads(with_(told[key], value, *rest)) if rest else value})


CREATED, STAMP = ("deployment", "created_at"), ("metadata", "timestamp")


@pytest.mark.parametrize(
    ("source", "told", "fault"),
    [
        (Source.GITHUB, without(DEPLOYMENT, *CREATED), "deployment: created_at is missing"),
        (Source.GITHUB, with_(DEPLOYMENT, "yesterday", *CREATED), "deployment.created_at: is no time: write it like"),
        (Source.GITHUB, with_(DEPLOYMENT, "2025-08-25T17:00", *CREATED), "deployment.created_at: says no zone"),
        (Source.GITHUB, with_(DEPLOYMENT, 5, "deployment"), "deployment: should be an object"),
        (Source.GITHUB, with_(DEPLOYMENT, True, "deployment", "id"), "deployment.id: should be a whole number"),
        (Source.GITHUB, with_(DEPLOYMENT, 10**300, "deployment", "id"), "deployment.id: should be a whole number"),
        (Source.GITHUB, with_(DEPLOYMENT, " \n", "deployment", "ref"), "deployment.ref: is empty"),
        (
            Source.GITHUB,
            with_(DEPLOYMENT, {"scope": "mid"}, "deployment", "payload"),
            "deployment.payload.scope: is no scope: write MODEL/PLATFORM/POOL",
        ),
        (Source.GITHUB, with_(PUSH, "javascript:alert(1)", "compare"), "compare: is no link: write https://"),
        (Source.GITHUB, with_(PUSH, "https://u:p@h/x", "compare"), "compare: holds a user, password or token"),
        (Source.GITHUB, with_(PUSH, 2**62, "repository", "pushed_at"), "repository.pushed_at: is no time"),
        (Source.GITHUB, '{"zen": "x"}', "is neither a deployment nor a push"),
        (Source.GITHUB, "[5]", "[0]: should be an object"),
        (Source.ARGO, with_(APPLICATION, "AppProject", "kind"), "is no Argo CD Application: export one with"),
        (Source.ARGO, with_(APPLICATION, {}, "status", "history"), "status.history: should be an array"),
        (Source.ARGO, with_(APPLICATION, [{}], "status", "history"), "status.history[0]: deployedAt is missing"),
        (Source.FLAGGER, without(WEIGHT, "metadata"), "metadata.eventMessage is missing: give the webhook"),
        (Source.FLAGGER, with_(WEIGHT, "soon", *STAMP), "metadata.timestamp: should be milliseconds"),
        (Source.FLAGGER, with_(WEIGHT, "9" * 18, *STAMP), "metadata.timestamp: is no time"),
        (Source.FLAGGER, with_(WEIGHT, 5, *STAMP), "metadata.timestamp: should be a text"),
    ],
)
def test_a_fault_names_file_line_key_and_remedy(source: Source, told: str, fault: str) -> None:
    assert refused(told, source).startswith(f"told.json:1: {fault}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (json.dumps(PUSH) + '\n{"b": ', "told.json:2: is not JSON: Expecting value at column 7"),
        ('{"deployment": NaN}', "told.json:1: is not JSON: NaN is no number"),
        ('{"a": 1, "a": 2}', 'told.json:1: is not JSON: the key "a" stands twice in one object'),
        ("[" * 100_000, "told.json:1: is nested too deep"),
        ('{"a": ' + "9" * 5_000 + "}", "told.json:1: is not JSON: "),
    ],
    ids=["cut", "nan", "twice", "deep", "huge number"],
)
def test_what_is_not_json_is_told_with_its_line(text: str, fault: str) -> None:
    assert refused(text).startswith(fault)


def test_the_line_of_a_document_is_where_it_begins() -> None:
    text = "\n\n" + json.dumps(PUSH, indent=2) + "\n\n" + without(DEPLOYMENT, "repository")
    assert refused(text).startswith(f"told.json:{text.count(chr(10)) + 1}: ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("fatal: not a git repository\n", "told.json:1: is not a line of plain `git log`"),
        (GIT_LOG + " canary.py | 2 +-\n", "told.json:15: is not a line of plain `git log`: leave out --stat"),
        ("commit 1134567\n\n    no date\n", "told.json:1: this commit has no date"),
        (GIT_LOG.replace("2025 +0200", "2025"), 'told.json:3: "Fri Aug 29 14:00:00 2025" is no date with a zone'),
        (GIT_LOG.replace("Fri Aug 29 14:00:00 2025 +0200", "3 days ago"), 'told.json:3: "3 days ago" is no date'),
    ],
)
def test_what_is_not_git_log_is_told_with_its_line(text: str, fault: str) -> None:
    assert refused(text, Source.GIT).startswith(fault)


def test_too_much_is_refused_before_it_is_read() -> None:
    assert refused(" " * (MOST_BYTES + 1)).startswith("told.json: is larger than 10,000,000 bytes")


def test_too_many_changes_are_refused() -> None:
    log = "".join(f"commit {n:07x}\nDate: 2025-08-28T09:30:00Z\n" for n in range(10_001))
    assert refused(log, Source.GIT) == "told.json: holds more than 10,000 changes: import it in parts"


def test_what_is_not_utf_8_is_told_with_its_line() -> None:
    with pytest.raises(ChangeError, match=r"^told:2: is not UTF-8"):
        parse(b"commit 1134567\nAuthor: J\xf6rg\n", Source.GIT, name="told")


def test_a_title_cannot_steer_a_terminal_or_fill_a_message() -> None:
    title = "\x1b[2J\u202e" + "x" * 5_000 + "\ud800"
    (push,) = parse(with_(PUSH, title, "head_commit", "message").encode(), Source.GITHUB, name="told")
    assert push.summary.isprintable()
    assert len(push.summary) < 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def fault(data: bytes, source: Source) -> str:
    """What is wrong with it; nothing, when it is read."""
    try:
        parse(data, source, name="told")
    except ChangeError as error:
        return str(error)
    return ""


@given(st.sampled_from(Source), st.sampled_from([DEPLOYMENT, PUSH, APPLICATION, WEIGHT]), st.data())
def test_whatever_a_key_holds_it_is_read_or_refused(source: Source, told: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(told)))
    inner = sorted(told[key]) if isinstance(told[key], dict) else []
    path = [key, *([data.draw(st.sampled_from(inner))] if inner else [])]
    found = fault(with_(told, data.draw(json_values), *path).encode(), source)
    assert found == "" or found.startswith("told:1: ")


@given(st.sampled_from(Source), st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8")))
def test_any_bytes_are_read_or_refused(source: Source, data: bytes) -> None:
    found = fault(data, source)
    assert found == "" or found.startswith("told:")


@given(st.integers(0, len(GIT_LOG)))
def test_a_log_that_is_cut_anywhere_is_read_or_refused(end: int) -> None:
    found = fault(GIT_LOG[:end].encode(), Source.GIT)
    assert found == "" or found.startswith("told:")
