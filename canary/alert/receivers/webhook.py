"""POST of JSON, signed.

How a receiver makes sure that a request is ours and fresh: it takes the raw body and the two headers, calls `verify`
(or computes the same: HMAC-SHA-256 under the shared secret over `timestamp + "." + body`, in hex, compared in constant
time) and drops requests whose timestamp is more than five minutes away. `Idempotency-Key` is the notification's id: a
repeat carries the same one.
"""

import hashlib
import hmac

from canary.alert.receivers.request import Request, send, shown
from canary.alert.specs import WebhookSpec
from canary.clock import Clock
from canary.http import Http
from canary.records import Notification

SIGNATURE = "X-Canary-Signature"
TIMESTAMP = "X-Canary-Timestamp"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of `X-Canary-Signature`."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def verify(secret: str, timestamp: str, body: bytes, signature: str) -> bool:
    """Whether `signature` was made with `secret` over this timestamp (Unix seconds, as sent) and raw body."""
    return hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode())


class Webhook:
    """Any URL that takes a POST. An answer of 2xx means taken; redirects are not followed."""

    def __init__(self, spec: WebhookSpec, *, http: Http, clock: Clock) -> None:
        self._spec = spec
        self._http = http
        self._clock = clock

    async def deliver(self, notification: Notification) -> None:
        await send(self._http, self._request(notification))

    def preview(self, notification: Notification) -> str:
        return shown(self._request(notification), self._spec.secret, url_is_secret=True)

    def _request(self, notification: Notification) -> Request:
        body = notification.body.encode()
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {"Content-Type": "application/json", "Idempotency-Key": notification.id, TIMESTAMP: timestamp}
        if self._spec.secret is not None:
            headers[SIGNATURE] = sign(self._spec.secret, timestamp, body)
        return Request("POST", self._spec.url, body, headers)
