"""Argo CD: Application resources (`kubectl get application -o json`, `argocd app get -o json`), alone or in lists.

Each sync in the history is a change, and so is the last operation, which may have failed half-way. The annotation
`canary/scope` says the application's scope.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from canary.changes.entry import Defaults, Entry, documents
from canary.records import Change, ChangeKind

_SHA, _WHOLE_SHA = 7, 40


@dataclass(frozen=True, slots=True)
class _Sync:
    started: Entry
    finished: Entry | None
    revision: Entry  # what holds it
    author: Entry | None
    phase: str = "Succeeded"


def applications(text: str, name: str, defaults: Defaults) -> tuple[Change, ...]:
    """Raises: ChangeError."""
    apps = (app for one in documents(text, name) for app in _each(one))
    return tuple(_change(app, sync, defaults) for app in apps for sync in _syncs(app))


def _each(document: Entry) -> Iterator[Entry]:
    listed = document.find("items")
    for app in listed.items() if listed is not None else (document,):
        if app.need("kind").text() != "Application":
            raise app.fault("is no Argo CD Application: export one with `kubectl get application NAME -o json`")
        yield app


def _syncs(app: Entry) -> Iterator[_Sync]:
    history, last = app.find("status", "history"), app.find("status", "operationState")
    for one in history.items() if history is not None else ():
        end = one.need("deployedAt")
        yield _Sync(one.find("deployStartedAt") or end, end, one, one.find("initiatedBy", "username"))
    result = last.find("syncResult") if last is not None else None
    if last is not None and result is not None:
        author = last.find("operation", "initiatedBy", "username")
        yield _Sync(last.need("startedAt"), last.find("finishedAt"), result, author, last.need("phase").text())


def _change(app: Entry, sync: _Sync, defaults: Defaults) -> Change:
    namespace, name = app.need("metadata", "namespace").text(), app.need("metadata", "name").text()
    own, at = app.find("metadata", "annotations", "canary/scope"), sync.started.moment()
    outcome = "" if sync.phase == "Succeeded" else f" ({sync.phase.lower()})"
    return Change(
        id=f"argo:{namespace}/{name}:{at.isoformat()}",
        kind=defaults.kind or ChangeKind.DEPLOY,
        at=at,
        summary=f"sync of {namespace}/{name} to {_revision(sync.revision)}{outcome}",
        scope=own.scope() if own is not None else defaults.scope,
        author=sync.author.text() if sync.author is not None else "",
        finished_at=sync.finished.moment() if sync.finished is not None else None,
    )


def _revision(said: Entry) -> str:
    """Of one source, or of several."""
    several = said.find("revisions")
    found = (
        [one.text() for one in several.items()]
        if several is not None and several.value
        else [said.need("revision").text()]
    )
    return ", ".join(revision[:_SHA] if len(revision) == _WHOLE_SHA else revision for revision in found)
