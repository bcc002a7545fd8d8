import io
import json
import logging

from canary.errors import CanaryError, StoreUnavailable
from canary.logs import JsonLines, set_up


def line(event: str = "alarm", **facts: object) -> dict[str, object]:
    record = logging.makeLogRecord({"name": "canary", "levelname": "INFO", "msg": event, "created": 0.0, **facts})
    parsed = json.loads(JsonLines().format(record))
    assert isinstance(parsed, dict)
    return parsed


def raised(error: Exception) -> dict[str, object]:
    def fail() -> None:
        raise error

    found: object = None
    try:
        fail()
    except Exception as caught:  # noqa: BLE001  the formatter takes any
        found = line(exc_info=(type(caught), caught, caught.__traceback__))["error"]
    assert isinstance(found, dict)
    return found


def test_a_record_is_an_event_with_its_facts() -> None:
    assert line(target="a/b/c", evidence=0.5) == {
        "at": "1970-01-01T00:00:00.000+00:00",
        "level": "info",
        "logger": "canary",
        "event": "alarm",
        "target": "a/b/c",
        "evidence": 0.5,
    }


def test_a_record_is_one_line_whatever_it_holds() -> None:
    record = logging.makeLogRecord({"msg": "a\nb", "who": "c\r\nd\u2028"})
    assert len(JsonLines().format(record).splitlines()) == 1


def test_what_json_does_not_know_is_written_as_text() -> None:
    assert line(when=CanaryError("no"))["when"] == "no"


def test_our_own_error_is_shown_with_its_message() -> None:
    assert raised(CanaryError("the disk is full"))["message"] == "the disk is full"


def test_the_message_of_a_foreign_error_is_not_shown() -> None:
    assert "s3cret" not in json.dumps(raised(ValueError("s3cret")))


def test_an_error_shows_where_it_came_from() -> None:
    assert str(raised(ValueError())["at"]).endswith(" fail']")


def test_a_group_shows_each_of_its_errors() -> None:
    group = raised(ExceptionGroup("s3cret", [ValueError("s3cret"), StoreUnavailable("busy")]))
    assert [one["type"] for one in group["errors"]] == ["ValueError", "StoreUnavailable"]  # type: ignore[attr-defined]


def test_every_logger_writes_to_the_stream_that_was_set_up() -> None:
    stream, root = io.StringIO(), logging.getLogger()
    before, level = list(root.handlers), root.level
    for handler in before:  # `set_up` closes those that it finds
        root.removeHandler(handler)
    try:
        set_up(stream, logging.INFO)
        logging.getLogger("canary.any").info("alarm", extra={"target": "a/b/c"})
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert json.loads(stream.getvalue())["target"] == "a/b/c"
