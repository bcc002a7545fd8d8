"""The one adapter to grafana-client, which is imported when it is used: it is the extra `[grafana]`.

The client leaves to its user: time-outs that bound a whole exchange, refused connections, redirects to a login page
that answers 200, and what each status means. All of that becomes GrafanaError here, without the token.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import TimeoutError as Overdue
from multiprocessing.pool import ThreadPool
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from canary.errors import GrafanaError
from canary.observe.panels import Json

if TYPE_CHECKING:
    from grafana_client.api import GrafanaApi

TIMEOUT = 10.0  # seconds for one exchange
_LONGEST_REASON = 200
_MOST_READ = 1_000
_TELLTALE = 6  # letters of a secret in a row
_REMEDIES = {
    400: "Grafana does not accept it",
    401: "the token is not valid: make one for a service account",
    403: "the token may not do that: its service account needs the role Editor, and may write alert rules",
    404: "there is no such thing: does this Grafana have unified alerting, and the URL its sub-path?",
    409: "it stands there under another provenance or name: use files or push, not both",
    412: "somebody saved another version meanwhile: push again",
    429: "Grafana asks for a pause: push again later",
}


class GrafanaHttp:
    """Talks to one Grafana at `url`, which may have a path. Use it as a context manager."""

    def __init__(self, url: str, token: str, *, timeout: float = TIMEOUT) -> None:
        self._timeout, self._token = timeout, token
        self._client = _api(_checked(url), token, timeout).client
        self._client.s.trust_env = False  # no proxy and no .netrc for the token
        self._client.s.max_redirects = 0  # a redirect is to a login page, or takes the token elsewhere
        self._threads = ThreadPool(1)  # of a daemon: one that hangs holds up nobody's exit

    def __enter__(self) -> "GrafanaHttp":
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.terminate()
        self._client.s.close()

    def get(self, path: str) -> Json | None:
        """None where there is nothing."""
        try:
            return self._exchange("GET", path)
        except GrafanaError as error:
            if error.status == 404:
                return None
            raise

    def send(self, method: Literal["POST", "PUT"], path: str, body: Json) -> None:
        self._exchange(method, path, body)

    def _exchange(self, method: str, path: str, body: Json | None = None) -> Json:
        with _translated(f"{method} {path}", self._token):
            asked = self._threads.apply_async(getattr(self._client, method), (path, body))
            try:
                answer = asked.get(self._timeout)
            except Overdue:
                raise GrafanaError(f"{method} {path}: no whole answer within {self._timeout:g} s") from None
        if not isinstance(answer, dict):
            raise GrafanaError(
                f"{method} {path}: answered with a page, not with JSON: a login page in front of Grafana?"
            )
        return answer


def _api(url: str, token: str, timeout: float) -> "GrafanaApi":
    try:
        from grafana_client.api import GrafanaApi
    except ModuleNotFoundError:
        raise GrafanaError("pushing needs the Grafana client: pip install 'llm-canary[grafana]'") from None
    made: GrafanaApi = GrafanaApi.from_url(url, credential=token, timeout=timeout)
    return made


def _checked(url: str) -> str:
    """With the slash that the client wants behind a path. Raises: GrafanaError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise GrafanaError("the URL should be http(s)://HOST, with a port or a path where there is one")
    if "@" in parts.netloc:
        raise GrafanaError("the URL should not hold a user or password: use a token")
    return url.rstrip("/") + "/" if parts.path.strip("/") else url.rstrip("/")


@contextmanager
def _translated(what: str, token: str) -> Iterator[None]:
    from grafana_client.client import GrafanaException
    from niquests.exceptions import ConnectionError as Unreachable
    from niquests.exceptions import JSONDecodeError, RequestException, TooManyRedirects

    try:
        yield
    except GrafanaException as error:
        raise GrafanaError(_told(what, error, token), status=error.status_code) from None
    except TooManyRedirects:
        raise GrafanaError(f"{what}: redirected: give the final URL, and a token that needs no login page") from None
    except JSONDecodeError:
        raise GrafanaError(f"{what}: answered with what is not JSON") from None
    except Unreachable:
        raise GrafanaError(f"{what}: no connection") from None
    except RequestException as error:
        raise GrafanaError(f"{what}: {type(error).__name__}") from None


def _told(what: str, error: Any, token: str) -> str:
    status = error.status_code
    if not status:
        return f"{what}: no whole answer in time"
    remedy = _REMEDIES.get(status, "Grafana failed: see its log" if status >= 500 else "refused")
    said = error.response.get("message") if isinstance(error.response, dict) else None
    reason = f" ({without(str(said)[:_MOST_READ], token)[:_LONGEST_REASON]!r})" if said else ""
    return f"{what}: {status}: {remedy}{reason}"


def without(text: str, secret: str) -> str:
    """The text without any piece of the secret: servers and proxies quote what they were sent, or part of it.

    >>> without("no such key: glsa_4711abc...", "glsa_4711abcdef")
    'no such key: ***...'
    """
    kept, at = [], 0
    while at < len(text):
        length = _shared(text[at : at + len(secret)], secret)
        hidden = length >= min(_TELLTALE, len(secret))
        kept.append("***" if hidden else text[at])
        at += length if hidden else 1
    return "".join(kept)


def _shared(text: str, secret: str) -> int:
    """How many letters the text begins with that stand so in the secret."""
    return next((n for n in range(len(text), 0, -1) if text[:n] in secret), 0)
