import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote

import pytest

from canary.alert.receivers.console import Console
from canary.alert.receivers.request import hidden
from canary.alert.receivers.webhook import Webhook, sign, verify
from canary.alert.specs import WebhookSpec
from canary.errors import DeliveryError
from canary.http import Answer, NoAnswer, Trouble
from canary.records import NotificationKind
from canary.testing import FakeClock
from tests.unit.alert.owed import owe

TAKEN = Answer(200, {}, b"thanks")
SECRET = "s3cret"


@dataclass
class OneAnswer:
    answer: Answer | NoAnswer = TAKEN
    sent: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, within: timedelta, max_bytes: int
    ) -> Answer | NoAnswer:
        self.sent.append((method, url, headers, body))
        return self.answer


def webhook(http: OneAnswer, *, secret: str | None = SECRET) -> Webhook:
    return Webhook(WebhookSpec("http://hooks/t0ken", secret), http=http, clock=FakeClock())


async def error_of(answer: Answer | NoAnswer) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await webhook(OneAnswer(answer)).deliver(owe())
    return caught.value


# -- webhook


def test_the_signature_is_hmac_sha256_over_timestamp_dot_body() -> None:
    # printf '1756123200.{"a":1}' | openssl dgst -sha256 -hmac s3cret
    known = "sha256=267ab9c17656b90751cda02a5e7b65d933b510a88058097ae5be960d4458925c"
    assert sign("s3cret", "1756123200", b'{"a":1}') == known


@pytest.mark.parametrize(
    ("secret", "timestamp", "body"),
    [("other", "1756123200", b"{}"), ("s3cret", "1756123201", b"{}"), ("s3cret", "1756123200", b"{ }")],
)
def test_another_secret_time_or_body_does_not_verify(secret: str, timestamp: str, body: bytes) -> None:
    assert not verify(secret, timestamp, body, sign("s3cret", "1756123200", b"{}"))


def test_a_hostile_signature_does_not_verify() -> None:
    assert not verify("s3cret", "1756123200", b"{}", "sha256=\u0e2a")


@pytest.mark.anyio
async def test_a_webhook_posts_the_body_signed_and_with_its_id() -> None:
    http = OneAnswer()
    await webhook(http).deliver(owe("n7"))
    ((method, url, headers, body),) = http.sent
    assert (method, url, body, headers["Idempotency-Key"]) == ("POST", "http://hooks/t0ken", owe().body.encode(), "n7")
    assert verify("s3cret", headers["X-Canary-Timestamp"], body, headers["X-Canary-Signature"])


@pytest.mark.anyio
async def test_without_a_secret_nothing_is_signed() -> None:
    http = OneAnswer()
    await webhook(http, secret=None).deliver(owe())
    assert "X-Canary-Signature" not in http.sent[0][2]


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 202, 204])
async def test_2xx_means_taken(status: int) -> None:
    await webhook(OneAnswer(Answer(status, {}, b""))).deliver(owe())


@pytest.mark.anyio
@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 410])
async def test_a_redirect_or_a_client_error_means_refused(status: int) -> None:
    assert (await error_of(Answer(status, {}, b""))).refused


@pytest.mark.anyio
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
async def test_a_passing_trouble_is_no_refusal(status: int) -> None:
    assert not (await error_of(Answer(status, {}, b""))).refused


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"retry-after": "120"}, timedelta(minutes=2)),
        (
            {"retry-after": "Mon, 25 Aug 2025 12:05:00 GMT", "date": "Mon, 25 Aug 2025 12:00:00 GMT"},
            timedelta(minutes=5),
        ),
        ({"retry-after": "Mon, 25 Aug 2025 12:05:00 GMT"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
async def test_a_receiver_may_say_how_long_to_wait(headers: Mapping[str, str], asked: timedelta | None) -> None:
    assert [(await error_of(Answer(status, headers, b""))).pause for status in (429, 503, 500)] == [asked, asked, None]


@pytest.mark.parametrize("secret", ['quo"te', "back\\slash", "s\u00e4ure", "tab\there", "a b/c"])
def test_a_secret_is_hidden_however_it_is_written(secret: str) -> None:
    forms = (
        secret,
        json.dumps({"k": secret}),
        json.dumps({"k": secret}, ensure_ascii=False),
        f"http://h/{quote(secret)}",
    )
    assert [hidden(form, secret) for form in forms] == ["***", '{"k": "***"}', '{"k": "***"}', "http://h/***"]


@pytest.mark.anyio
async def test_no_answer_is_a_failure_in_our_words() -> None:
    assert (
        str(await error_of(NoAnswer(Trouble.TIMEOUT, "no whole answer within 10 s"))) == "no whole answer within 10 s"
    )


@pytest.mark.anyio
async def test_an_error_does_not_quote_the_answer() -> None:
    assert "private" not in str(await error_of(Answer(500, {}, b"private")))


def test_a_preview_shows_the_body_and_neither_the_secret_nor_the_url() -> None:
    shown = webhook(OneAnswer()).preview(owe("n7"))
    assert shown.startswith("POST http://hooks/***\n")
    assert "Idempotency-Key: n7" in shown
    assert not {"t0ken", SECRET} & set(shown.replace("/", " ").split())


def test_a_secret_is_never_in_a_repr() -> None:
    shown = repr(WebhookSpec("https://hooks/t0ken", "s3cret"))
    assert "t0ken" not in shown
    assert "s3cret" not in shown


# -- console


@pytest.mark.anyio
async def test_a_console_writes_plain_lines() -> None:
    stream = io.StringIO()
    await Console(stream).deliver(owe())
    assert stream.getvalue() == "TRIGGER i1 corruption on a/b/c\n    state    open\n"


@pytest.mark.anyio
async def test_a_console_colours_the_head_when_asked() -> None:
    stream = io.StringIO()
    await Console(stream, colour=True).deliver(owe(kind=NotificationKind.RESOLVE))
    assert stream.getvalue().startswith("\x1b[32mRESOLVE i1\x1b[0m ")


@pytest.mark.anyio
async def test_a_console_lets_no_control_character_through() -> None:
    stream = io.StringIO()
    await Console(stream).deliver(owe(lines=("a\x1b[2Jb\nc\u202e",)))
    assert stream.getvalue() == "TRIGGER i1 a?[2Jb?c?\n"


@pytest.mark.anyio
async def test_a_closed_stream_is_a_failed_delivery() -> None:
    stream = io.StringIO()
    stream.close()
    with pytest.raises(DeliveryError):
        await Console(stream).deliver(owe())
