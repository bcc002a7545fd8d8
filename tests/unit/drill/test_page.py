from datetime import timedelta

import pytest

from canary.drill.judge import Delay, Judgement, Outcome, Told
from canary.drill.page import page
from canary.drill.perform import Report, of_bursts
from canary.drill.shape import Expected
from canary.drill.stage import Bursts
from canary.records import Symptom
from tests.unit.alert.findings import START

TOLD = Told("1f", "mid/api/tpu", "", START, None, START, (Symptom.SELECTION,), (), ("topk",), (), ())


def report(*bursts: Bursts, noticed: timedelta | None = None) -> Report:
    delay = Delay(timedelta(hours=2, minutes=30), 150, 9_000)
    when = None if noticed is None else START + noticed
    outcome = Outcome(Expected(fault="topk"), (TOLD,), delay, (), when)
    judgement = Judgement((outcome,), (), (), 0.1, ())
    facts = {"targets": 2, "armed": 8, "learning": 0, "runs": 9, "tokens": 100_000, "golden_tokens": 5}
    return Report(
        "topk", "why", 1, START, START, notifications=1, judgement=judgement, rules=(), bursts=bursts, **facts
    )


def test_a_burst_is_one_slot_and_its_cost_is_said():
    (line,) = of_bursts(report(Bursts(16, 96, 25_000)))
    assert line == "96 bursts of 16, each of them one slot of the plan: 1,536 runs, 25,000 tokens (25%)"
    assert line in page(report(Bursts(16, 96, 25_000)), [])


def test_a_delay_is_told_in_hours_probes_and_tokens():
    assert "<td>2.50 h</td><td>150</td><td>9,000</td>" in page(report(), [])


def test_the_day_on_which_the_real_incident_was_noticed_stands_beside_ours():
    assert "2025-09-02 18:00Z, 8.2 days later" in page(report(noticed=timedelta(days=8, hours=6)), [])


@pytest.mark.parametrize(("noticed", "columns"), [(None, 7), (timedelta(days=1), 8)])
def test_only_what_really_happened_was_noticed(noticed, columns):
    head = page(report(noticed=noticed), []).split("</thead>", maxsplit=1)[0]
    assert head.count("<th>") == columns
