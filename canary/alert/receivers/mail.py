"""Mail over SMTP. Mails of one incident are a thread; one that comes twice has the same Message-ID.

The only importer of aiosmtplib.
"""

from collections.abc import Sequence
from email import policy
from email.message import EmailMessage
from hashlib import blake2b

import aiosmtplib

from canary.alert.specs import EmailSpec, Tls
from canary.alert.told import Told
from canary.errors import DeliveryError
from canary.records import Notification

TIMEOUT = 10.0  # seconds, for each command
_LONGEST_SUBJECT = 200
_POLICY = policy.SMTP.clone(max_line_length=900)  # below the 998 that SMTP allows: nothing needs to be folded


class Email:
    """One mail for each notification, or for those of a group."""

    def __init__(self, spec: EmailSpec) -> None:
        self._spec = spec

    async def deliver(self, notification: Notification) -> None:
        await self._send(self._mail(Told.of(notification)))

    async def digest(self, notifications: Sequence[Notification]) -> None:
        await self._send(self._digest([Told.of(one) for one in notifications]))

    def preview(self, notification: Notification) -> str:
        return self._mail(Told.of(notification)).as_string()

    def _mail(self, told: Told) -> EmailMessage:
        wording, thread = self._spec.wording, f"<{told.id}@canary.invalid>"
        mail = self._letter(wording.head(told), wording.body(told), told.notification.id)
        mail["References"] = mail["In-Reply-To"] = thread
        return mail

    def _digest(self, all_told: Sequence[Told]) -> EmailMessage:
        title = f"{len(all_told)} notifications: {', '.join(sorted({told.status for told in all_told}))}"
        parts = (f"{self._spec.wording.head(told)}\n\n{self._spec.wording.body(told)}" for told in all_told)
        ids = "".join(told.notification.id for told in all_told)
        return self._letter(title, "\n\n\n".join(parts), blake2b(ids.encode(), digest_size=12).hexdigest())

    def _letter(self, subject: str, text: str, name: str) -> EmailMessage:
        mail = EmailMessage(_POLICY)
        mail["From"] = self._spec.sender
        mail["To"] = ", ".join(self._spec.to)
        mail["Subject"] = _one_line(subject)[:_LONGEST_SUBJECT]
        mail["Message-ID"] = f"<{name}@canary.invalid>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        return mail

    async def _send(self, mail: EmailMessage) -> None:
        try:
            await aiosmtplib.send(
                mail.as_bytes(),
                sender=self._spec.sender,
                recipients=self._spec.to,
                hostname=self._spec.host,
                port=self._spec.port,
                username=self._spec.username,
                password=self._spec.password,
                use_tls=self._spec.tls is Tls.TLS,
                start_tls=self._spec.tls is Tls.STARTTLS,
                timeout=TIMEOUT,
            )
        except aiosmtplib.SMTPResponseException as error:
            raise DeliveryError(f"answered {error.code}", refused=500 <= error.code < 600) from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = sorted({refusal.code for refusal in error.recipients})
            refused = all(500 <= code < 600 for code in codes)
            raise DeliveryError(f"answered {codes[0]} to every recipient", refused=refused) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryError(_why(error)) from None


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _why(error: Exception) -> str:
    """In our words: those of a server may quote the mail."""
    match error:
        case aiosmtplib.SMTPTimeoutError():
            return "took too long"
        case aiosmtplib.SMTPConnectError():
            return "no connection"
        case aiosmtplib.SMTPServerDisconnected() | OSError():
            return "the connection broke off"
        case _:
            return "the server does not offer what the config asks for (tls, username)"
