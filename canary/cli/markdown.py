"""A summary that CI servers show on a run's page: Markdown."""

from collections.abc import Mapping

_SIGNS = {"pass": "\N{WHITE HEAVY CHECK MARK}", "fail": "\N{CROSS MARK}"}
_UNSURE = "\N{BLACK QUESTION MARK ORNAMENT}"


def summary(verdict: str, line: str, worst: str, signals: Mapping[str, str]) -> str:
    """The verdict as a heading, what it says, and a row for each signal; of a fail, the worst is marked.

    >>> print(summary("fail", "mid/api/canary after 64 runs", "prose/script", {"prose/script": "3 events"}))
    ### \N{CROSS MARK} canary gate: fail
    <BLANKLINE>
    mid/api/canary after 64 runs
    <BLANKLINE>
    | signal | what it showed |
    | --- | --- |
    | **prose/script** | 3 events |
    <BLANKLINE>
    """
    rows = [f"| {_marked(name, verdict, worst)} | {_plain(showed)} |" for name, showed in signals.items()]
    table = ["| signal | what it showed |", "| --- | --- |", *rows, ""] if rows else []
    return "\n".join([f"### {_SIGNS.get(verdict, _UNSURE)} canary gate: {verdict}", "", _plain(line), "", *table])


def _marked(name: str, verdict: str, worst: str) -> str:
    return f"**{_plain(name)}**" if verdict == "fail" and name == worst else _plain(name)


def _plain(text: str) -> str:
    """Names and numbers; nothing in them is markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
