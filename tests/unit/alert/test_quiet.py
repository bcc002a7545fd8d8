import json
from datetime import timedelta

from canary.alert.incident import Policy, absorb
from canary.alert.maintenance import Window
from canary.alert.quiet import Quiet, holding, hushed, over
from canary.alert.silences import made
from canary.records import Silence, matcher
from tests.unit.alert.findings import START, TARGET, finding

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INCIDENT, _ = absorb(None, finding(), START, Policy())
DAILY = Window("daily", (matcher("pool=tpu-*"),), START, 2 * HOUR, every=DAY, reason="kernel")


def silence(*texts: str, lasts: timedelta = DAY, freezes: bool = False) -> Silence:
    return made(tuple(map(matcher, texts)), "ann", "draining", START, START + lasts, freezes=freezes)


def test_a_silence_holds_from_its_beginning_to_before_its_end() -> None:
    held = [len(holding([silence("pool=tpu-*")], (), START + after)) for after in (-HOUR, DAY - HOUR, DAY)]
    assert held == [0, 1, 0]


def test_a_window_holds_for_its_time_each_time() -> None:
    held = [len(holding((), [DAILY], START + after)) for after in (-HOUR, HOUR, 3 * HOUR, DAY + HOUR)]
    assert held == [0, 1, 0, 1]


def test_an_incident_is_quiet_under_what_covers_it_and_under_nothing_else() -> None:
    quiets = holding([silence("pool=gpu-*"), silence("symptom=corruption")], [DAILY], START + 3 * HOUR)
    found = hushed(quiets, INCIDENT)
    assert found is not None
    assert found.matchers == (matcher("symptom=corruption"),)


def test_of_several_that_cover_it_the_last_to_end_says_until_when() -> None:
    quiets = holding([silence("pool=tpu-*", lasts=HOUR), silence("pool=tpu-1", lasts=DAY)], [DAILY], START)
    found = hushed(quiets, INCIDENT)
    assert found is not None
    assert found.until == START + DAY


def test_a_target_is_quiet_as_a_whole_before_it_is_so_in_part() -> None:
    quiets = holding([silence("symptom=shape"), silence("pool=tpu-1", lasts=HOUR)], (), START)
    found = over(quiets, TARGET, "eu")
    assert found is not None
    assert (found.whole, found.until) == (True, START + HOUR)


def test_a_target_is_quiet_in_part_where_a_symptom_is_silenced() -> None:
    found = over(holding([silence("symptom=shape")], (), START), TARGET, "eu")
    assert found is not None
    assert "silenced where symptom=shape until" in found.words


def test_a_target_elsewhere_is_not_quiet() -> None:
    quiets = holding([silence("pool=gpu-*"), silence("region=us", "symptom=shape")], (), START)
    assert over(quiets, TARGET, "eu") is None


def test_what_was_told_as_json_is_read_back() -> None:
    both = holding([silence("pool=tpu-*", freezes=True)], [DAILY], START)
    assert [Quiet.of(json.loads(json.dumps(one.facts()))) for one in both] == list(both)
    assert [one.name for one in both][1:] == ["daily"]
