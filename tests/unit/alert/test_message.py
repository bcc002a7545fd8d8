import json
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.alert.gist import foremost, replay_command
from canary.alert.incident import Policy, absorb, acknowledge, recover, suppress
from canary.alert.links import Links
from canary.alert.message import Extras, describe, notification, render
from canary.alert.suspects import Suspect, Suspects
from canary.alert.words import summary, text
from canary.records import Blame, Change, ChangeKind, Finding, Incident, NotificationKind, Place, Scope, Symptom
from tests.unit.alert.findings import START, finding, minutes

TRIGGER = NotificationKind.TRIGGER


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
        "severity": "page",
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
        "labels": {
            "model": "opus",
            "platform": "api",
            "pool": "tpu-1",
            "region": "eu",
            "symptom": "corruption",
            "signal": "stray_script",
        },
        "symptoms": ["corruption"],
        "signals": ["stray_script"],
        "regions": ["eu"],
        "since": {
            "low": "2025-08-25T11:25:00+00:00",
            "best": "2025-08-25T11:30:00+00:00",
            "high": "2025-08-25T11:35:00+00:00",
        },
        "size": {"share": 0.008, "low": 0.004, "high": 0.016, "confidence": 0.95, "answers": 400},
        "size_of": "opus/api/tpu-1",
        "peak": {"share": 0.008, "of": "answers", "place": "opus/api/tpu-1"},
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
                "worsened": None,
                "size": {"share": 0.008, "low": 0.004, "high": 0.016, "confidence": 0.95, "answers": 400},
                "recovered_at": None,
                "where": None,
            }
        ],
        "findings_total": 1,
        "evidence": ["slot-a", "slot-b"],
        "suspects": [],
        "worsened": None,
        "replay": f"canary replay {incident().id} --target opus/api/tpu-1 -n 200",
        "words": {
            "since": "2025-08-25 11:30:00 UTC (between 2025-08-25 11:25:00 and 2025-08-25 11:35:00)",
            "size": "0.8 % of answers, 95% confidence interval 0.4 % to 1.6 %, 400 answers seen",
        },
        "links": {},
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


@pytest.mark.parametrize(
    ("margin", "said"),
    [(1.3, "3.7 times"), (4.8, "120 times"), (11.7, "120,000 times"), (14.0, "more than 10^6 times")],
)
def test_how_much_less_likely_the_next_part_is_stands_there_as_people_write_numbers(margin: float, said: str) -> None:
    blame = Blame(Place(Scope("opus", "api", "tpu-1")), "opus/api/tpu-1", Place(Scope("opus", "api")), margin)
    (line,) = [line for line in text(incident(replace(finding(), blame=blame))) if "smallest part" in line]
    assert line.endswith(f"next opus/api/*, {said} less likely")


def test_the_summary_names_every_symptom_and_the_largest_share() -> None:
    both = incident(finding(), finding("distance", Symptom.DEVIATION, share=0.16))
    assert summary(both) == "corruption and deviation on opus/api/tpu-1: 16 % of answers (8 % to 32 %)"


def blamed(one: Finding, place: str, next_best: str, margin: float = 3.0, replica: str = "") -> Finding:
    where = Place(Scope.of(place), replica=replica)
    return replace(one, blame=Blame(where, one.series.target, Place(Scope.of(next_best)), margin))


def test_the_size_is_that_of_the_whole_place_and_not_the_largest_of_a_part_of_it() -> None:
    wide = blamed(finding("distance", share=0.02), "opus/api/*", "opus/*/*")
    part = blamed(finding(share=0.4), "opus/api/tpu-1", "opus/api/*", replica="7")
    told = incident(wide, part)
    assert summary(told) == "corruption on opus/api/*: 2 % of answers (1 % to 4 %)"
    assert describe(told)["size_of"] == "opus/api/*"


def test_a_size_of_a_part_says_of_which() -> None:
    both = incident(finding(share=0.4), finding("distance", target="opus/api/tpu-2", share=0.02))
    assert summary(both) == "corruption on opus/api/*: 40 % of answers of opus/api/tpu-1 (20 % to 80 %)"


def test_what_recovered_is_not_the_size_of_what_stands() -> None:
    both = incident(finding(share=0.4), finding("distance", share=0.02))
    left, _ = recover(both, both.findings[0].series, START)
    assert summary(left) == "corruption on opus/api/tpu-1: 2 % of answers (1 % to 4 %)"


def test_a_place_that_only_some_signals_speak_of_is_said_to_be_theirs() -> None:
    one = blamed(finding(share=0.4), "opus/api/tpu-1", "opus/api/*", replica="7")
    other = blamed(finding("token_drop", Symptom.SELECTION, share=0.02), "opus/api/tpu-1", "opus/*/*")
    apart, alike = text(incident(one, other)), text(incident(one))
    assert [line.strip() for line in apart if "smallest part" in line] == [
        "smallest part that explains stray script: opus/api/tpu-1, replica 7; next opus/api/*, 20 times less likely",
        "smallest part that explains token drop: opus/api/tpu-1; next opus/*/*, 20 times less likely",
    ]
    assert [line.split(":")[0].strip() for line in alike if "smallest part" in line] == [
        "smallest part that explains it"
    ]


def test_what_began_apart_says_in_what_it_began_first() -> None:
    apart = text(incident(finding(onset=-90), finding("distance", onset=-30)))
    together = text(incident(finding(onset=-33), finding("distance", onset=-30)))
    assert [line.endswith(", first in stray script") for line in (*apart, *together) if "since" in line] == [
        True,
        False,
    ]


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


def test_a_notification_carries_the_rendered_incident() -> None:
    owed = notification(incident(), TRIGGER, "oncall", START)
    assert json.loads(owed.body) == render(incident(), kind=TRIGGER, now=START)


