"""What of an incident is told first: its onset, its size, its place, a few pieces of evidence. Pure."""

import shlex
from collections.abc import Sequence
from itertools import zip_longest

from canary.alert.incident import unrecovered
from canary.alert.suspects import Suspect
from canary.records import Finding, Incident, Interval, burst_size

EVIDENCE_SHOWN = 3
SUSPECTS_SHOWN = 3
FAINT = 0.01
"""A change that is less probable is not worth a line."""

REPLAY_PROBES = 200


def first_onset(incident: Incident) -> Interval:
    """When the earliest of the findings began."""
    return min((finding.onset for finding in incident.findings), key=lambda onset: onset.best)


def last_worsening(incident: Incident) -> Interval | None:
    """When it last got worse."""
    found = (finding.worsened for finding in incident.findings if finding.worsened is not None)
    return max(found, key=lambda onset: onset.best, default=None)


def headline(incident: Incident) -> Finding:
    """The finding whose size is that of the incident.

    Of those that still stand, and speak of all of its part of the fleet where some do, the one of the largest share.
    """
    standing = unrecovered(incident) or incident.findings
    whole = [finding for finding in standing if place_of(finding) == incident.target]
    wide = [finding for finding in standing if finding.scope.includes(incident.scope)]
    return max(whole or wide or standing, key=lambda finding: finding.size.best)


def peak(incident: Incident) -> Finding:
    """Of the findings that still stand, the one of the largest share, in however small a part."""
    return max(unrecovered(incident) or incident.findings, key=lambda finding: finding.size.best)


def place_of(finding: Finding) -> str:
    """What its share is a share of: the answers from there."""
    return finding.blame.place.name if finding.blame else finding.series.target


def largest(incident: Incident) -> Finding:
    """The finding that shows the largest share of answers."""
    return max(incident.findings, key=lambda finding: finding.size.best)


def answers(group: str) -> str:
    """What shares in this probe group are shares of.

    >>> answers("onetoken@8")
    'bursts of 8 answers'
    """
    if group.startswith("feedback:"):
        return "windows of feedback"
    burst = burst_size(group)
    return "answers" if burst == 1 else f"bursts of {burst} answers"


def evidence(incident: Incident) -> tuple[str, ...]:
    """A few slot ids: the strongest of each finding first."""
    ranks = zip_longest(*(finding.evidence for finding in incident.findings))
    found = dict.fromkeys(slot_id for rank in ranks for slot_id in rank if slot_id is not None)
    return tuple(found)[:EVIDENCE_SHOWN]


def foremost(suspects: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """Of a ranking: the three most probable changes, without the faint ones, and "no recorded change" in its place."""
    changes = [suspect for suspect in suspects if suspect.change is not None and suspect.probability >= FAINT]
    shown = changes[:SUSPECTS_SHOWN]
    return tuple(suspect for suspect in suspects if suspect.change is None or suspect in shown)


def replay_command(incident: Incident) -> str:
    """The command that fires the incident's probes again."""
    words = ("canary", "replay", incident.id, "--target", largest(incident).target, "-n", str(REPLAY_PROBES))
    return shlex.join(words)
