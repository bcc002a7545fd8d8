"""POST of JSON, signed.

How a receiver makes sure that a request is ours and fresh: it takes the raw body and the two headers, calls `verify`
(or computes the same: HMAC-SHA-256 under the shared secret over `timestamp + "." + body`, in hex, compared in constant
time) and drops requests whose timestamp is more than five minutes away. `Idempotency-Key` is the notification's id: a
repeat carries the same one.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta

from canary.clock import Clock
from canary.errors import DeliveryError
from canary.http import Answer, Http, NoAnswer
from canary.records import Notification

SIGNATURE = "X-Canary-Signature"
TIMESTAMP = "X-Canary-Timestamp"
TIMEOUT = timedelta(seconds=10)
ANSWER_BYTES = 65_536

_TRY_AGAIN = frozenset({408, 425, 429})


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of `X-Canary-Signature`."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def verify(secret: str, timestamp: str, body: bytes, signature: str) -> bool:
    """Whether `signature` was made with `secret` over this timestamp (Unix seconds, as sent) and raw body."""
    return hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode())


class Webhook:
    """Any URL that takes a POST. An answer of 2xx means taken; redirects are not followed."""

    def __init__(self, url: str, *, secret: str | None, http: Http, clock: Clock) -> None:
        self._url = url
        self._secret = secret
        self._http = http
        self._clock = clock

    async def deliver(self, notification: Notification) -> None:
        body = notification.body.encode()
        answer = await self._http.send(
            "POST",
            self._url,
            headers=self._headers(notification, body),
            body=body,
            within=TIMEOUT,
            max_bytes=ANSWER_BYTES,
        )
        _judge(answer)

    def _headers(self, notification: Notification, body: bytes) -> Mapping[str, str]:
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": notification.id,
            TIMESTAMP: timestamp,
        }
        if self._secret is not None:
            headers[SIGNATURE] = sign(self._secret, timestamp, body)
        return headers


def _judge(answer: Answer | NoAnswer) -> None:
    match answer:
        case NoAnswer():
            raise DeliveryError(answer.detail)
        case Answer(status=status) if 200 <= status < 300:
            return
        case Answer(status=status):
            refused = 300 <= status < 500 and status not in _TRY_AGAIN
            raise DeliveryError(f"answered {status}", refused=refused)
