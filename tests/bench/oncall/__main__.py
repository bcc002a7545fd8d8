"""From the first bad answer to the page, on the running product.

    python -m tests.bench.oncall                       # the table
    python -m tests.bench.oncall --out deploy/docs     # and the session of README, with its pictures

The lab plays a scenario for a real daemon, which a real Prometheus scrapes each second, with Canary's own rules and a
real Alertmanager; both ways end at one webhook. When the page of `--session` has come, whoever is on call looks for
the culprit with the CLI alone. It takes some ten minutes, ends by itself, and stops what it started.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from canary.drill.scenario import Scenario, scenario
from canary.records import Incident
from tests.bench.oncall import boards
from tests.bench.oncall.pages import HEADS, Row, Told, first_bad, incident_of, truth
from tests.bench.oncall.session import Session
from tests.bench.oncall.stage import LEAD, Stage, now, stage
from tests.bench.panels import Source

CUT = Path(__file__).parents[2] / "integration" / "scenarios" / "overlap-small.yaml"
"""overlap-2025 cut to fifteen hours: in whole it is two million probes, more than two cores fire in three hours."""

WAKING = 60.0
"""Seconds from the page until somebody types."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default=str(CUT), help="a name or a file")
    parser.add_argument("--speed", type=float, default=60.0, help="60: an hour takes a minute")
    parser.add_argument("--session", default="corruption", help="the fault whose page somebody answers")
    parser.add_argument("--out", type=Path, help="a folder for the session and the pictures")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="canary-oncall-") as folder:
        play(scenario(asked.scenario), asked.speed, Path(folder), asked.session, asked.out)


def play(played: Scenario, speed: float, folder: Path, session: str, out: Path | None) -> None:
    print(f"{played.name}, {speed:g} times as fast; golden answers come first", flush=True)
    with stage(played, speed, folder) as running:
        print(f"it begins at {running.begins:%H:%M:%S}Z", flush=True)
        told: dict[str, Told] = {}
        while now() < running.real(played.end) and len(told) < len(played.file.expect.incidents):
            time.sleep(1.0)
            news = {name: one for name, one in paged(running).items() if name not in told}
            told |= news
            if session in news:
                answer(running, news[session].incident, out)
        show([_row(running, fault, one) for fault, one in told.items()])
        if out is not None:
            target = told[session].incident.findings[0].target
            for empty in boards.render(_source(running), target, "drill", out):
                print(f"no data: {empty}")


def paged(running: Stage) -> dict[str, Told]:
    """The faults of which both ways have told."""
    incidents = running.place.incidents()
    found = {}
    for expected in running.scenario.file.expect.incidents:
        began = running.real(truth(running.scenario, expected.fault).began)
        incident = incident_of(running.scenario, expected, incidents, began)
        if incident is not None and (told := running.pages.told(incident)) is not None:
            found[expected.fault] = told
    return found


def show(found: Sequence[Row]) -> None:
    """The table, as Markdown."""
    print(f"| {' | '.join(HEADS)} |\n|{' --- |' * len(HEADS)}")
    for row in found:
        print(f"| {' | '.join(row.cells)} |", flush=True)


def _source(running: Stage) -> Source:
    begin = running.begins - timedelta(seconds=LEAD)
    return Source(running.prometheus, boards.granted(running.place.store_url), begin, now())


def answer(running: Stage, incident: Incident, out: Path | None) -> None:
    """The session, and what is kept of it."""
    place = running.place
    time.sleep(WAKING)
    session = Session(place, running.pages.texts[incident.id], incident, neighbour(running, incident))
    evidence = place.folder / "oncall-evidence.svg"
    session.perform(evidence)
    print(session.transcript, flush=True)
    if out is not None:
        (out / "oncall.txt").write_text(session.transcript, "utf-8")
        (out / "oncall.svg").write_text(session.terminal("incident show"), "utf-8")
        shutil.copy(evidence, out)


def neighbour(running: Stage, incident: Incident) -> str:
    """A pool of the same platform that no incident speaks of; of the same model, if there is one."""
    model, platform, _ = incident.findings[0].target.split("/")
    touched = running.scenario.covered(*(one.target for one in running.place.incidents()))
    well = running.scenario.covered(f"*/{platform}/*") - touched
    return min(well, key=lambda name: (not name.startswith(f"{model}/"), name))


def _row(running: Stage, fault: str, told: Told) -> Row:
    began = running.real(truth(running.scenario, fault).began)
    (incident,) = [one for one in running.place.incidents() if one.id == told.incident.id]
    with running.place.store() as store:
        first = first_bad(running.scenario, store, fault, incident, began)
    return Row(fault, began, first, replace(told, incident=incident))


if __name__ == "__main__":
    main()
