"""The table of receivers."""

from typing import TextIO, assert_never

from canary.alert.receivers.alertmanager import Alertmanager
from canary.alert.receivers.base import Digesting, Receiver, Refreshed, Shown
from canary.alert.receivers.console import Console
from canary.alert.receivers.grafana import Grafana
from canary.alert.receivers.mail import Email
from canary.alert.receivers.pagerduty import PagerDuty
from canary.alert.receivers.slack import Slack
from canary.alert.receivers.webhook import Webhook
from canary.alert.specs import (
    AlertmanagerSpec,
    ConsoleSpec,
    EmailSpec,
    GrafanaSpec,
    PagerDutySpec,
    ReceiverSpec,
    SlackSpec,
    WebhookSpec,
)
from canary.clock import Clock
from canary.http import Http

__all__ = ["Digesting", "Receiver", "Refreshed", "Shown", "build"]


def build(receiver: ReceiverSpec, *, http: Http, clock: Clock, stream: TextIO) -> Shown:
    """The receiver that `receiver` describes; `stream` is where a console writes."""
    match receiver.spec:
        case ConsoleSpec():
            return Console(stream, colour=stream.isatty())
        case WebhookSpec() as spec:
            return Webhook(spec, http=http, clock=clock)
        case SlackSpec() as spec:
            return Slack(spec, http=http)
        case PagerDutySpec() as spec:
            return PagerDuty(spec, http=http)
        case AlertmanagerSpec() as spec:
            return Alertmanager(spec, http=http, clock=clock)
        case GrafanaSpec() as spec:
            return Grafana(spec, http=http, clock=clock)
        case EmailSpec() as spec:
            return Email(spec)
        case _:
            assert_never(receiver.spec)
