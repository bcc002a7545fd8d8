from collections.abc import Callable
from pathlib import Path

import pytest

from canary.config import load_probes, own_scorers
from canary.daemon.assembly import rhythms_of, scorers_of, signals_of
from canary.errors import ConfigError, ProbeFileError
from tests.unit.config.conftest import Failing, Loading
from tests.unit.config.texts import with_top

SHOUTING = """
from dataclasses import dataclass

from canary.records import Signal, SignalKind, Symptom
from canary.score import Measure, Scorer


@dataclass
class Threshold:
    most: int = 3


def measure(case):
    capitals = sum(map(str.isupper, case.response.text))
    return Measure(float(max(0, capitals - Threshold().most)), 1.0)


SCORERS = [Scorer(Signal("{name}", 1, SignalKind.EVENT, Symptom.SHAPE, "capitals", "answers"), measure)]
"""
PROBE = """\
id: loud
family: loud
why: To see whether the answer begins to shout.
messages: [{role: user, content: Say hello.}]
sampling: {max_tokens: 8}
scorers: [shouting]
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str, name: str = "mine.py") -> Path:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return write


def test_a_file_adds_its_scorers_by_name(write: Write) -> None:
    assert list(own_scorers([write(SHOUTING.format(name="shouting"))])) == ["shouting"]


def test_without_files_there_are_none() -> None:
    assert own_scorers([]) == {}


def test_a_file_is_read_anew_each_time(write: Write) -> None:
    own_scorers([write(SHOUTING.format(name="shouting"))])
    assert list(own_scorers([write(SHOUTING.format(name="yelling"))])) == ["yelling"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def", "cannot be read as Python: SyntaxError"),
        ("1 / 0", "cannot be loaded: ZeroDivisionError"),
        ("import nowhere_at_all", "cannot be loaded: ModuleNotFoundError"),
        ("x = 1", "defines no SCORERS"),
        ("SCORERS = [len]", "holds a builtin_function_or_method where a canary.score.Scorer should be"),
        (SHOUTING.format(name="script"), 'the name "script" is taken'),
        (SHOUTING.format(name="availability"), 'the name "availability" is taken'),
        (SHOUTING.format(name="Shouting!"), "the signal's name is not of the form"),
    ],
)
def test_what_is_no_scorer_is_refused_with_its_file(write: Write, text: str, fault: str) -> None:
    file = write(text)
    with pytest.raises(ConfigError) as caught:
        own_scorers([file])
    assert str(caught.value).startswith(f"{file}: {fault}")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read as Python: FileNotFoundError"):
        own_scorers([tmp_path / "none.py"])


def test_a_name_is_taken_once(write: Write) -> None:
    text = SHOUTING.format(name="shouting")
    with pytest.raises(ConfigError, match='the name "shouting" is taken'):
        own_scorers([write(text), write(text, "other.py")])


def test_an_installed_package_offers_scorers_by_entry_point(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(SHOUTING.format(name="shouting"), "shouting_package.py")
    info = tmp_path / "shouting_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting_package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[canary.scorers]\nshouting = shouting_package:SCORERS\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert list(own_scorers([])) == ["shouting"]


def test_a_probe_may_name_a_scorer_of_the_users_own(write: Write, tmp_path: Path) -> None:
    write(PROBE, "loud.yaml")
    assert load_probes([tmp_path], {"shouting"})[0].scorers == ("shouting",)
    with pytest.raises(ProbeFileError, match="unknown scorer"):
        load_probes([tmp_path])


def test_a_config_names_files_of_scorers_beside_it(loading: Loading, home: Path) -> None:
    (home / "mine.py").write_text(SHOUTING.format(name="shouting"))
    (home / "probes" / "loud.yaml").write_text(PROBE)
    config = loading(with_top("scorers: [mine.py]\n"))
    assert {"script", "shouting"} <= set(scorers_of(config))
    assert list(signals_of(config))[-1] == "availability"
    assert {signal.name for one in rhythms_of(config) if one.group == "loud" for signal in one.signals} == {
        "shouting",
        "availability",
    }


def test_a_scorer_of_another_version_is_another_config(loading: Loading, home: Path) -> None:
    text = SHOUTING.format(name="shouting")
    digests = set()
    for version in ('"shouting", 1', '"shouting", 2'):
        (home / "mine.py").write_text(text.replace('"shouting", 1', version))
        digests.add(loading(with_top("scorers: [mine.py]\n")).digest)
    assert len(digests) == 2


def test_a_config_with_a_broken_file_of_scorers_is_refused(failing: Failing, home: Path) -> None:
    (home / "mine.py").write_text("x = 1")
    (line,) = failing(with_top("scorers: [mine.py]\n"))
    assert line == "mine.py: defines no SCORERS: it should be a sequence of canary.score.Scorer"
