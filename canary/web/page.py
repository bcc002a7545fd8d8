"""The status page: plain HTML, no script, nothing from elsewhere, everything escaped."""

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from html import escape
from pathlib import Path

from canary.alert.quiet import Quiet
from canary.alert.words import summary, text
from canary.records import Incident
from canary.web.status import Snapshot, TargetState, TargetStatus

REFRESH_SECONDS = 30

_SIGNS = {
    TargetState.INCIDENT: "✕",
    TargetState.UNREACHABLE: "∅",
    TargetState.STALE: "◷",
    TargetState.ACKNOWLEDGED: "◑",
    TargetState.SUPPRESSED: "–",
    TargetState.LEARNING: "…",
    TargetState.HEALTHY: "✓",
}


def render(snapshot: Snapshot) -> str:
    """The page."""
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">',
            f"<title>{_title(snapshot)}</title>",
            f"<style>{style()}</style></head><body>",
            _header(snapshot),
            _incidents(snapshot),
            _fleet(snapshot),
            _footer(snapshot),
            "</body></html>",
        )
    )


@cache
def style() -> str:
    """The style sheet, which stands in the page."""
    return Path(__file__).with_name("style.css").read_text(encoding="utf-8")


@cache
def style_digest() -> str:
    """The style sheet's digest as a Content-Security-Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()


def _title(snapshot: Snapshot) -> str:
    n = len(snapshot.incidents)
    return f"{n} open · Canary" if n else "Canary"


def _header(snapshot: Snapshot) -> str:
    colour, words = _verdict(snapshot)
    return (
        f"<header><h1>Canary</h1><p>{escape(snapshot.region)} · {_moment(snapshot.at)}</p></header>"
        f'<p class="verdict {colour}">{words}</p>'
    )


def _verdict(snapshot: Snapshot) -> tuple[str, str]:
    failing = [check.name for check in (*snapshot.live, *snapshot.ready) if not check.ok]
    if failing:
        return "bad", f"Canary itself is not well: {escape(', '.join(failing))}."
    if snapshot.incidents:
        quiet = f", {len(snapshot.silenced)} silenced" if snapshot.silenced else ""
        return "bad", f"{_count(len(snapshot.incidents), 'open incident')}{quiet}."
    counts = Counter(target.state for target in snapshot.targets)
    well = counts[TargetState.HEALTHY]
    if well == len(snapshot.targets):
        return "good", f"All {_count(well, 'target')} at baseline."
    return "unsure", f"No open incident; {well} of {_count(len(snapshot.targets), 'target')} watched in full."


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _incidents(snapshot: Snapshot) -> str:
    cards = "".join(_card(incident, snapshot.silenced.get(incident.id)) for incident in snapshot.incidents)
    return f"<h2>Open incidents</h2>{cards}" if cards else ""


def _card(incident: Incident, quiet: Quiet | None) -> str:
    colour = "suppressed" if incident.suppressed_by else incident.state.value
    lines = [*text(incident)[1:], *([f"quiet {quiet.words}"] if quiet is not None else [])]
    rows = "".join(map(_row, lines))
    return (
        f'<article class="{colour}" id="{escape(incident.id)}"><h3>{escape(summary(incident))}</h3>'
        f"<dl>{rows}<dt>story</dt><dd><code>canary incident show {escape(incident.id)}</code></dd></dl></article>"
    )


def _row(line: str) -> str:
    label, _, value = line.partition(" ")
    shown = escape(value.strip())
    return f"<dt>{label}</dt><dd>{f'<code>{shown}</code>' if label in {'evidence', 'replay'} else shown}</dd>"


def _fleet(snapshot: Snapshot) -> str:
    if not snapshot.targets:
        return '<h2>Fleet</h2><p class="dim">No target is configured.</p>'
    cells: dict[tuple[str, str], list[str]] = defaultdict(list)
    for target in sorted(snapshot.targets, key=lambda target: target.name):
        cells[target.model, target.platform].append(_pool(target, snapshot.at, _anchor(snapshot, target.name)))
    platforms = sorted({platform for _, platform in cells})
    head = "".join(f'<th scope="col">{escape(platform)}</th>' for platform in platforms)
    rows = "".join(_model(model, platforms, cells) for model in sorted({model for model, _ in cells}))
    return (
        f'<h2>Fleet</h2><div class="scroll"><table><thead><tr><th scope="col">model</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{_legend(snapshot.targets)}"
    )


def _anchor(snapshot: Snapshot, target: str) -> str | None:
    """The first incident in whose part of the fleet it is."""
    return next((one.id for one in snapshot.incidents if one.touches(target, snapshot.region)), None)


def _model(model: str, platforms: Iterable[str], cells: Mapping[tuple[str, str], list[str]]) -> str:
    row = "".join(_cell(cells.get((model, platform), [])) for platform in platforms)
    return f'<tr><th scope="row">{escape(model)}</th>{row}</tr>'


def _cell(pools: list[str]) -> str:
    return f'<td><ul class="pools">{"".join(pools)}</ul></td>' if pools else "<td></td>"


def _pool(target: TargetStatus, now: datetime, anchor: str | None) -> str:
    tag, link = ("span", "") if anchor is None else ("a", f' href="#{escape(anchor)}"')
    state = target.state
    return (
        f'<li><{tag}{link} class="pool {state.value}">{_SIGNS[state]} <b>{escape(target.pool)}</b>'
        f"<small>{_state(target)}</small>{_quiet(target)}{_escalated(target)}"
        f'<small class="dim">{_last(target, now)}</small></{tag}></li>'
    )


def _state(target: TargetStatus) -> str:
    if target.state is TargetState.LEARNING:
        return f"learning, {target.armed} of {target.series} armed"
    return target.state.value


def _quiet(target: TargetStatus) -> str:
    quiet = target.silenced
    if quiet is None:
        return ""
    part = "" if quiet.whole else "partly "
    return f'<small title="{escape(quiet.words)}">{part}{quiet.what} until {quiet.until:%m-%d %H:%M} UTC</small>'


def _escalated(target: TargetStatus) -> str:
    return f"<small>escalated: {escape(', '.join(target.escalated))}</small>" if target.escalated else ""


def _last(target: TargetStatus, now: datetime) -> str:
    return "no result yet" if target.last_result_at is None else f"{_ago(now - target.last_result_at)} ago"


def _ago(passed: timedelta) -> str:
    seconds = max(0, int(passed.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _legend(targets: Iterable[TargetStatus]) -> str:
    counts = Counter(target.state for target in targets)
    items = "".join(
        f'<span><b class="{state.value}">{sign} {counts[state]}</b> {state.value}</span>'
        for state, sign in _SIGNS.items()
        if counts[state]
    )
    return f'<p class="legend">{items}</p>'


def _footer(snapshot: Snapshot) -> str:
    return (
        f"<footer>canary {escape(snapshot.version)} · renewed every {REFRESH_SECONDS} s · "
        '<a href="/api/v1/status">JSON</a> · <a href="/metrics">metrics</a> · <a href="/freshz">freshness</a></footer>'
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
