"""What comes from the environment and from secret files, and that secrets stay secret."""

import json
import os
import traceback
from pathlib import Path

import pytest

from canary.config import effective
from canary.errors import CanaryError, ConfigError, SecretError
from tests.unit.config.conftest import Failing, Loading
from tests.unit.config.texts import WHOLE, with_endpoint, with_top

PASSWORD = "hunter2-hunter2"


def token(loading: Loading, written: str, environ: dict[str, str] | None = None) -> str | None:
    return loading(with_endpoint(f"token: {written}"), environ).targets[0].endpoint.token


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${A}", "x"),
        ("${A}-${B}", "x-y"),
        ("'${NONE:-other}'", "other"),
        ("${EMPTY:-other}", "other"),
        ("${A:-other}", "x"),
        ("$${A}", "${A}"),
        ("$$", "$"),
        ("a$b", "a$b"),
        ("${NONE:-}z", "z"),
        ("${TRICK}", "${A}"),
    ],
)
def test_the_environment_is_put_in(loading: Loading, written: str, value: str):
    assert token(loading, written, {"A": "x", "B": "y", "EMPTY": "", "TRICK": "${A}"}) == value


def test_a_missing_variable_is_named_with_its_line(failing: Failing):
    assert failing(with_endpoint("token: ${API_TOKEN}")) == [
        "canary.yaml:7: endpoints[0].token: environment variable API_TOKEN is not set: set it, or write "
        "${API_TOKEN:-default}"
    ]


@pytest.mark.parametrize("written", ["'${'", "'${}'", "${a-b}", "'${A'", "'${A:+x}'"])
def test_a_reference_that_names_no_variable_is_refused(failing: Failing, written: str):
    (line,) = failing(with_endpoint(f"token: {written}"), {"A": "x"})
    assert "a ${ is not closed or names no variable" in line


def test_every_missing_variable_is_reported(failing: Failing):
    assert len(failing(with_endpoint("token: ${A}\nmodel: ${B}\nheaders: {x: '${C}'}"))) == 3


def test_the_environment_can_give_a_number(loading: Loading):
    assert loading(with_top("web: {port: '${PORT}'}\n"), {"PORT": "8123"}).web.port == 8123


def test_the_environment_can_give_a_flag(loading: Loading):
    text = WHOLE.replace("builtin: false", "builtin: '${BUILTIN:-false}'")
    assert len(loading(text).probes) == 3


@pytest.mark.parametrize("port", ["'9464'", "true", "94.5", "[9464]"])
def test_what_is_written_as_another_type_is_no_number(failing: Failing, port: str):
    (line,) = failing(with_top(f"web: {{port: {port}}}\n"))
    assert line.startswith("canary.yaml:11: web.port: should be a valid integer")


def test_a_name_from_the_environment_stays_a_string(loading: Loading):
    assert loading(with_top("region: ${REGION}\n"), {"REGION": "7"}).region == "7"


def test_a_secret_can_stand_in_a_file(loading: Loading, home: Path):
    (home / "token").write_text(f" {PASSWORD}\n")
    assert token(loading, f"file:{home}/token") == PASSWORD


def test_a_secret_file_is_found_beside_the_config(loading: Loading, home: Path):
    (home / "token").write_text(PASSWORD)
    assert token(loading, "file:${NAME}", {"NAME": "token"}) == PASSWORD


def test_a_variable_that_holds_file_reads_no_file(loading: Loading, home: Path):
    (home / "token").write_text(PASSWORD)
    assert token(loading, "${TOKEN}", {"TOKEN": f"file:{home}/token"}) == f"file:{home}/token"


