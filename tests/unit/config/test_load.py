"""From the file to a Config: shapes, targets, suites, and what is said when they are wrong."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from canary.config import Config, effective, json_schema, load
from canary.errors import ConfigError
from canary.records import Dialect
from tests.unit.config.conftest import Failing, Loading
from tests.unit.config.texts import (
    ENDPOINTS,
    MATRIX,
    PROBES,
    SUITES,
    WHOLE,
    with_endpoint,
    with_suite,
    with_suites,
    with_top,
)


def names(config: Config) -> list[str]:
    return [target.name for target in config.targets]


# -- targets


def test_targets_are_models_by_platforms_by_pools(loading: Loading):
    assert names(loading(WHOLE)) == [
        f"{model}/{platform}/{pool}"
        for model in ("mid", "small")
        for platform in ("api", "cloud")
        for pool in ("short", "long")
    ]


def test_excluded_targets_are_left_out(loading: Loading):
    config = loading(with_top("exclude: [{platform: cl*, pool: long}, {model: small}]\n"))
    assert names(config) == ["mid/api/short", "mid/api/long", "mid/cloud/short"]


def test_included_targets_are_added(loading: Loading):
    config = loading(with_top("include: [{model: big, platform: api, pool: short}]\n"))
    assert names(config)[-1] == "big/api/short"


def test_a_target_takes_the_first_endpoint_that_fits(loading: Loading):
    text = with_endpoint("match: {platform: api}").replace(
        "probes:", "  - {base_url: 'https://second/v1', dialect: openai_completions}\nprobes:", 1
    )
    urls = {target.platform: target.endpoint for target in loading(text).targets if target.pool == "long"}
    assert urls["api"].base_url == "http://127.0.0.1:8000/api/long/v1"
    assert (urls["cloud"].base_url, urls["cloud"].dialect) == ("https://second/v1", Dialect.OPENAI_COMPLETIONS)


def test_placeholders_are_filled_in_with_the_names_of_the_target(loading: Loading):
    text = with_endpoint('model: "org/{model}-{pool}"').replace("[mid, small]", "['mid:7b']").replace("v1", "{model}")
    endpoint = loading(text).targets[0].endpoint
    assert (endpoint.model, endpoint.base_url) == ("org/mid:7b-short", "http://127.0.0.1:8000/api/short/mid%3A7b")


def test_a_name_cannot_smuggle_a_placeholder_or_a_path(failing: Failing):
    (line,) = failing(WHOLE.replace("[mid, small]", "[mid, '{pool}', a/b, '']").replace("\n", "\n", 1))[:1]
    assert line.startswith("canary.yaml:2: models[1]: ")


def test_limits_and_headers_reach_the_target(loading: Loading):
    lines = "limits: {concurrency: 2, timeout: 5s, max_answer_bytes: 5000, tokens_per_day: 9}\naffinity_header: x-a"
    target = loading(with_endpoint(lines + "\nextra_body: {a: [1, {b: ~}]}")).targets[0]
    assert (target.limits.concurrency, target.limits.timeout) == (2, timedelta(seconds=5))
    assert (target.limits.max_bytes, target.limits.tokens_per_day) == (5_000, 9)
    assert (target.endpoint.affinity_header, target.endpoint.extra_body) == ("x-a", {"a": [1, {"b": None}]})


def test_extra_body_from_the_environment_is_plain_json(loading: Loading):
    body = loading(with_endpoint("extra_body: {a: ['${A}']}"), {"A": "x"}).targets[0].endpoint.extra_body
    assert type(body["a"][0]) is str


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (WHOLE.replace("[mid, small]", "[mid, small, mid]"), '2: models[2]: "mid" is there already, as number 1'),
        (with_top("exclude: [{pool: middle}]\n"), "11: exclude[0]: excludes nothing"),
        (
            with_top("include: [{model: mid, platform: api, pool: short}]\n"),
            "11: include[0]: the target mid/api/short is there already",
        ),
        (
            with_top("include:\n  - {model: x, platform: y, pool: z}\n  - {model: x, platform: y, pool: z}\n"),
            "13: include[1]: the target x/y/z is there already",
        ),
        (
            WHOLE.replace("cloud", "cloud, edge").replace("  - base", "  - match: {platform: '[ac]*'}\n    base"),
            "5: endpoints: no endpoint fits the target mid/edge/short: add one, or exclude the target",
        ),
        (
            WHOLE.replace("probes:", "  - {base_url: 'https://second/v1'}\nprobes:", 1),
            "7: endpoints[1]: no target uses this endpoint: remove it, or move it above",
        ),
        (WHOLE.replace(MATRIX, ""), "models: there is no target: name models, platforms and pools"),
        (
            WHOLE.replace("[mid, small]", str([f"m{i}" for i in range(1_000)])).replace(
                "[api, cloud]", str([f"p{i}" for i in range(1_000)])
            ),
            "2: models: 2000000 targets are too many: a prober takes 10000",
        ),
    ],
)
def test_targets_that_do_not_fit_together_are_refused(failing: Failing, text: str, fault: str):
    assert fault in failing(text)[0]


# -- suites and receivers


def test_each_suite_assigns_its_groups_to_its_targets(loading: Loading):
    config = loading(with_suite("families: [prose]\ntargets: {model: mid, platform: api}"))
    assert [(a.suite, a.target.name, a.group) for a in config.assignments()] == [
        ("main", "mid/api/short", "prose"),
        ("main", "mid/api/long", "prose"),
    ]
    assert [probe.id for probe in config.assignments()[0].probes] == ["prose-a", "prose-b"]


def test_a_suite_can_choose_probes_by_id(loading: Loading):
    config = loading(with_suite("probes: [prose-b, code-a]\ntargets: {model: mid, platform: api, pool: long}"))
    assert [[p.id for p in a.probes] for a in config.assignments()] == [["code-a"], ["prose-b"]]


def test_without_a_choice_a_suite_has_all_probes(loading: Loading):
    assert {probe.id for a in loading(WHOLE).assignments() for probe in a.probes} == {"prose-a", "prose-b", "code-a"}


@pytest.mark.parametrize(("line", "jitter"), [("", 6), ("jitter: 7s", 7), ("jitter: 0s", 0)])
def test_jitter_is_a_tenth_of_the_interval_unless_given(loading: Loading, line: str, jitter: int):
    assert loading(with_suite(line)).assignments()[0].jitter == timedelta(seconds=jitter)


def test_two_suites_may_part_the_groups(loading: Loading):
    text = with_suites("- {name: a, interval: 1m, families: [prose]}\n- {name: b, interval: 1h, families: [code]}\n")
    assert len(loading(text).assignments()) == 16


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            with_suite("families: [prose, prosa]"),
            '11: suites[0].families[1]: there is no "prosa"; did you mean "prose"?',
        ),
        (with_suite("probes: [xyz]"), '11: suites[0].probes[0]: there is no "xyz"; known: code-a, prose-a, prose-b'),
        (with_suite("families: [prose]\nprobes: [code-a]"), "12: suites[0].probes: stands beside families"),
        (with_suite("targets: {pool: x}"), "9: suites[0]: fires nothing"),
        (with_suite("families: []"), "9: suites[0]: fires nothing"),
        (with_suite("jitter: 60s"), "11: suites[0].jitter: should be shorter than the interval"),
        (
            with_suites("- {name: a, interval: 1m}\n- {name: b, interval: 1h, families: [code]}"),
            '10: suites[1]: covers the probe group "code" on mid/api/short, as the suite "a" does: '
            "a series has one rhythm, so part them by families or targets",
        ),
        (
            with_suites("- {name: a, interval: 1m, families: [code]}\n- {name: a, interval: 1h, families: [prose]}\n"),
            'suites[1]: "a" is there already, as number 1',
        ),
        (
            with_top("receivers: [{name: a, kind: console}, {name: a, kind: console}]\n"),
            'receivers[1]: "a" is there already',
        ),
        (
            with_top("receivers: [{name: a, kind: console, match: {model: x}}]\n"),
            "11: receivers[0].match: fits no target",
        ),
    ],
)
def test_suites_and_receivers_that_do_not_fit_are_refused(failing: Failing, text: str, fault: str):
    (line,) = failing(text)
    assert fault in line


# -- shapes


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (with_top("regoin: x\n"), '11: regoin: unknown key; did you mean "region"?'),
        (with_top("zzz: x\n"), "11: zzz: unknown key; known: budget, detect, endpoints"),
        (with_suite("intervall: 5s"), '11: suites[0].intervall: unknown key; did you mean "interval"?'),
        (with_suite("targets: {modell: x}"), '11: suites[0].targets.modell: unknown key; did you mean "model"?'),
        (with_endpoint("tokn: x"), '7: endpoints[0].tokn: unknown key; did you mean "token"?'),
        (with_endpoint("match: {pol: x}"), '7: endpoints[0].match.pol: unknown key; did you mean "pool"?'),
        (
            with_endpoint("limits: {time_out: 5s}"),
            '7: endpoints[0].limits.time_out: unknown key; did you mean "timeout"?',
        ),
        (with_top("store:\n  ulr: x\n"), '12: store.ulr: unknown key; did you mean "url"?'),
        (
            with_top("store:\n  retention:\n    bodies: 7d\n"),
            '13: store.retention.bodies: unknown key; did you mean "healthy_bodies"?',
        ),
        (with_top("budget: {dleta: 1}\n"), '11: budget.dleta: unknown key; did you mean "delta"?'),
        (
            with_top("detect: {share: 1}\n"),
            "11: detect.share: unknown key; known: escalation, replicas, smallest_share",
        ),
        (
            with_top("detect: {escalation: {faktor: 3}}\n"),
            '11: detect.escalation.faktor: unknown key; did you mean "factor"?',
        ),
        (with_top("web: {prot: 1}\n"), '11: web.prot: unknown key; did you mean "port"?'),
        (
            with_top("receivers:\n  - name: a\n    kind: webhook\n    urll: x\n    url: http://x/\n"),
            '14: receivers[0].urll: unknown key; did you mean "url"?',
        ),
        (
            with_top("include: [{model: a, platform: b, pool: c, poool: d}]\n"),
            '11: include[0].poool: unknown key; did you mean "pool"?',
        ),
        (WHOLE.replace("builtin", "bultin"), '7: probes.bultin: unknown key; did you mean "builtin"?'),
        (with_top("<<: {a: b}\n"), "11: <<: unknown key"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_name(failing: Failing, text: str, fault: str):
    (line,) = failing(text)
    assert line.removeprefix("canary.yaml:").startswith(fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1: should be a mapping of keys to values"),
        ("[]", "1: should be a mapping of keys to values"),
        (WHOLE.replace("version: 1", "version: 2"), "1: version: should be 1"),
        (WHOLE.replace("version: 1\n", ""), "1: version: is required"),
        (WHOLE.replace(SUITES, ""), "1: suites: is required"),
        (WHOLE.replace(SUITES, "suites: []\n"), "8: suites: should have at least one entry"),
        (WHOLE.replace(ENDPOINTS, "endpoints: {}\n"), "5: endpoints: should be a list"),
        (WHOLE.replace("    interval: 60s\n", ""), "9: suites[0].interval: is required"),
        (WHOLE.replace("[mid, small]", "[mid, 7]"), "2: models[1]: should be a string: quote it"),
        (WHOLE.replace("[mid, small]", "mid"), "2: models: should be a list"),
        (WHOLE.replace("builtin: false", "builtin: 'false'"), "7: probes.builtin: should be a valid boolean"),
        (WHOLE.replace("60s", "60"), "10: suites[0].interval: should be a duration such as 500ms, 30s"),
        (WHOLE.replace("60s", "1h30m"), "10: suites[0].interval: should be a duration"),
        (WHOLE.replace("60s", "-5s"), "10: suites[0].interval: should be a duration"),
        (WHOLE.replace("60s", "99ms"), "10: suites[0].interval: should be between 100ms and 4w"),
        (WHOLE.replace("60s", "5w"), "10: suites[0].interval: should be between 100ms and 4w"),
        (WHOLE.replace("60s", "999999w"), "10: suites[0].interval: should be between 100ms and 4w"),
        (WHOLE.replace("60s", "999999999999w"), "10: suites[0].interval: should be a duration"),
        (with_endpoint("limits: {concurrency: 0}"), "7: endpoints[0].limits.concurrency: should be greater"),
        (with_endpoint("limits: {concurrency: 257}"), "7: endpoints[0].limits.concurrency: should be less"),
        (with_endpoint("limits: {rate_per_second: 0}"), "7: endpoints[0].limits.rate_per_second: should be greater"),
        (with_endpoint("limits: {tokens_per_day: 1.5}"), "7: endpoints[0].limits.tokens_per_day: should be a valid"),
        (with_endpoint("limits: {timeout: 2h}"), "7: endpoints[0].limits.timeout: should be between 100ms and 1h"),
        (with_endpoint("dialect: soap"), "7: endpoints[0].dialect: should be 'openai_chat' or 'openai_completions'"),
        (with_endpoint('headers: {"a b": x}'), "7: endpoints[0].headers.a b: "),
        (with_endpoint("headers: {a: 5}"), "7: endpoints[0].headers.a: should be a string"),
        (with_endpoint("token: 5"), "7: endpoints[0].token: should be a string: quote it"),
        (with_endpoint("model: '{modle}'"), "7: endpoints[0].model: has an unknown placeholder"),
        (with_endpoint("model: '{'"), "7: endpoints[0].model: has an unknown placeholder"),
        (with_top("budget: {false_alarms_per_week: 0}\n"), "11: budget.false_alarms_per_week: should be greater"),
        (with_top("budget: {false_alarms_per_week: 1001}\n"), "11: budget.false_alarms_per_week: should be less"),
        (with_top("budget: {false_alarms_per_week: .nan}\n"), "11: budget.false_alarms_per_week: should be a valid"),
        (with_top("budget: {delta: 0.3}\n"), "11: budget.delta: should be less than or equal to 0.1"),
        (with_top("budget: {delta: true}\n"), "11: budget.delta: should be a valid number"),
        (with_top("detect: {smallest_share: 0}\n"), "11: detect.smallest_share: should be greater"),
        (with_top("detect: {escalation: {factor: 1}}\n"), "11: detect.escalation.factor: should be greater"),
        (with_top("detect: {escalation: {factor: 2.5}}\n"), "11: detect.escalation.factor: should be a valid integer"),
        (with_top("detect: {escalation: {warning: 0}}\n"), "11: detect.escalation.warning: should be less"),
        (with_top("detect: {escalation: {extra_share: 1.5}}\n"), "11: detect.escalation.extra_share: should be less"),
        (with_top("region: a/b\n"), "11: region: "),
        (with_top("heartbeat: {every: 1m}\n"), "11: heartbeat.url: is required"),
        (with_top("heartbeat: {url: 'ftp://h'}\n"), "11: heartbeat.url: should "),
        (with_top("heartbeat: {url: 'http://h', every: 100ms}\n"), "11: heartbeat.every: should "),
        (
            with_top("heartbeat: {url: 'http://h', control: {interval: 2m}}\n"),
            "11: heartbeat.control.interval: should ",
        ),
        (with_top("web: {port: 65536}\n"), "11: web.port: should be less than or equal to 65535"),
        (with_top("store: {url: 'mysql://x'}\n"), "11: store.url: should start with sqlite:/// or postgresql:"),
        (with_top("receivers: [{name: a}]\n"), "11: receivers[0]: needs a kind"),
        (
            with_top("receivers: [{name: a, kind: pager}]\n"),
            "11: receivers[0]: has an unknown kind; known: 'console', 'webhook'",
        ),
        (with_top("receivers: [{name: a, kind: webhook}]\n"), "11: receivers[0].url: is required"),
        (with_top("probes: {folders: [none]}\n").replace(PROBES, ""), "10: probes.folders[0]: is not a folder"),
    ],
)
def test_a_wrong_value_is_refused_with_line_and_key(failing: Failing, text: str, fault: str):
    (line,) = failing(text)
    assert line.removeprefix("canary.yaml:").startswith(fault)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/v1",
        "h/v1",
        "http://",
        "http:///v1",
        "http://u:p@h/v1",
        "http://u@h/v1",
        "http://h/v1?x=1",
        "http://h/v1#x",
        "http://h:99999/",
        "http://h:x/",
        "'http://h /'",
        "http://[::1/",
        "http://{host}/",
        "file:/etc/passwd",
        "'{model}'",
    ],
)
def test_a_base_url_that_is_not_plain_http_is_refused(failing: Failing, url: str):
    (line,) = failing(WHOLE.replace("http://127.0.0.1:8000/{platform}/{pool}/v1", url))
    assert line.startswith("canary.yaml:6: endpoints[0].base_url: ")


def test_all_faults_of_a_file_are_told_at_once_in_its_order(failing: Failing):
    text = with_top("regoin: x\nweb: {port: x}\nweb: {port: 1, prot: 2}\n").replace("60s", "60")
    assert [line.split(": ")[0] for line in failing(text)] == [f"canary.yaml:{n}" for n in (10, 11, 13, 13)]


def test_no_more_than_fifty_faults_are_told(failing: Failing):
    lines = failing(with_top("".join(f"key{i}: 1\n" for i in range(80))))
    assert (len(lines), lines[-1]) == (51, "... and 30 more")


def test_a_missing_config_is_said_to_be_missing(tmp_path: Path):
    with pytest.raises(ConfigError, match="is not a file"):
        load(tmp_path / "none.yaml", {})


# -- the whole


def test_a_relative_store_lies_beside_the_config(loading: Loading, home: Path):
    assert loading(WHOLE).store.url.get_secret_value() == f"sqlite:///{home}/canary.db"


@pytest.mark.parametrize(
    "url", ["sqlite:////var/canary.db", "sqlite:///:memory:", "postgresql://h/d", "postgresql+psycopg://h/d"]
)
def test_any_other_store_stays_as_it_is(loading: Loading, url: str):
    assert loading(with_top(f"store: {{url: '{url}'}}\n")).store.url.get_secret_value() == url


def test_a_config_is_frozen(loading: Loading):
    with pytest.raises(ValueError, match="frozen"):
        loading(WHOLE).region = "x"


def test_the_effective_config_loads_to_the_same_config(loading: Loading):
    config = loading(with_endpoint("match: {model: '*'}") + "receivers: [{name: a, kind: console}]\n")
    shown = effective(config)
    shown["store"].pop("url")
    again = loading(json.dumps(shown))
    assert (again.targets, again.suites, again.digest) == (config.targets, config.suites, config.digest)


def test_the_digest_tells_configs_apart(loading: Loading, home: Path):
    first = loading(WHOLE).digest
    other = loading(WHOLE.replace("60s", "61s")).digest
    (home / "probes" / "prose-a.yaml").unlink()
    assert len({first, other, loading(WHOLE).digest}) == 3


def test_the_digest_does_not_depend_on_layout(loading: Loading):
    assert loading(WHOLE).digest == loading("# A comment\n" + WHOLE.replace("60s", "1m")).digest


def test_the_schema_knows_every_key(loading: Loading):
    assert set(json_schema()["properties"]) == set(effective(loading(WHOLE)))


def test_importing_the_config_loads_nothing_heavy():
    heavy = {"numpy", "sqlalchemy", "aiohttp", "canary.score"}
    code = f"import sys, canary.config; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
