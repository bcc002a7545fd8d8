"""What each kind of receiver takes. Pure, and quick to import: many name receivers, few send anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from canary.alert.wording import TITLE, Wording


class Tls(StrEnum):
    """How the connection is kept private."""

    STARTTLS = "starttls"  # after a greeting in the clear; refused where the server does not offer it
    TLS = "tls"  # from the first byte
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ConsoleSpec:
    """There is nothing to say of it."""


@dataclass(frozen=True, slots=True)
class WebhookSpec:
    """`url` may hold a token."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SlackSpec:
    url: str = field(repr=False)
    wording: Wording = field(default_factory=Wording)


@dataclass(frozen=True, slots=True)
class PagerDutySpec:
    """`url` is that of the service region; `changes` says whether it is told of recorded changes."""

    routing_key: str = field(repr=False)
    url: str = "https://events.pagerduty.com"
    changes: bool = False
    title: str = TITLE


@dataclass(frozen=True, slots=True)
class AlertmanagerSpec:
    """`url` without the API's path; `labels` are added to each alert, `headers` to each request."""

    url: str
    token: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    resend: timedelta = timedelta(minutes=1)
    title: str = TITLE


@dataclass(frozen=True, slots=True)
class GrafanaSpec:
    """`url` is Grafana's own, with its sub-path where it has one; `dashboard` the uid of the one it is shown on."""

    url: str
    token: str = field(repr=False)
    tags: tuple[str, ...] = ()
    dashboard: str | None = None
    wording: Wording = field(default_factory=Wording)


@dataclass(frozen=True, slots=True)
class EmailSpec:
    """Where mails are handed over, and from whom to whom they go."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    tls: Tls = Tls.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    wording: Wording = field(default_factory=Wording)


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
