"""Truth against incidents on one axis of time: each fault as tall as its share, each incident as long as it lasted."""

from collections.abc import Iterator
from datetime import datetime

from canary.draw.marks import Ink, Label, Mark, Path, Picture, Shape, box
from canary.draw.scale import Span, time_ticks
from canary.drill.judge import Judgement, Told
from canary.drill.scenario import Scenario, Truth

_WIDTH, _LEFT, _RIGHT, _HEAD, _ROW, _FOOT = 960.0, 250.0, 24.0, 44.0, 34.0, 40.0
_POINTS = 400


def timeline(scenario: Scenario, judgement: Judgement) -> Picture:
    """A row for each fault, for each noted day, and for each incident; changes are vertical lines."""
    told = [one for outcome in judgement.outcomes for one in outcome.incidents]
    incidents = [*told, *judgement.unexpected, *judgement.false]
    across = Span(scenario.begin.timestamp(), scenario.end.timestamp(), _LEFT, _WIDTH - _RIGHT)
    rows = len(scenario.truths) + len(incidents)
    lower = _HEAD + _ROW * rows
    noted = [(scenario.moment(note.at), note.what) for note in scenario.file.history]
    height = lower + _FOOT + 18.0 * (len(scenario.changes) + len(noted))
    title = f"{scenario.name}: what was wrong, and what was found"
    marks: list[Mark] = [box(0.0, 0.0, _WIDTH, height, Ink.PAPER), Label((16.0, 26.0), title, size=16.0)]
    for at, truth in enumerate(scenario.truths):
        marks += _fault(truth, scenario, across, _HEAD + _ROW * at)
    for at, one in enumerate(incidents):
        marks += _incident(one, scenario.end, across, _HEAD + _ROW * (len(scenario.truths) + at))
    marks += _axis(scenario, across, lower)
    marks += _lines(scenario, noted, across, lower)
    return Picture(_WIDTH, height, title, tuple(marks))


def _fault(truth: Truth, scenario: Scenario, across: Span, top: float) -> Iterator[Mark]:
    floor = top + _ROW - 6.0
    step = (scenario.end - scenario.begin) / _POINTS
    moments = [scenario.begin + step * at for at in range(_POINTS + 1)]
    shares = [truth.share(moment) for moment in moments]
    most = max(shares) or 1.0
    over = [(across.place(m.timestamp()), floor - 22.0 * s / most) for m, s in zip(moments, shares, strict=True)]
    yield Label((_LEFT - 8.0, floor - 4.0), f"{truth.name} {truth.plan.where}", Ink.TEXT, "end", 11.0)
    yield Shape(((over[0][0], floor), *over, (over[-1][0], floor)), Ink.ONSET)
    yield Path(tuple(over), Ink.EVENT)
    yield Label((_WIDTH - _RIGHT, top + 10.0), f"at most {most:.3g}", Ink.FAINT, "end", 10.0)


def _incident(one: Told, end: datetime, across: Span, top: float) -> Iterator[Mark]:
    middle = top + _ROW / 2.0
    left = across.place(one.opened_at.timestamp())
    right = across.place(min(end, one.resolved_at or end).timestamp())
    yield Label((_LEFT - 8.0, middle + 4.0), f"incident {one.where}", Ink.TEXT, "end", 11.0)
    yield box(left, middle - 5.0, max(right, left + 2.0), middle + 5.0, Ink.EVIDENCE if one.causes else Ink.ALARM)


def _axis(scenario: Scenario, across: Span, lower: float) -> Iterator[Mark]:
    yield Path(((across.begin, lower), (across.end, lower)), Ink.FAINT)
    for moment, text in time_ticks(scenario.begin, scenario.end, 8):
        place = across.place(moment.timestamp())
        yield Path(((place, lower), (place, lower + 4.0)), Ink.FAINT)
        yield Label((place, lower + 18.0), text, Ink.FAINT, "middle", 11.0)


def _lines(scenario: Scenario, noted: list[tuple[datetime, str]], across: Span, lower: float) -> Iterator[Mark]:
    """Changes by letter, and what happened on record by number; both are spelt out below."""
    changes = [(change.at, chr(ord("a") + at % 26), change.summary) for at, change in enumerate(scenario.changes)]
    notes = [(when, str(at + 1), what) for at, (when, what) in enumerate(noted)]
    rows = [(*one, Ink.CHANGE) for one in changes] + [(*one, Ink.THRESHOLD) for one in notes]
    for row, (when, letter, words, ink) in enumerate(rows):
        yield Label(
            (16.0, lower + _FOOT + 14.0 + 18.0 * row), f"{letter}  {when:%Y-%m-%d %H:%M}Z  {words}", ink, size=11.0
        )
        if scenario.begin <= when <= scenario.end:
            place = across.place(when.timestamp())
            yield Path(((place, _HEAD - 6.0), (place, lower)), ink)
            yield Label((place + 3.0, _HEAD), letter, ink, size=10.0)
