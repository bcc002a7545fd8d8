"""The e-mail receiver, against a real SMTP server on loopback."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from canary.alert.receivers.mail import Email
from canary.alert.specs import EmailSpec, Tls
from canary.alert.wording import Wording
from canary.errors import DeliveryError
from canary.records import NotificationKind
from tests.unit.alert.findings import finding
from tests.unit.alert.told import opened, told

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd"),
]


@dataclass
class Postbox:
    """Keeps mails; answers RCPT and DATA as told."""

    rcpt: str = ""
    data: str = "250 OK"
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.rcpt or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data.startswith("250"):
            mail = message_from_bytes(bytes(envelope.content or b""), policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.data

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
    ) -> AuthResult:
        self.logins.append((given.login, given.password))  # type: ignore[attr-defined]
        return AuthResult(success=given.password == b"s3cret", handled=False)  # type: ignore[attr-defined]


@asynccontextmanager
async def post_office(box: Postbox, tls: ssl.SSLContext | None = None, **options: object) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()

    def server() -> SMTP:
        return SMTP(box, hostname="post.example.com", loop=loop, tls_context=tls, **options)  # type: ignore[arg-type]

    listening = await loop.create_server(server, "127.0.0.1", 0)
    try:
        yield int(listening.sockets[0].getsockname()[1])
    finally:
        listening.close()
        await asyncio.sleep(0.05)  # its connections end


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """A server that takes connections and says nothing."""
    over = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    listening = await asyncio.start_server(wait, "127.0.0.1", 0)
    try:
        yield int(listening.sockets[0].getsockname()[1])
    finally:
        over.set()
        listening.close()
        await asyncio.sleep(0.05)


def email(port: int, tls: Tls = Tls.NONE, **changes: object) -> Email:
    to = ("oncall@example.com", "boss@example.com")
    return Email(EmailSpec("127.0.0.1", port, "canary@example.com", to, tls, **changes))  # type: ignore[arg-type]


async def test_a_mail_says_what_where_since_how_big_and_what_to_run() -> None:
    box = Postbox()
    async with post_office(box) as port:
        await email(port).deliver(told())
    (mail,) = box.mails
    assert mail["Subject"] == "[page] corruption on opus/api/tpu-1: 0.8 % of answers (0.4 % to 1.6 %)"
    assert (mail["From"], mail["To"]) == ("canary@example.com", "oncall@example.com, boss@example.com")
    text = mail.get_content()
    for part in (
        "where    model opus",
        "since    2025-08-25",
        "suspect  80% deploy",
        "replay   canary replay",
        "runbook  h",
    ):
        assert part in text


async def test_mails_of_one_incident_are_a_thread_and_a_repeat_has_the_same_id() -> None:
    box = Postbox()
    async with post_office(box) as port:
        for kind in (NotificationKind.TRIGGER, NotificationKind.TRIGGER, NotificationKind.RESOLVE):
            await email(port).deliver(told(kind))
    first, again, last = box.mails
    assert first["Message-ID"] == again["Message-ID"] != last["Message-ID"]
    assert len({mail["References"] for mail in box.mails}) == 1
    assert last["Subject"].startswith("[resolved] ")


async def test_many_notifications_of_a_group_are_one_mail() -> None:
    box = Postbox()
    async with post_office(box) as port:
        await email(port).digest([told(incident=opened(finding(target=f"opus/api/p{n}"))) for n in range(3)])
    (mail,) = box.mails
    assert mail["Subject"] == "3 notifications: page"
    assert mail.get_content().count("canary replay") == 3


async def test_no_name_in_the_fleet_can_add_a_header() -> None:
    box = Postbox()
    evil = opened(finding(target="opus/api/x\r\nBcc: all@example.com"))
    async with post_office(box) as port:
        await email(port).deliver(told(incident=evil))
    (mail,) = box.mails
    assert mail["Bcc"] is None
    assert "Bcc: all@example.com" in mail["Subject"]


async def test_the_users_own_words_are_used() -> None:
    box = Postbox()
    async with post_office(box) as port:
        await email(port, wording=Wording("{model} {status}", "{replay}\n")).deliver(told())
    (mail,) = box.mails
    assert (mail["Subject"], mail.get_content().split()[0]) == ("opus page", "canary")


async def test_answers_are_in_the_mail_of_a_private_receiver_alone() -> None:
    box = Postbox()
    async with post_office(box) as port:
        await email(port).deliver(told())
        await email(port).deliver(told(answers=True))
    assert ["the <b>answer</b>" in mail.get_content() for mail in box.mails] == [False, True]


@pytest.mark.parametrize(
    ("box", "refused"),
    [
        (Postbox(rcpt="550 no such user"), True),
        (Postbox(rcpt="450 mailbox busy"), False),
        (Postbox(data="554 spam"), True),
        (Postbox(data="451 try later"), False),
        (Postbox(data="421 closing"), False),
    ],
    ids=lambda value: str(value),
)
async def test_a_passing_trouble_is_no_refusal_and_a_lasting_one_is(box: Postbox, refused: bool) -> None:
    async with post_office(box) as port:
        with pytest.raises(DeliveryError) as caught:
            await email(port).deliver(told())
    assert caught.value.refused is refused
    assert "answered" in str(caught.value)


async def test_a_server_without_starttls_gets_no_mail() -> None:
    box = Postbox()
    async with post_office(box) as port:
        with pytest.raises(DeliveryError, match="does not offer"):
            await email(port, Tls.STARTTLS).deliver(told())
    assert box.mails == []


async def test_a_server_with_a_certificate_that_nobody_trusts_gets_no_mail(tmp_path: Path) -> None:
    box = Postbox()
    async with post_office(box, certificate(tmp_path)) as port:
        with pytest.raises(DeliveryError):
            await email(port, Tls.STARTTLS, username="u", password="s3cret").deliver(told())
    assert (box.mails, box.logins) == ([], [])


async def test_over_starttls_it_logs_in_and_delivers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    box = Postbox()
    async with post_office(
        box, context, authenticator=box.authenticate, auth_required=True, auth_require_tls=True
    ) as port:
        await email(port, Tls.STARTTLS, username="u", password="s3cret").deliver(told())
        with pytest.raises(DeliveryError) as caught:
            await email(port, Tls.STARTTLS, username="u", password="wr0ng").deliver(told())
    assert len(box.mails) == 1
    assert caught.value.refused
    assert "wr0ng" not in str(caught.value)


async def test_a_server_that_never_says_a_word_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.alert.receivers.mail.TIMEOUT", 0.2)
    async with silence() as port:
        with pytest.raises(DeliveryError) as caught:
            await email(port).deliver(told())
    assert not caught.value.refused


async def test_a_server_that_is_down_is_tried_again() -> None:
    with pytest.raises(DeliveryError) as caught:
        await email(1).deliver(told())
    assert not caught.value.refused


def test_the_password_is_in_no_repr_and_no_preview() -> None:
    spec = EmailSpec("h", 587, "a@b", ("c@d",), username="u", password="s3cret")
    assert "s3cret" not in repr(spec) + Email(spec).preview(told())


def certificate(folder: Path) -> ssl.SSLContext:
    """Of 127.0.0.1, signed by itself."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(["openssl", *command.split(), *names], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context
