import base64
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from canary.alert.incident import Policy, absorb, acknowledge
from canary.alert.quiet import Quiet
from canary.records import Blame, Incident, Place, Scope, matcher
from canary.web.page import render, style_digest
from canary.web.status import Snapshot, TargetState
from tests.unit.alert.findings import START, finding
from tests.unit.web.fleet import incident, snapshot, target, unwell

HOSTILE = "<script>alert(1)</script>\"'&"


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]


def verdict(of: Snapshot) -> str:
    found = re.search(r'<p class="verdict \w+">(.*?)</p>', render(of))
    assert found
    return found[1]


def test_a_healthy_fleet_is_said_to_be_so() -> None:
    assert verdict(snapshot(target(), target("tpu-2"))) == "All 2 targets at baseline."


def test_open_incidents_come_first() -> None:
    assert verdict(snapshot(target(state=TargetState.LEARNING), incidents=(incident(),))) == "1 open incident."


def test_what_is_silenced_says_so_and_until_when() -> None:
    quiet = Quiet("3f2a", START + timedelta(hours=2), (matcher("pool=tpu-1"),), maintenance=False, reason=HOSTILE)
    fleet = snapshot(replace(target(), silenced=quiet), incidents=(incident(),))
    html = render(replace(fleet, silenced={incident().id: quiet}))
    assert "1 open incident, 1 silenced." in html
    assert html.count("silenced until 08-25 14:00 UTC</small>") == 1
    assert "<dt>quiet</dt><dd>silenced until 2025-08-25 14:00 UTC" in html
    assert HOSTILE not in html


def test_a_fleet_that_is_learning_is_not_called_healthy() -> None:
    fleet = snapshot(target(), target("tpu-2", state=TargetState.LEARNING))
    assert verdict(fleet) == "No open incident; 1 of 2 targets watched in full."


def test_a_canary_that_is_unwell_says_so_before_all_else() -> None:
    assert verdict(unwell(snapshot(incidents=(incident(),)))) == "Canary itself is not well: writer, store."


@pytest.mark.parametrize("state", TargetState)
def test_every_state_is_written_out_and_not_only_coloured(state: TargetState) -> None:
    assert f"<small>{state.value}" in render(snapshot(target(state=state)))


def test_a_target_with_an_incident_links_to_it() -> None:
    opened = incident()
    page = render(snapshot(target(state=TargetState.INCIDENT), incidents=(opened,)))
    assert f'href="#{opened.id}"' in page


def test_a_target_links_to_an_incident_of_a_wider_part_of_the_fleet() -> None:
    wide = Blame(Place(Scope("opus", "api")), "opus/api/tpu-1")
    opened, _ = absorb(None, replace(finding(target="opus/api/*"), blame=wide), START, Policy())
    page = render(snapshot(target("tpu-2", state=TargetState.INCIDENT), target(model="small"), incidents=(opened,)))
    assert page.count(f'href="#{opened.id}"') == 1
    assert f'id="{opened.id}"' in page


def test_an_incident_shows_its_replay_command() -> None:
    assert f"canary replay {incident().id} --target opus/api/tpu-1 -n 200" in render(snapshot(incidents=(incident(),)))


@pytest.mark.parametrize(
    "hostile",
    [
        snapshot(target(HOSTILE, model=HOSTILE, platform=HOSTILE)),
        replace(snapshot(), version=HOSTILE, region=HOSTILE),
        snapshot(incidents=(incident(f"{HOSTILE}/x/y"),)),
        snapshot(incidents=(acknowledge(incident(), HOSTILE, START)[0],)),
    ],
)
def test_names_from_outside_are_escaped(hostile: Snapshot) -> None:
    assert "<script" not in render(hostile)


def test_a_failing_check_is_escaped() -> None:
    sick = snapshot()
    assert "<script" not in render(replace(sick, live=(replace(sick.live[0], name=HOSTILE, ok=False),)))


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = Page(render(snapshot(incidents=(incident(),))))
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(page.tags)
    assert all(link.startswith(("/", "#")) for link in page.links)


def test_the_style_is_the_one_that_the_policy_allows() -> None:
    found = re.search(r"<style>(.*?)</style>", render(snapshot()), re.DOTALL)
    assert found
    assert style_digest() == "sha256-" + base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (7_199, "119 min ago"),
        (7_200, "2 h ago"),
        (200_000, "2 d ago"),
    ],
)
def test_ages_are_short(seconds: float, words: str) -> None:
    assert words in render(snapshot(target(seconds_ago=seconds)))


def test_a_clock_that_was_set_back_gives_no_negative_age() -> None:
    assert ">0 s ago<" in render(snapshot(target(seconds_ago=-30)))


def test_an_empty_fleet_is_no_error() -> None:
    assert "No target is configured." in render(replace(snapshot(), targets=()))


@given(st.text(), st.text(min_size=1))
def test_no_name_breaks_the_page(model: str, pool: str) -> None:
    page = Page(render(snapshot(target(pool, model=model))))
    assert page.tags == Page(render(snapshot(target()))).tags


def test_an_incident_of_a_target_that_is_gone_is_still_shown() -> None:
    gone: Incident = incident("old/api/pool")
    assert gone.id in render(snapshot(incidents=(gone,)))


def test_what_is_escalated_is_said() -> None:
    page = render(snapshot(replace(target(), escalated=("code", HOSTILE)), target("tpu-2")))
    assert page.count("escalated: code, ") == 1
    assert HOSTILE not in page
