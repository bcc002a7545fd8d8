"""The table of receivers."""

from typing import TextIO, assert_never

from canary.alert.receivers.base import Receiver
from canary.alert.receivers.console import Console
from canary.alert.receivers.webhook import Webhook
from canary.alert.routing import ReceiverKind, ReceiverSpec
from canary.clock import Clock
from canary.http import Http

__all__ = ["Receiver", "build"]


def build(spec: ReceiverSpec, *, http: Http, clock: Clock, stream: TextIO) -> Receiver:
    """The receiver that `spec` describes; `stream` is where a console writes."""
    match spec.kind:
        case ReceiverKind.WEBHOOK:
            return Webhook(spec.url, secret=spec.secret, http=http, clock=clock)
        case ReceiverKind.CONSOLE:
            return Console(stream, colour=stream.isatty())
        case _:
            assert_never(spec.kind)
