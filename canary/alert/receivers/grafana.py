"""Grafana, annotations API: each incident is a region from its onset to its end, for every dashboard that asks by tag.

The API does not know what it was sent before. So the annotation is looked for by the incident's own tag first, and
changed where it is there.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlencode

from canary.alert.receivers.request import Request, send, shown
from canary.alert.specs import GrafanaSpec
from canary.alert.told import Told
from canary.clock import Clock
from canary.errors import DeliveryError
from canary.http import Http
from canary.records import Notification, NotificationKind

TAG = "canary"
_NO_REGION = (NotificationKind.REMINDER, NotificationKind.CHANGE)


class Grafana:
    """A service account token that may read and write annotations is all it takes."""

    def __init__(self, spec: GrafanaSpec, *, http: Http, clock: Clock) -> None:
        self._spec = spec
        self._http = http
        self._clock = clock

    async def deliver(self, notification: Notification) -> None:
        if notification.kind in _NO_REGION:
            return
        known = _identity(await send(self._http, self._request("GET", self._query(notification))))
        await send(self._http, self._put(notification, known))

    def preview(self, notification: Notification) -> str:
        if notification.kind in _NO_REGION:
            return ""
        return shown(self._put(notification, None), self._spec.token)

    def _put(self, notification: Notification, known: int | None) -> Request:
        facts = self._annotation(Told.of(notification))
        if known is None:
            return self._request("POST", "", {**facts, **self._place()})
        return self._request("PATCH", f"/{known}", facts)

    def _query(self, notification: Notification) -> str:
        return "?" + urlencode({"tags": _tag(notification.incident_id), "type": "annotation", "limit": 1})

    def _place(self) -> Mapping[str, str]:
        return {} if self._spec.dashboard is None else {"dashboardUID": self._spec.dashboard}

    def _annotation(self, told: Told) -> dict[str, object]:
        labels = [f"{name}:{value}" for name, value in told.labels.items()]
        return {
            "time": _milliseconds(told.began),
            "timeEnd": _milliseconds(told.ended or self._clock.now()),
            "tags": [TAG, _tag(told.id), *labels, *self._spec.tags],
            "text": f"{self._spec.wording.head(told, escape)}\n{self._spec.wording.body(told, escape)}",
        }

    def _request(self, method: str, path: str, facts: object = None) -> Request:
        url = f"{self._spec.url.rstrip('/')}/api/annotations{path}"
        login = {"Authorization": f"Bearer {self._spec.token}"}
        return Request(method, url, headers=login) if facts is None else Request.of_json(method, url, facts, login)


def _tag(incident_id: str) -> str:
    return f"{TAG}-incident:{incident_id}"


def _identity(body: bytes) -> int | None:
    """Of the annotation found, if there is one. Raises: DeliveryError, when Grafana did not answer that."""
    try:
        found: Any = json.loads(body)
        return int(found[0]["id"]) if found else None
    except (ValueError, TypeError, KeyError, IndexError):
        raise DeliveryError("answered no list of annotations: a login page, or another URL", refused=True) from None


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
