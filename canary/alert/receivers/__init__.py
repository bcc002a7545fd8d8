"""The table of receivers."""

from dataclasses import dataclass
from typing import TextIO, assert_never

from canary.alert.receivers.alertmanager import Alertmanager, AlertmanagerSpec
from canary.alert.receivers.base import Digesting, Receiver, Refreshed, Shown
from canary.alert.receivers.console import Console, ConsoleSpec
from canary.alert.receivers.grafana import Grafana, GrafanaSpec
from canary.alert.receivers.mail import Email, EmailSpec
from canary.alert.receivers.pagerduty import PagerDuty, PagerDutySpec
from canary.alert.receivers.slack import Slack, SlackSpec
from canary.alert.receivers.webhook import Webhook, WebhookSpec
from canary.clock import Clock
from canary.http import Http

__all__ = ["Digesting", "Receiver", "ReceiverSpec", "Refreshed", "Shown", "build"]

Spec = ConsoleSpec | WebhookSpec | SlackSpec | PagerDutySpec | AlertmanagerSpec | GrafanaSpec | EmailSpec


@dataclass(frozen=True, slots=True)
class ReceiverSpec:
    """A receiver and what it takes. A `private` one may be shown answers."""

    name: str
    spec: Spec
    private: bool = False

    @property
    def hears_changes(self) -> bool:
        """Whether it is told of recorded changes."""
        return isinstance(self.spec, PagerDutySpec) and self.spec.changes

    @property
    def hears_reminders(self) -> bool:
        """Whether it can tell people of silences."""
        return isinstance(self.spec, (ConsoleSpec, WebhookSpec, SlackSpec, EmailSpec))


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
