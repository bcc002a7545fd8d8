"""A drill as one self-contained HTML page: truth against incidents, evidence, delays, common rules. And as pictures."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from pathlib import Path

from canary.draw import drawn, png, svg
from canary.draw.marks import Picture
from canary.drill.judge import Delay, Outcome, Ranked
from canary.drill.perform import Report, of_bursts
from canary.drill.scenario import Scenario
from canary.drill.timeline import timeline

PAGE = "index.html"
_STYLE = """
body { font: 15px/1.5 ui-sans-serif, system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } th, td { text-align: left; padding: .25rem .9rem .25rem 0 }
th, td { border-bottom: 1px solid #8884; vertical-align: top } svg { max-width: 100%; height: auto }
.yes { color: #1a7f37 } .no { color: #b91c1c; font-weight: bold } small { color: #656d76 }
@media (prefers-color-scheme: dark) { body { background: #0f1419; color: #e6edf3 } .no { color: #ff7b72 } }
"""


def write(scenario: Scenario, report: Report, folder: Path, *, pngs: bool = False) -> None:
    """`index.html`, and each picture as SVG, and as PNG where that is wanted.

    Raises:
        OSError: the folder cannot be written to.
        CanaryError: PNG is wanted, and Pillow is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = dict(_pictures(scenario, report))
    for name, picture in pictures.items():
        (folder / f"{name}.svg").write_text(svg(picture), encoding="utf-8")
        if pngs:
            (folder / f"{name}.png").write_bytes(png(picture))
    (folder / PAGE).write_text(page(report, list(pictures.values())), encoding="utf-8")


def page(report: Report, pictures: Sequence[Picture]) -> str:
    """The whole document; nothing in it refers to another file."""
    held = report.judgement.held
    parts = [
        f"<h1>{escape(report.name)}</h1><p>{escape(report.why)}</p>",
        f'<p class="{_mark(held)}">{"as expected" if held else "not as expected"}</p>',
        f"<p>{_sums(report)}</p>",
        *(f"<p>{escape(line)}.</p>" for line in of_bursts(report)),
        *map(svg, pictures[:1]),
        _table(
            ("fault", "incident", "opened", "after", "probes", "tokens", "suspects", *_noted(report)), _found(report)
        ),
        _table(("", "expected", "found"), _checks(report)),
        "<h2>Common rules, on the same scores</h2>",
        _table(("rule", "false alarms", *_faults(report)), _rules(report)),
        "<h2>Evidence</h2>",
        *map(svg, pictures[1:]),
    ]
    body = "\n".join(parts)
    head = f'<meta charset="utf-8"><title>canary drill: {escape(report.name)}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _pictures(scenario: Scenario, report: Report) -> Iterator[tuple[str, Picture]]:
    yield "timeline", timeline(scenario, report.judgement)
    for one in report.pictures:
        yield f"incident-{one.incident}", drawn(f"incident {one.incident}", one.charts, one.notes)


def _sums(report: Report) -> str:
    judgement = report.judgement
    return (
        f"{_minute(report.begin)} to {_minute(report.end)}, {report.targets} targets, {report.armed} series armed, "
        f"{report.learning} learning, seed {report.seed}. {report.runs:,} runs, {report.tokens:,} tokens, and "
        f"{report.golden_tokens:,} tokens of golden answers. False alarms: {len(judgement.false)}; the budget of this "
        f"time allows {judgement.budget:.2g} on average."
    )


def _found(report: Report) -> Iterator[Sequence[str]]:
    for outcome in report.judgement.outcomes:
        name = escape(outcome.expected.fault)
        for one in outcome.incidents:
            ranking = one.worsening if outcome.expected.worsening else one.suspects
            delay = outcome.delay if one is outcome.incidents[0] else None
            told = (name, escape(one.where), _minute(one.opened_at), *_spent(delay), escape(_suspects(ranking)))
            yield (*told, *_noticed(outcome, one.opened_at)) if _noted(report) else told
        if not outcome.incidents:
            yield name, "none", *[""] * (5 + len(_noted(report)))


def _noted(report: Report) -> tuple[str, ...]:
    """A column for when the real incidents were noticed, if any was."""
    return ("noticed in fact",) if any(outcome.noticed for outcome in report.judgement.outcomes) else ()


def _noticed(outcome: Outcome, opened_at: datetime) -> tuple[str]:
    if outcome.noticed is None:
        return ("",)
    return (f"{_minute(outcome.noticed)}, {(outcome.noticed - opened_at) / timedelta(days=1):.1f} days later",)


def _spent(delay: Delay | None) -> tuple[str, str, str]:
    if delay is None:
        return "", "", ""
    return f"{delay.time / timedelta(hours=1):.2f} h", f"{delay.probes:,}", f"{delay.tokens:,}"


def _suspects(ranking: Sequence[Ranked]) -> str:
    return ", ".join(f"{one.change or 'no recorded change'} {one.probability:.0%}" for one in ranking[:4])


def _checks(report: Report) -> Iterator[Sequence[str]]:
    judgement = report.judgement
    for check in [*(check for outcome in judgement.outcomes for check in outcome.checks), *judgement.checks]:
        mark = f'<span class="{_mark(check.held)}">{"✓" if check.held else "✗"}</span>'
        yield mark, escape(check.what), escape(check.found)


def _rules(report: Report) -> Iterator[Sequence[str]]:
    for rule in report.rules:
        delays = (rule.delays[fault] for fault in _faults(report))
        told = ("never" if delay is None else f"{delay / timedelta(hours=1):.2f} h" for delay in delays)
        yield escape(rule.rule), f"{rule.false_alarms:,}", *told


def _faults(report: Report) -> list[str]:
    return [outcome.expected.fault for outcome in report.judgement.outcomes]


def _mark(held: bool) -> str:  # noqa: FBT001  one question, one answer
    return "yes" if held else "no"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"


def _table(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """Of cells that are escaped already."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
