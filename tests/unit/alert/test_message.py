import json
from datetime import timedelta

import pytest

from canary.alert.incident import Policy, absorb, acknowledge, suppress
from canary.alert.message import notifications, render, replay_command, summary, text
from canary.alert.routing import ReceiverKind, ReceiverSpec
from canary.records import Finding, Incident, NotificationKind, Symptom
from tests.unit.alert.findings import START, finding

TRIGGER = NotificationKind.TRIGGER
RECEIVERS = [ReceiverSpec("oncall", ReceiverKind.WEBHOOK), ReceiverSpec("log", ReceiverKind.CONSOLE)]


def incident(*findings: Finding) -> Incident:
    first, *rest = findings or (finding(),)
    made, _ = absorb(None, first, START, Policy())
    for other in rest:
        made, _ = absorb(made, other, START, Policy())
    return made


def test_the_body_is_this_and_nothing_else() -> None:
    assert render(incident(), kind=TRIGGER, now=START) == {
        "schema": "canary.incident/1",
        "kind": "trigger",
        "at": "2025-08-25T12:00:00+00:00",
        "summary": "corruption on opus/api/tpu-1: 0.8 % of answers (0.4 % to 1.6 %)",
        "incident": {
            "id": incident().id,
            "version": 1,
            "state": "open",
            "opened_at": "2025-08-25T12:00:00+00:00",
            "updated_at": "2025-08-25T12:00:00+00:00",
            "resolved_at": None,
            "acknowledged_by": None,
            "resolved_by": None,
            "reopened": 0,
            "flapping": False,
            "suppressed_by": None,
        },
        "target": {"model": "opus", "platform": "api", "pool": "tpu-1"},
        "symptoms": ["corruption"],
        "signals": ["stray_script"],
        "since": {
            "low": "2025-08-25T11:25:00+00:00",
            "best": "2025-08-25T11:30:00+00:00",
            "high": "2025-08-25T11:35:00+00:00",
        },
        "size": {"share": 0.008, "low": 0.004, "high": 0.016, "confidence": 0.95, "answers": 400},
        "findings": [
            {
                "signal": "stray_script",
                "symptom": "corruption",
                "group": "prose",
                "region": "eu",
                "alarms": 1,
                "onset": {
                    "low": "2025-08-25T11:25:00+00:00",
                    "best": "2025-08-25T11:30:00+00:00",
                    "high": "2025-08-25T11:35:00+00:00",
                },
                "size": {"share": 0.008, "low": 0.004, "high": 0.016, "confidence": 0.95, "answers": 400},
                "recovered_at": None,
                "where": None,
            }
        ],
        "findings_total": 1,
        "evidence": ["slot-a", "slot-b"],
        "replay": f"canary replay {incident().id} --target opus/api/tpu-1 -n 200",
        "text": text(incident()),
    }


def test_a_person_reads_what_where_since_how_big_and_what_to_run() -> None:
    assert text(incident()) == [
        "corruption on opus/api/tpu-1: 0.8 % of answers (0.4 % to 1.6 %)",
        "state    open",
        "what     output corruption: text that should not be there (stray script)",
        "where    model opus, platform api, pool tpu-1",
        "since    2025-08-25 11:30:00 UTC (between 2025-08-25 11:25:00 and 2025-08-25 11:35:00)",
        "size     0.8 % of answers, 95% confidence interval 0.4 % to 1.6 %, 400 answers seen",
        "evidence slot-a, slot-b",
        f"replay   canary replay {incident().id} --target opus/api/tpu-1 -n 200",
    ]


def test_the_summary_names_every_symptom_and_the_largest_share() -> None:
    both = incident(finding(), finding("distance", Symptom.DEVIATION, share=0.16))
    assert summary(both) == "corruption and deviation on opus/api/tpu-1: 16 % of answers (8 % to 32 %)"


def test_of_bursts_the_share_is_one_of_bursts() -> None:
    told = text(incident(finding(group="onetoken@8", share=0.16)))
    assert told[0] == "corruption on opus/api/tpu-1: 16 % of bursts of 8 answers (8 % to 32 %)"
    assert "16 % of bursts of 8 answers, 95% confidence interval 8 % to 32 %, 400 bursts of 8 answers seen" in told[5]


def test_evidence_is_the_strongest_of_each_series_first() -> None:
    both = incident(finding(evidence=("a1", "a2")), finding("syntax_error", evidence=("b1", "b2")))
    assert render(both, kind=TRIGGER, now=START)["evidence"] == ["a1", "b1", "a2"]


def test_long_incidents_give_short_messages() -> None:
    many = incident(*(finding(f"signal-{n}") for n in range(50)))
    body = render(many, kind=TRIGGER, now=START)
    assert (len(body["findings"]), body["findings_total"]) == (20, 50)  # type: ignore[arg-type]


def test_the_replay_command_survives_a_shell() -> None:
    assert "'opus; rm -rf ~/api/tpu'" in replay_command(incident(finding(target="opus; rm -rf ~/api/tpu")))


def test_the_state_line_says_who_acknowledged_and_what_suppresses() -> None:
    made, _ = acknowledge(incident(), "ann", START)
    made, _ = suppress(made, "c0ffee", START)
    assert text(made)[1] == "state    acknowledged by ann, suppressed by c0ffee"


def test_one_notification_is_owed_to_each_receiver() -> None:
    assert [n.receiver for n in notifications(incident(), TRIGGER, RECEIVERS, START)] == ["oncall", "log"]


def test_a_notification_carries_the_rendered_incident() -> None:
    (owed, _) = notifications(incident(), TRIGGER, RECEIVERS, START)
    assert json.loads(owed.body) == render(incident(), kind=TRIGGER, now=START)


def test_the_same_decision_gives_the_same_ids_whenever_it_is_told() -> None:
    first = notifications(incident(), TRIGGER, RECEIVERS, START)
    again = notifications(incident(), TRIGGER, RECEIVERS, START + timedelta(hours=1))
    assert [n.id for n in first] == [n.id for n in again]


@pytest.mark.parametrize("kind", [NotificationKind.UPDATE, NotificationKind.RESOLVE])
def test_another_kind_gives_another_id(kind: NotificationKind) -> None:
    assert (
        notifications(incident(), kind, RECEIVERS, START)[0].id
        != notifications(incident(), TRIGGER, RECEIVERS, START)[0].id
    )
