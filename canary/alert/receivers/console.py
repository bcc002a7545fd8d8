"""Plain lines on a stream, for people and for logs of containers."""

from typing import TextIO

from canary.alert.told import Told
from canary.errors import DeliveryError
from canary.records import Notification, NotificationKind

_COLOURS = {
    NotificationKind.TRIGGER: "\x1b[1;31m",
    NotificationKind.UPDATE: "\x1b[33m",
    NotificationKind.ACKNOWLEDGE: "\x1b[36m",
    NotificationKind.RESOLVE: "\x1b[32m",
    NotificationKind.REPEAT: "\x1b[31m",
    NotificationKind.REMINDER: "\x1b[35m",
    NotificationKind.CHANGE: "\x1b[34m",
}
_PLAIN = "\x1b[0m"


class Console:
    """Writes each notification as a head line and indented lines."""

    def __init__(self, stream: TextIO, *, colour: bool = False) -> None:
        self._stream = stream
        self._colour = colour

    async def deliver(self, notification: Notification) -> None:
        try:
            self._stream.write(self.preview(notification) + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            raise DeliveryError("the stream cannot be written") from error

    def preview(self, notification: Notification) -> str:
        told = Told.of(notification)
        head, *rest = (_printable(line) for line in [*told.lines, *_answers(told)])
        title = f"{notification.kind.value.upper()} {notification.incident_id}"
        if self._colour:
            title = f"{_COLOURS[notification.kind]}{title}{_PLAIN}"
        return "\n".join((f"{title} {head}", *(f"    {line}" for line in rest)))


def _answers(told: Told) -> list[str]:
    return [f"answer   {one['slot']} {one['text']}" for one in told.answers]


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in line)
