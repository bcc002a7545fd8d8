"""An incident in words for a person. Pure."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from canary.alert.gist import (
    FAINT,
    answers,
    evidence,
    first_onset,
    foremost,
    headline,
    last_worsening,
    place_of,
    replay_command,
)
from canary.alert.incident import unrecovered
from canary.alert.suspects import Suspect, Suspects
from canary.records import Finding, Incident, IncidentState, Interval, Symptom

UNRANKED = Suspects()
BLAMES_SHOWN = 3
_SURE = math.log(1e6)

_IN_WORDS: Mapping[Symptom, str] = {
    Symptom.CORRUPTION: "output corruption: text that should not be there",
    Symptom.DEVIATION: "deviation: token probabilities are not those of the baseline",
    Symptom.SELECTION: "token selection: the most probable token is dropped",
    Symptom.SHAPE: "shape: answers are empty, cut, looping or otherwise not of the expected form",
    Symptom.AVAILABILITY: "availability: no usable answer",
}


def text(incident: Incident, suspects: Suspects = UNRANKED) -> list[str]:
    """The incident in plain lines for a person."""
    since = first_onset(incident)
    return [
        summary(incident),
        f"state    {_state(incident)}",
        *(f"what     {line}" for line in _symptoms(incident)),
        f"where    {_where(incident)}",
        *(f"         {line}" for line in _blames(incident)),
        f"since    {when(since)}{_first(incident)}",
        f"size     {size_in_words(incident)}",
        f"evidence {', '.join(evidence(incident)) or 'none kept'}",
        *(f"suspect  {suspect_in_words(suspect)}" for suspect in foremost(suspects.onset)),
        *_worsening_in_words(incident, suspects),
        f"replay   {replay_command(incident)}",
    ]


def summary(incident: Incident) -> str:
    """One line: what, where, how big."""
    symptoms = " and ".join(sorted({finding.symptom.value for finding in incident.findings}))
    size, of = headline(incident).size, _answers(incident)
    return f"{symptoms} on {incident.target}: {_share(size.best)} of {of} ({_share(size.low)} to {_share(size.high)})"


def links_in_words(links: Mapping[str, str]) -> list[str]:
    return [f"{'see' if name == 'dashboard' else name:<8} {link}" for name, link in links.items()]


def suspect_in_words(suspect: Suspect) -> str:
    change, chance = suspect.change, _chance(suspect.probability)
    if change is None:
        return f"{chance} no recorded change ({suspect.reason})"
    link = f" {change.link}" if change.link else ""
    author = f" by {change.author}" if change.author else ""
    what = f'{change.kind.value} "{change.summary}" on {change.scope.name}{author}, {_second(change.at)} UTC'
    return f"{chance} {what} ({suspect.reason}){link}"


def size_in_words(incident: Incident) -> str:
    found = headline(incident)
    size = found.size
    return (
        f"{_share(size.best)} of {_answers(incident)}, {size.confidence:.0%} confidence interval "
        f"{_share(size.low)} to {_share(size.high)}, {size.answers} {answers(found.group)} seen"
    )


def when(interval: Interval) -> str:
    return f"{_second(interval.best)} UTC (between {_second(interval.low)} and {_second(interval.high)})"


def _worsening_in_words(incident: Incident, suspects: Suspects) -> list[str]:
    since = last_worsening(incident)
    if since is None:
        return []
    named = (f"suspect  {suspect_in_words(suspect)}" for suspect in foremost(suspects.worsening))
    return [f"worse    since {when(since)}", *named]


def _chance(probability: float) -> str:
    if probability < FAINT:
        return f"under {FAINT:.0%}"
    return f"over {1.0 - FAINT:.0%}" if 1.0 - FAINT < probability < 1.0 else f"{probability:.0%}"


def _symptoms(incident: Incident) -> list[str]:
    lines = []
    for symptom in Symptom:
        signals = sorted({finding.series.signal for finding in incident.findings if finding.symptom is symptom})
        if signals:
            lines.append(f"{_IN_WORDS[symptom]} ({', '.join(signal.replace('_', ' ') for signal in signals)})")
    return lines


def _where(incident: Incident) -> str:
    parts = (("model", incident.model), ("platform", incident.platform), ("pool", incident.pool))
    return ", ".join(f"any {what}" if name == "*" else f"{what} {name}" for what, name in parts)


def _answers(incident: Incident) -> str:
    """What the size is a share of; the place where it is not that of the incident as a whole."""
    found = headline(incident)
    place = place_of(found)
    return answers(found.group) if place == incident.target else f"{answers(found.group)} of {place}"


def _first(incident: Incident) -> str:
    """In what, where not everything began at once: suspects are of that."""
    since = first_onset(incident)
    together = {one.series.signal for one in incident.findings if one.onset.low <= since.high}
    if len(together) == len({one.series.signal for one in incident.findings}):
        return ""
    return f", first in {', '.join(sorted(signal.replace('_', ' ') for signal in together))}"


def _blames(incident: Incident) -> list[str]:
    """Why there, in words; of which signals, where not all speak of the same place."""
    places: dict[str, list[Finding]] = {}
    for finding in unrecovered(incident) or incident.findings:
        if finding.blame is not None:
            places.setdefault(place_of(finding), []).append(finding)
    foremost = sorted(places.values(), key=lambda found: -max(one.size.best for one in found))[:BLAMES_SHOWN]
    return [line for found in foremost for line in _blame(found, alone=len(places) == 1)]


def _blame(found: Sequence[Finding], *, alone: bool) -> list[str]:
    blame = max(found, key=lambda one: one.size.best).blame
    if blame is None or blame.runner_up is None:
        return []
    signals = ", ".join(sorted({one.series.signal.replace("_", " ") for one in found}))
    what = "it" if alone else signals
    return [
        f"smallest part that explains {what}: {blame.place.name}; next {blame.runner_up.name}, {_odds(blame.margin)}"
    ]


def _odds(margin: float) -> str:
    if margin > _SURE:
        return "more than 10^6 times less likely"
    times = float(f"{math.exp(margin):.2g}")
    return f"{times:,.{0 if times >= 10.0 else 1}f} times less likely"


def _state(incident: Incident) -> str:
    person = incident.resolved_by if incident.state is IncidentState.RESOLVED else incident.acknowledged_by
    words = [f"{incident.state.value} by {person}" if person else incident.state.value]
    if incident.flapping:
        words.append(f"flapping, reopened {incident.reopened} times")
    if incident.suppressed_by:
        words.append(f"suppressed by {incident.suppressed_by}")
    return ", ".join(words)


def _share(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
