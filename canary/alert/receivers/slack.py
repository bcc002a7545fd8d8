"""Slack, by an incoming webhook: its URL is the secret. One message for each notification, or for those of a group."""

from collections.abc import Sequence
from itertools import accumulate, takewhile

from canary.alert.receivers.request import Request, send, shown
from canary.alert.specs import SlackSpec
from canary.alert.told import Told
from canary.alert.wording import Wording
from canary.http import Http
from canary.records import Notification

HEADER, SECTION, BLOCKS = 150, 3_000, 50
"""Slack's limits: characters of a header and of a section, and blocks."""

_DIGESTED = 10


class Slack:
    """What happened as a header, then sections; nothing in it is read as markup that the fleet could have written."""

    def __init__(self, spec: SlackSpec, *, http: Http) -> None:
        self._spec = spec
        self._http = http

    async def deliver(self, notification: Notification) -> None:
        await send(self._http, self._request(self._message(Told.of(notification))))

    async def digest(self, notifications: Sequence[Notification]) -> None:
        await send(self._http, self._request(self._summary([Told.of(one) for one in notifications])))

    def preview(self, notification: Notification) -> str:
        return shown(self._request(self._message(Told.of(notification))), url_is_secret=True)

    def _request(self, facts: object) -> Request:
        return Request.of_json("POST", self._spec.url, facts)

    def _message(self, told: Told) -> dict[str, object]:
        title = self._spec.wording.head(told)
        if self._spec.wording.text is None:
            sections = [*_facts(told), *_answers(told)]
        else:
            sections = [_section(self._spec.wording.body(told, escaped))]
        return {"text": escaped(title), "blocks": [_header(title), *sections][:BLOCKS]}

    def _summary(self, all_told: Sequence[Told]) -> dict[str, object]:
        title = f"{len(all_told)} notifications: {', '.join(sorted({told.status for told in all_told}))}"
        sections = [_section(_digested(told, self._spec.wording)) for told in all_told[:_DIGESTED]]
        left = len(all_told) - _DIGESTED
        more = [_section(f"and {left} more: `canary incident list`")] if left > 0 else []
        return {"text": escaped(title), "blocks": [_header(title), *sections, *more]}


def escaped(text: str) -> str:
    """As Slack wants the three characters that it reads; a backtick, which would end code and has no escape, as "ˋ"."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "ˋ")


def _code(text: str, most: int) -> str:
    """As code of at most so many characters, cut between letters and not within an escape."""
    parts = [escaped(letter) for letter in text]
    kept = takewhile(lambda length: length <= most - 6, accumulate(map(len, parts)))
    return f"```{''.join(parts[: len(tuple(kept))])}```"


def _facts(told: Told) -> list[dict[str, object]]:
    lines = [line for line in told.lines[1:] if not line.startswith(("replay ", "see ", "runbook "))]
    quoted = _section(_code("\n".join(lines), SECTION)) if lines else None
    replay = told.facts["replay"]
    rest = " | ".join(
        [f"<{_url(link)}|{name}>" for name, link in told.links.items()] + ([f"`{escaped(replay)}`"] if replay else [])
    )
    return [block for block in (quoted, _section(rest) if rest else None) if block is not None]


def _answers(told: Told) -> list[dict[str, object]]:
    return [_section(f"answer {escaped(one['slot'])}\n{_code(one['text'], 2_000)}") for one in told.answers]


def _digested(told: Told, wording: Wording) -> str:
    links = " ".join(f"<{_url(link)}|{name}>" for name, link in told.links.items())
    return f"*{wording.head(told, escaped)}*\n`canary incident show {told.id}` {links}"


def _url(link: str) -> str:
    return escaped(link).replace("|", "%7C")


def _header(title: str) -> dict[str, object]:
    return {"type": "header", "text": {"type": "plain_text", "text": _cut(title, HEADER)}}


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, SECTION)}}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
