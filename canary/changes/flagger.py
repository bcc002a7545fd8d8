"""Flagger's webhooks of type `event`. Those that move nothing (a check passed, an advance halted) are left out.

The webhook's own metadata may say the scope: `metadata: {scope: "mid/api/*"}`.
"""

from canary.changes.entry import Defaults, Entry, documents
from canary.records import Change, ChangeKind

_TRAFFIC = ("Advance ", "Routing all traffic", "Rolling back ")
_SERVERS = ("New revision detected", "Copying ", "Promotion completed", "Canary failed")
_MILLISECONDS = 1_000


def canaries(text: str, name: str, defaults: Defaults) -> tuple[Change, ...]:
    """Raises: ChangeError."""
    return tuple(_change(event, defaults) for event in documents(text, name) if _moves_something(event))


def _moves_something(event: Entry) -> bool:
    return _message(event).startswith((*_TRAFFIC, *_SERVERS))


def _message(event: Entry) -> str:
    message = event.find("metadata", "eventMessage")
    if message is None:
        raise event.fault("metadata.eventMessage is missing: give the webhook `type: event`")
    return message.text()


def _change(event: Entry, defaults: Defaults) -> Change:
    message, own = _message(event), event.find("metadata", "scope")
    canary = f"{event.need('namespace').text()}/{event.need('name').text()}"
    stamp = event.need("metadata", "timestamp")
    written = stamp.text()
    if not (written.isascii() and written.isdigit() and len(written) < 20):
        raise stamp.fault("should be milliseconds since 1970, as digits")
    return Change(
        id=f"flagger:{canary}:{written}:{message.split()[0].lower()}",
        kind=defaults.kind or (ChangeKind.ROUTING if message.startswith(_TRAFFIC) else ChangeKind.ROLLOUT),
        at=Entry(int(written), stamp.place, stamp.key).epoch(per_second=_MILLISECONDS),
        summary=message,
        scope=own.scope() if own is not None else defaults.scope,
        author="flagger",
    )
