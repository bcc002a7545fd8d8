"""Logs as lines of JSON: an event name plus facts, given as `extra`.

An exception shows its type and where it came from. Its message is shown only when it is ours: that of a library may
quote what it was given, and what it was given may be a prompt, an answer or a secret.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import TextIO

from typing_extensions import override

_OURS = "canary.errors"
_NOT_FACTS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


def set_up(stream: TextIO, level: int = logging.INFO) -> None:
    """Send every log of this process to `stream`, one JSON object a line."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)


class JsonLines(logging.Formatter):
    """One JSON object for each record."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **{name: fact for name, fact in record.__dict__.items() if name not in _NOT_FACTS},
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _error(record.exc_info[1])
        return json.dumps(line, default=str)


def _error(error: BaseException) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__)
    facts: dict[str, object] = {
        "type": type(error).__name__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if type(error).__module__ == _OURS:
        facts["message"] = str(error)
    if isinstance(error, BaseExceptionGroup):
        facts["errors"] = [_error(one) for one in error.exceptions]
    return facts
