"""Plain lines on a stream, for people and for logs of containers."""

import json
from typing import TextIO

from canary.errors import DeliveryError
from canary.records import Notification, NotificationKind

_COLOURS = {
    NotificationKind.TRIGGER: "\x1b[1;31m",
    NotificationKind.UPDATE: "\x1b[33m",
    NotificationKind.ACKNOWLEDGE: "\x1b[36m",
    NotificationKind.RESOLVE: "\x1b[32m",
}
_PLAIN = "\x1b[0m"


class Console:
    """Writes each notification as a head line and indented lines."""

    def __init__(self, stream: TextIO, *, colour: bool = False) -> None:
        self._stream = stream
        self._colour = colour

    async def deliver(self, notification: Notification) -> None:
        head, *rest = (_printable(line) for line in json.loads(notification.body)["text"])
        title = f"{notification.kind.value.upper()} {notification.incident_id}"
        if self._colour:
            title = f"{_COLOURS[notification.kind]}{title}{_PLAIN}"
        lines = (f"{title} {head}", *(f"    {line}" for line in rest))
        try:
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            raise DeliveryError("the stream cannot be written") from error


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in line)
