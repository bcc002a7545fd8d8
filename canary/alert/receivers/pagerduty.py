"""PagerDuty, Events API v2. The incident's id is the `dedup_key`, so what comes twice counts once there.

    trigger, update, repeat -> trigger      acknowledge -> acknowledge      resolve -> resolve

A recorded change is a change event. Reminders of silences wake nobody.
"""

from canary.alert.receivers.request import Request, send, shown
from canary.alert.specs import PagerDutySpec
from canary.alert.told import Told
from canary.alert.wording import Wording
from canary.http import Http
from canary.records import Notification, NotificationKind

SUMMARY = 1_024
"""PagerDuty's limit, in characters."""

_ACTIONS = {
    NotificationKind.TRIGGER: "trigger",
    NotificationKind.UPDATE: "trigger",
    NotificationKind.REPEAT: "trigger",
    NotificationKind.ACKNOWLEDGE: "acknowledge",
    NotificationKind.RESOLVE: "resolve",
}
_SEVERITIES = {"page": "critical", "ticket": "warning"}


class PagerDuty:
    """An answer of 202 means that the event was taken."""

    def __init__(self, spec: PagerDutySpec, *, http: Http) -> None:
        self._spec = spec
        self._wording = Wording(spec.title)
        self._http = http

    async def deliver(self, notification: Notification) -> None:
        request = self._request(notification)
        if request is not None:
            await send(self._http, request)

    def preview(self, notification: Notification) -> str:
        request = self._request(notification)
        return "" if request is None else shown(request, self._spec.routing_key)

    def _request(self, notification: Notification) -> Request | None:
        match notification.kind:
            case NotificationKind.REMINDER:
                return None
            case NotificationKind.CHANGE:
                path, facts = "/v2/change/enqueue", self._change(Told.of(notification))
            case _:
                path, facts = "/v2/enqueue", self._event(Told.of(notification))
        return Request.of_json(
            "POST", self._spec.url.rstrip("/") + path, {"routing_key": self._spec.routing_key, **facts}
        )

    def _event(self, told: Told) -> dict[str, object]:
        event = {"event_action": _ACTIONS[told.kind], "dedup_key": told.id}
        if event["event_action"] != "trigger":
            return dict(event)
        facts = told.facts
        return {
            **event,
            "client": "canary",
            "payload": {
                "summary": self._wording.head(told)[:SUMMARY],
                "source": "/".join(facts[name] for name in ("model", "platform", "pool")),
                "severity": _SEVERITIES.get(told.severity, "critical"),
                "timestamp": told.began.isoformat(),
                "component": facts["model"],
                "group": facts["pool"],
                "class": facts["symptoms"],
                "custom_details": _details(told),
            },
            "links": [{"href": link, "text": name} for name, link in told.links.items()],
        }

    def _change(self, told: Told) -> dict[str, object]:
        link = str(told.body.get("link") or "")
        return {
            "payload": {
                "summary": told.summary[:SUMMARY],
                "source": "canary",
                "timestamp": str(told.body["at"]),
                "custom_details": {
                    "kind": told.body["kind"],
                    "scope": told.body["where"],
                    "author": told.body["author"],
                },
            },
            "links": [{"href": link, "text": "change"}] if link else [],
        }


def _details(told: Told) -> dict[str, object]:
    facts = told.facts
    details: dict[str, object] = {name: facts[name] for name in ("since", "size", "evidence", "replay")}
    answers = {"answers": {one["slot"]: one["text"] for one in told.answers}} if told.answers else {}
    return {**details, "suspects": told.suspects, "text": told.lines, **answers}
