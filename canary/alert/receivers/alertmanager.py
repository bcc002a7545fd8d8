"""Alertmanager, API v2: it is told of each incident as of one alert, and again for as long as that lasts.

Alertmanager forgets what it is not told again. So a firing alert is sent every `resend` with an end four times as far
ahead, and a resolved one for five minutes after its end. Labels stay the same for as long as the incident lives: they
are those of its first finding. Grouping, silences and routing of its own are left to it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from canary.alert.receivers.request import Request, send, shown
from canary.alert.specs import AlertmanagerSpec
from canary.alert.told import Told
from canary.alert.wording import Wording
from canary.clock import Clock
from canary.http import Http
from canary.records import Notification, NotificationKind

ALERT = "CanaryIncident"
LASTS = 4
"""Times `resend` that it fires without being told again."""

_SENT_AT_ONCE = 200
_NO_ALERT = (NotificationKind.REMINDER, NotificationKind.CHANGE)


class Alertmanager:
    """Takes alerts as often as they come: the same labels are the same alert."""

    def __init__(self, spec: AlertmanagerSpec, *, http: Http, clock: Clock) -> None:
        self._spec = spec
        self._wording = Wording(spec.title)
        self._http = http
        self._clock = clock

    @property
    def resend(self) -> timedelta:
        return self._spec.resend

    async def deliver(self, notification: Notification) -> None:
        await self.refresh([notification])

    async def refresh(self, standing: Sequence[Notification]) -> None:
        alerts = self._alerts(standing)
        for first in range(0, len(alerts), _SENT_AT_ONCE):
            await send(self._http, self._request(alerts[first : first + _SENT_AT_ONCE]))

    def preview(self, notification: Notification) -> str:
        alerts = self._alerts([notification])
        return shown(self._request(alerts), self._spec.token, *self._spec.headers.values()) if alerts else ""

    def _request(self, alerts: Sequence[object]) -> Request:
        login = {} if self._spec.token is None else {"Authorization": f"Bearer {self._spec.token}"}
        url = f"{self._spec.url.rstrip('/')}/api/v2/alerts"
        return Request.of_json("POST", url, list(alerts), {**login, **self._spec.headers})

    def _alerts(self, notifications: Sequence[Notification]) -> list[dict[str, object]]:
        now = self._clock.now()
        return [self._alert(Told.of(one), now) for one in notifications if one.kind not in _NO_ALERT]

    def _alert(self, told: Told, now: datetime) -> dict[str, object]:
        ended = told.ended if told.kind is NotificationKind.RESOLVE else None
        return {
            "labels": {"alertname": ALERT, "incident": told.id, **told.labels, **self._spec.labels},
            "annotations": {name: value for name, value in self._annotations(told).items() if value},
            "startsAt": told.began.isoformat(),
            "endsAt": (ended or now + LASTS * self._spec.resend).isoformat(),
            **({"generatorURL": told.links["dashboard"]} if "dashboard" in told.links else {}),
        }

    def _annotations(self, told: Told) -> dict[str, str]:
        facts = told.facts
        kept = ("severity", "state", "since", "size", "evidence", "suspects", "replay")
        annotations = {name: facts[name] for name in kept}
        annotations |= {"summary": self._wording.head(told), "description": facts["text"]}
        return annotations | {f"{name}_url": link for name, link in told.links.items()}