def test_the_same_decision_gives_the_same_id_whenever_it_is_told() -> None:
    first, again = (notification(incident(), TRIGGER, "oncall", START + timedelta(hours=n)) for n in (0, 1))
    assert first.id == again.id


@pytest.mark.parametrize("kind", [NotificationKind.UPDATE, NotificationKind.RESOLVE])
def test_another_kind_gives_another_id(kind: NotificationKind) -> None:
    assert notification(incident(), kind, "a", START).id != notification(incident(), TRIGGER, "a", START).id


def test_another_receiver_gives_another_id() -> None:
    assert notification(incident(), TRIGGER, "a", START).id != notification(incident(), TRIGGER, "b", START).id


def test_each_repeat_has_an_id_of_its_own() -> None:
    first, again = (
        notification(incident(), NotificationKind.REPEAT, "oncall", START + timedelta(hours=n)) for n in (0, 4)
    )
    assert first.id != again.id


def test_links_are_filled_in_and_names_in_them_are_quoted() -> None:
    links = Links("https://g/d/canary?var-pool={pool}&var-model={model}", "https://wiki/{symptom}")
    body = render(incident(finding(target="a b/api/x&y")), Extras(links=links), kind=TRIGGER, now=START)
    assert body["links"] == {
        "dashboard": "https://g/d/canary?var-pool=x%26y&var-model=a%20b",
        "runbook": "https://wiki/corruption",
    }


def test_a_person_reads_the_links() -> None:
    body = render(incident(), Extras(links=Links("https://g/d", "https://wiki")), kind=TRIGGER, now=START)
    assert body["text"][-2:] == ["see      https://g/d", "runbook  https://wiki"]  # type: ignore[index]


def test_labels_stay_when_an_incident_grows_over_the_fleet() -> None:
    grown = incident(finding(), finding("distance", Symptom.DEVIATION, target="opus/api/gpu-7"))
    assert describe(grown)["target"] != describe(incident())["target"]
    assert describe(grown)["labels"] == describe(incident())["labels"]


def test_answers_are_there_only_where_they_are_given() -> None:
    bare = render(incident(), kind=TRIGGER, now=START)
    assert render(incident(), Extras(answers=({"slot": "a"},)), kind=TRIGGER, now=START) == {
        **bare,
        "answers": [{"slot": "a"}],
    }


def suspect(name: str, probability: float, link: str = "https://ci.example.com/7") -> Suspect:
    change = Change(name, ChangeKind.DEPLOY, START - minutes(33), name, Scope("opus", "api"), link, "ann")
    return Suspect(change, probability, "began 3 min after")


NONE = Suspect(None, 0.2, "something else")


def test_a_person_reads_which_changes_are_suspected_and_why() -> None:
    lines = text(incident(), Suspects((suspect("engine 2.4", 0.8), NONE)))
    assert [line for line in lines if line.startswith("suspect")] == [
        'suspect  80% deploy "engine 2.4" on opus/api/* by ann, 2025-08-25 11:27:00 UTC (began 3 min after) '
        "https://ci.example.com/7",
        "suspect  20% no recorded change (something else)",
    ]


def test_certainty_is_never_claimed_by_rounding() -> None:
    lines = text(incident(), Suspects((suspect("sure", 0.9999, ""), Suspect(None, 0.0001, "something else"))))
    assert ["over 99%" in lines[-3], "under 1%" in lines[-2]] == [True, True]


def test_a_machine_reads_the_suspected_change() -> None:
    (described,) = describe(incident(), Suspects((suspect("engine 2.4", 0.80004),)))["suspects"]  # type: ignore[misc]
    assert described == {
        "probability": 0.8,
        "reason": "began 3 min after",
        "words": '80% deploy "engine 2.4" on opus/api/* by ann, 2025-08-25 11:27:00 UTC (began 3 min after) '
        "https://ci.example.com/7",
        "change": {
            "id": "engine 2.4",
            "kind": "deploy",
            "at": "2025-08-25T11:27:00+00:00",
            "finished_at": None,
            "summary": "engine 2.4",
            "scope": {"model": "opus", "platform": "api", "pool": None, "region": None},
            "author": "ann",
            "link": "https://ci.example.com/7",
        },
    }


def test_three_changes_are_named_at_most_and_no_recorded_change_in_its_place() -> None:
    ranking = [suspect("a", 0.3), NONE, *(suspect(name, 0.12) for name in "bcde")]
    assert [one.change and one.change.id for one in foremost(ranking)] == ["a", None, "b", "c"]


def test_faint_suspects_are_not_named() -> None:
    assert foremost([NONE, suspect("faint", 0.009)]) == (NONE,)


WORSE = incident(finding(share=0.008), finding(onset=-3, share=0.16))
BLAMED = Suspects((NONE,), (suspect("balance", 0.9),))


def test_a_person_reads_since_when_it_is_worse_and_what_may_have_made_it_so() -> None:
    lines = text(WORSE, BLAMED)
    assert lines[4].startswith("since    2025-08-25 11:30:00 UTC")
    assert lines[8] == "worse    since 2025-08-25 11:57:00 UTC (between 2025-08-25 11:52:00 and 2025-08-25 12:02:00)"
    assert lines[9].startswith('suspect  90% deploy "balance"')


def test_a_machine_reads_the_suspects_of_a_worsening() -> None:
    worsened = describe(WORSE, BLAMED)["worsened"]
    assert worsened["since"]["best"] == "2025-08-25T11:57:00+00:00"  # type: ignore[index]
    assert worsened["suspects"][0]["change"]["id"] == "balance"  # type: ignore[index]
