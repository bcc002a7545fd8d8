"""What a daemon elsewhere says cannot steer the terminal of whoever asks it, nor pass as a crash."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.integration.test_cli_remote import Both, both

__all__ = ["both"]

BELL, TURNED = "\x07", "\u202e"


def poisoned(document: Any, key: str = "") -> Any:
    """Every text that is shown as it came, with what rings, and what turns the line around."""
    if isinstance(document, dict):
        read = {"matchers"} if key == "silenced" else {"state", "kind"}  # others are refused
        return {name: value if name in read else poisoned(value, name) for name, value in document.items()}
    if isinstance(document, list):
        return [poisoned(value, key) for value in document]
    if not isinstance(document, str) or is_moment(document):
        return document
    return f"{document}[red]{BELL}{TURNED}"


def is_moment(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text))
    except ValueError:
        return False


@contextmanager
def between(url: str, spoil: Any) -> Iterator[str]:
    """Stands before the daemon and spoils its answers."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            kept = {name: self.headers[name] for name in ("authorization", "content-type") if name in self.headers}
            answer = httpx.request(self.command, url + self.path, headers=kept, content=body)
            spoilt = json.dumps(spoil(answer.json())).encode()
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(spoilt)))
            self.end_headers()
            self.wfile.write(spoilt)

        def do_GET(self) -> None:
            self._handle()

        def do_POST(self) -> None:
            self._handle()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


WORDS = [
    ("status",),
    ("incident", "list"),
    ("incident", "show", "aaaa"),
    ("incident", "show", "none-such"),
    ("incident", "ack", "aaaa"),
    ("change", "list", "--since", "2025-08-01"),
    ("silence", "list"),
    ("silence", "preview", "pool=*"),
    ("silence", "add", "pool=*", "--for", "1h", "--reason", "x"),
]


@pytest.mark.parametrize("args", WORDS, ids=" ".join)
def test_no_word_of_it_reaches_the_terminal_raw(both: Both, args: tuple[str, ...]) -> None:
    both.desk("silence", "add", "pool=short", "--for", "1h", "--reason", "flaky")
    with between(both.url, poisoned) as url:
        result = replace(both, url=url).far(*args)
    assert BELL not in result.output
    assert TURNED not in result.output
    assert "\\u202e" in result.output


@pytest.mark.parametrize("args", WORDS, ids=" ".join)
def test_what_is_no_answer_of_a_canary_is_an_error_in_one_line(both: Both, args: tuple[str, ...]) -> None:
    with between(both.url, lambda _: {"targets": 7, "error": ["a\nb"]}) as url:
        result = replace(both, url=url).far(*args)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"canary: {url}: ")


def silence_of(both: Both) -> str:
    return str(both.desk.facts("silence", "add", "pool=short", "--for", "1h", "--reason", "flaky")["id"])


def test_the_end_of_a_silence_is_told_printably(both: Both, tmp_path: Path) -> None:
    name = silence_of(both)
    with between(both.url, poisoned) as url:
        result = replace(both, url=url).far("silence", "expire", name)
    assert (BELL in result.output, "\\u202e" in result.output) == (False, True)