def test_a_value_that_is_no_secret_reads_no_file(loading: Loading, home: Path):
    (home / "name").write_text("other")
    assert loading(with_endpoint("model: file:name")).targets[0].endpoint.model == "file:name"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "names a secret file that is not there"),
        (b"x" * 65_537, "names a secret file larger than 64 KB"),
        (b"\xff", "names a secret file that is not UTF-8"),
        (b" \n", "is empty"),
        (b"a\nb", "should hold printable ASCII characters only"),
        ("é".encode(), "should hold printable ASCII characters only"),
    ],
)
def test_a_secret_file_that_will_not_do_is_refused(loading: Loading, home: Path, content: bytes | None, fault: str):
    if content is not None:
        (home / "token").write_bytes(content)
    with pytest.raises(SecretError, match=fault):
        token(loading, "file:token")


def test_a_pipe_is_no_secret_file(loading: Loading, home: Path):
    os.mkfifo(home / "token")
    with pytest.raises(SecretError, match="not there"):
        token(loading, "file:token")


def test_faults_of_secrets_and_others_make_a_config_error(loading: Loading):
    with pytest.raises(ConfigError) as caught:
        loading(with_endpoint("token: file:none\nmodell: x"))
    assert type(caught.value) is ConfigError


FULL = with_endpoint("token: ${SECRET}\nheaders: {authorization: 'x ${SECRET}'}") + (
    "store: {url: 'postgresql+psycopg://u:${SECRET}@h/d'}\n"
    "receivers: [{name: hook, kind: webhook, url: 'https://h/${SECRET}', secret: '${SECRET}'}]\n"
    "heartbeat: {url: 'https://h/${SECRET}'}\n"
)


def test_secrets_reach_those_who_need_them(loading: Loading):
    config = loading(FULL, {"SECRET": PASSWORD})
    assert config.targets[0].endpoint.headers == {"authorization": f"x {PASSWORD}"}
    assert config.store.url.get_secret_value() == f"postgresql+psycopg://u:{PASSWORD}@h/d"


def test_no_secret_is_in_the_effective_config_or_any_repr(loading: Loading):
    config = loading(FULL, {"SECRET": PASSWORD})
    assert PASSWORD not in json.dumps(effective(config)) + repr(config) + str(config) + repr(config.targets)
    assert effective(config)["endpoints"][0]["token"] == "***"


def test_another_secret_has_the_same_digest(loading: Loading):
    assert loading(FULL, {"SECRET": "a"}).digest == loading(FULL, {"SECRET": "b"}).digest


@pytest.mark.parametrize(
    "text",
    [
        FULL + "unknown: 1\n",
        FULL + "region: ''\n",
        FULL.replace("https://h", "ftp://h"),
        FULL.replace("postgresql+psycopg", "mysql"),
        with_endpoint("token: [${SECRET}]"),
        with_endpoint("token: {a: '${SECRET}'}"),
        with_endpoint('token: "${SECRET}\\n"'),
        with_endpoint("headers: ${SECRET}"),
        with_endpoint("dialect: ${SECRET}"),
        with_endpoint("limits: {timeout: '${SECRET}', concurrency: '${SECRET}'}"),
        with_endpoint("model: '{${SECRET}}'"),
        with_top("receivers: [{name: hook, kind: '${SECRET}'}]\n"),
        with_top("web: {host: 'a b ${SECRET}'}\n"),
        with_top("store: ${SECRET}\n"),
        WHOLE.replace("http://", "http://u:${SECRET}@"),
        WHOLE.replace("http://127.0.0.1:8000", "http://h:${SECRET}"),
        WHOLE.replace("60s", "${SECRET}"),
        with_endpoint(f"token: '{PASSWORD}"),
        with_endpoint(f"token: *{PASSWORD}"),
        with_endpoint(f"token: !{PASSWORD}"),
    ],
)
def test_no_error_holds_a_secret(loading: Loading, text: str):
    with pytest.raises(CanaryError) as caught:
        loading(text, {"SECRET": PASSWORD})
    assert PASSWORD not in "".join(traceback.format_exception(caught.value)).replace(f"'{PASSWORD}", "")
