"""Webhook events of GitHub: deployment, deployment_status, push.

A deployment's own `payload` may say its scope: {"scope": "mid/api/*"}. A push is recorded as "other", since by itself
it reaches no server; say the kind where yours does.
"""

from collections.abc import Iterator

from canary.changes.entry import Defaults, Entry, documents
from canary.records import Change, ChangeKind

_SHA = 7
_NO_COMMIT = "0" * 40


def events(text: str, name: str, defaults: Defaults) -> tuple[Change, ...]:
    """Raises: ChangeError."""
    return tuple(change for event in documents(text, name) for change in _event(event, defaults))


def _event(event: Entry, defaults: Defaults) -> Iterator[Change]:
    if event.find("deployment") is not None:
        yield _deployment(event, defaults)
    elif event.find("after") is None:
        raise event.fault("is neither a deployment nor a push: give the body of a GitHub webhook as it came")
    elif event.need("after").text() != _NO_COMMIT:  # else a branch was deleted
        yield _push(event, defaults)


def _deployment(event: Entry, defaults: Defaults) -> Change:
    made, repository = event.need("deployment"), event.need("repository", "full_name").text()
    ref, environment = made.need("ref").text(), made.need("environment").text()
    payload = made.find("payload")
    own = payload.find("scope") if payload is not None and payload.is_object() else None
    author, address = made.find("creator", "login"), event.find("repository", "html_url")
    succeeded = _state(event) == "success"
    return Change(
        id=f"github:{repository}:deployment:{made.need('id').number()}",
        kind=defaults.kind or ChangeKind.DEPLOY,
        at=made.need("created_at").moment(),
        summary=f"{repository} {ref} ({made.need('sha').text()[:_SHA]}) to {environment}",
        scope=own.scope() if own is not None else defaults.scope,
        link=f"{address.link()}/deployments" if address is not None else "",
        author=author.text() if author is not None else "",
        finished_at=event.need("deployment_status", "created_at").moment() if succeeded else None,
    )


def _state(event: Entry) -> str:
    state = event.find("deployment_status", "state")
    return state.text() if state is not None else ""


def _push(event: Entry, defaults: Defaults) -> Change:
    repository, after = event.need("repository", "full_name").text(), event.need("after").text()
    pushed, head = event.find("repository", "pushed_at"), event.need("head_commit")
    author, compare = event.find("pusher", "name"), event.find("compare")
    branch = event.need("ref").text().removeprefix("refs/heads/")
    return Change(
        id=f"github:{repository}:push:{after}",
        kind=defaults.kind or ChangeKind.OTHER,
        at=pushed.epoch() if pushed is not None else head.need("timestamp").moment(),
        summary=f"{repository} {branch}: {head.need('message').text()}",
        scope=defaults.scope,
        link=compare.link() if compare is not None else "",
        author=author.text() if author is not None else "",
    )
