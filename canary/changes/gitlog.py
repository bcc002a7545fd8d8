"""The output of plain `git log`, with any `--date` that names a zone.

The time is the commit's where `--format=fuller` shows it, else the author's. Mail addresses are not kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from canary.changes.entry import Defaults
from canary.changes.words import one_line
from canary.errors import ChangeError
from canary.records import Change, ChangeKind

_COMMIT = re.compile(r"commit ([0-9a-f]{7,64})(?: \(.*\))?")
_HEAD = re.compile(r"(Merge|Author|AuthorDate|Commit|CommitDate|Date|Reflog|Reflog message): *(.*)")
_DATES = (  # the default, --date=iso-strict, iso, rfc
    "%a %b %d %H:%M:%S %Y %z",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %z",
)
_SHA = 7


@dataclass(slots=True)
class _Commit:
    sha: str
    line: int
    heads: dict[str, tuple[str, int]] = field(default_factory=dict)
    message: list[str] = field(default_factory=list)


def commits(text: str, name: str, defaults: Defaults) -> tuple[Change, ...]:
    """Raises: ChangeError."""
    return tuple(_change(commit, name, defaults) for commit in _commits(text, name))


def _commits(text: str, name: str) -> Iterator[_Commit]:
    commit: _Commit | None = None
    for number, line in enumerate((line.rstrip("\r") for line in text.split("\n")), start=1):
        begins = _COMMIT.fullmatch(line)
        if begins is not None:
            if commit is not None:
                yield commit
            commit = _Commit(begins[1], number)
        elif line and (commit is None or not _take(commit, line, number)):
            raise ChangeError(
                f"{name}:{number}: is not a line of plain `git log`: leave out --stat, --patch and --graph"
            )
    if commit is not None:
        yield commit


def _take(commit: _Commit, line: str, number: int) -> bool:
    """Whether the line can belong to the commit, which then has it."""
    head = _HEAD.fullmatch(line)
    if head is not None and not commit.message:
        commit.heads[head[1]] = (head[2], number)
    elif line.startswith("    "):
        commit.message.append(line.strip())
    else:
        return line.startswith("Notes")
    return True


def _change(commit: _Commit, name: str, defaults: Defaults) -> Change:
    dated = next((commit.heads[key] for key in ("CommitDate", "Date") if key in commit.heads), None)
    if dated is None:
        raise ChangeError(f"{name}:{commit.line}: this commit has no date: use plain `git log`, without --oneline")
    author, _ = commit.heads.get("Author", ("", 0))
    title = one_line("\n".join(commit.message)) or "(no message)"
    return Change(
        id=f"git:{commit.sha}",
        kind=defaults.kind or ChangeKind.OTHER,
        at=_date(*dated, name),
        summary=f"{title} ({commit.sha[:_SHA]})",
        scope=defaults.scope,
        author=one_line(re.sub(r"\s*<[^<>]*>$", "", author)),
    )


def _date(text: str, line: int, name: str) -> datetime:
    for form in _DATES:
        try:
            return datetime.strptime(text, form).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    fault = f'"{one_line(text)}" is no date with a zone: use plain `git log`, or --date=iso-strict'
    raise ChangeError(f"{name}:{line}: {fault}")
