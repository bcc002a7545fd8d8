"""A daemon elsewhere, through its API: what `--url` (or CANARY_URL) makes of a word."""

import functools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import click

from canary.cli.common import run_async
from canary.errors import CanaryError, NotFound

if TYPE_CHECKING:
    from canary.http import Answer, NoAnswer

PATIENCE = timedelta(seconds=40)
MOST_BYTES = 100_000_000
MOST_TOKEN = 1_000
BREATHERS, LONGEST_BREATHER = 5, 10.0  # that a daemon may ask for: how many, and seconds


@dataclass(frozen=True, slots=True)
class Remote:
    """Asks, and raises CanaryError in the daemon's words."""

    url: str
    token: str | None = field(default=None, repr=False)

    def get(self, *path: str, **query: object) -> Any:
        """What stands at a path of the API."""
        asked = {name: _written(value) for name, value in query.items() if value is not None}
        query_string = f"?{urlencode(asked, doseq=True)}" if asked else ""
        return self._send("GET", path, query_string, b"")

    def post(self, *path: str, **body: object) -> Any:
        """What comes of an act."""
        said = {name: value for name, value in body.items() if value is not None}
        return self._send("POST", path, "", json.dumps(said).encode())

    def _send(self, method: str, path: tuple[str, ...], query: str, body: bytes) -> Any:
        url = f"{self.url.rstrip('/')}/api/v1/{'/'.join(quote(part, safe='') for part in path)}{query}"
        headers = {"content-type": "application/json"} if body else {}
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        return _read(self.url, run_async(_sent(method, url, headers, body, BREATHERS if method == "GET" else 0)))


def remote_options(word: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a word that can also ask a daemon; it gets `remote`, None for the config's own store."""

    @click.option("--url", "daemon_url", envvar="CANARY_URL", help="Ask the daemon there (or CANARY_URL).")
    @click.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="Its token is in this file. [default: CANARY_TOKEN]",
    )
    @functools.wraps(word)
    def with_remote(*args: Any, daemon_url: str | None, token_file: Path | None, **kwargs: Any) -> Any:
        remote = _remote(daemon_url, token_file)
        try:
            return word(*args, remote=remote, **kwargs)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            if remote is None:
                raise
            raise CanaryError(
                f"{remote.url}: answers otherwise than this canary expects: of another version?"
            ) from error

    return with_remote


def _remote(url: str | None, token_file: Path | None) -> Remote | None:
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter("write http://HOST:PORT or https://HOST", param_hint="--url")
    return Remote(url, _token(token_file))


def _token(file: Path | None) -> str | None:
    """In a header, so it may hold nothing but what a token holds."""
    if file is None:
        text = os.environ.get("CANARY_TOKEN", "")
    else:
        with file.open("rb") as opened:
            text = opened.read(MOST_TOKEN).decode("ascii", "replace")
    token = text.strip()
    if not all("!" <= letter <= "~" for letter in token):
        raise click.BadParameter("this is no token", param_hint="--token-file")
    return token or None


async def _sent(method: str, url: str, headers: Mapping[str, str], body: bytes, breathers: int) -> "Answer | NoAnswer":
    """Waits and asks again where the daemon says that this was too often, so many times."""
    from canary.clock import SystemClock
    from canary.http import Answer, HttpClient

    http = HttpClient()
    try:
        while True:
            answer = await http.send(method, url, headers=headers, body=body, within=PATIENCE, max_bytes=MOST_BYTES)
            if not isinstance(answer, Answer) or answer.status != 429 or breathers <= 0:
                return answer
            breathers -= 1
            await SystemClock().sleep(_breather(answer))
    finally:
        await http.aclose()


def _breather(answer: "Answer") -> float:
    """Seconds that it asks for, within bounds."""
    asked = answer.headers.get("retry-after", "")
    return min(float(asked), LONGEST_BREATHER) if asked.isascii() and asked.isdigit() else 1.0


def _read(url: str, answer: "Answer | NoAnswer") -> Any:
    from canary.http import NoAnswer

    if isinstance(answer, NoAnswer):
        raise CanaryError(f"{url}: {answer.detail}")
    try:
        document = json.loads(answer.body)
    except ValueError:
        raise CanaryError(f"{url}: status {answer.status}, and no JSON: is that a canary?") from None
    if answer.status < 400:
        return document
    raise _error(url, answer.status, document)


def _error(url: str, status: int, document: Any) -> CanaryError:
    facts = document if isinstance(document, dict) else {}
    places = [one for one in facts.get("problems", ()) if isinstance(one, dict)]
    why = "; ".join(
        [str(facts.get("error", f"status {status}")), *(f"{one.get('at')} {one.get('what')}" for one in places)]
    )
    hint = ": give --token-file, or CANARY_TOKEN" if status == 401 else ""
    return (NotFound if status == 404 else CanaryError)(f"{url}: {' '.join(why.split())}{hint}")


def _written(value: object) -> str | list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
