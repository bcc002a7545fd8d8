"""Changes as other systems tell of them. Pure: text in, records out; whoever calls it reads the file or the request."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from canary.changes.argo import applications
from canary.changes.entry import Defaults
from canary.changes.flagger import canaries
from canary.changes.github import events
from canary.changes.gitlog import commits
from canary.changes.words import change_id, link, moment, one_line, scope
from canary.errors import ChangeError
from canary.records import Change

__all__ = ["MOST_BYTES", "Defaults", "Source", "change_id", "link", "moment", "one_line", "parse", "scope"]

MOST_BYTES = 10_000_000
MOST_CHANGES = 10_000


class Source(StrEnum):
    """Who tells of changes, and in which form."""

    GITHUB = "github"  # webhook events: deployment, deployment_status, push
    ARGO = "argo"  # Argo CD: Application resources with their sync history
    FLAGGER = "flagger"  # webhooks of type event
    GIT = "git"  # the output of plain `git log`


_PARSERS: Mapping[Source, Callable[[str, str, Defaults], tuple[Change, ...]]] = {
    Source.GITHUB: events,
    Source.ARGO: applications,
    Source.FLAGGER: canaries,
    Source.GIT: commits,
}


def parse(data: bytes, source: Source, *, name: str, defaults: Defaults | None = None) -> tuple[Change, ...]:
    """The changes told of in `data`, each once; what is no change (a failed check, a deleted branch) is left out.

    JSON may be one document, an array of them, or one after another (JSON lines). Ids are made of the source's own, so
    that the same event always has the same.

    Args:
        data: UTF-8.
        source: Who tells.
        name: What `data` is called in errors, such as the file's name.
        defaults: What the source does not say.

    Raises:
        ChangeError: It is not of this form, or too much; names the place and the key.
    """
    if len(data) > MOST_BYTES:
        raise ChangeError(f"{name}: is larger than {MOST_BYTES:,} bytes: import it in parts")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ChangeError(f"{name}:{line}: is not UTF-8: save it as UTF-8") from None
    found = {change.id: change for change in reversed(_PARSERS[source](text, name, defaults or Defaults()))}
    if len(found) > MOST_CHANGES:
        raise ChangeError(f"{name}: holds more than {MOST_CHANGES:,} changes: import it in parts")
    return tuple(reversed(found.values()))
