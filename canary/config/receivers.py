"""The receivers of the config file: who can be told, and how they are reached."""

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from canary.config.fields import (
    Duration,
    Flag,
    HeaderName,
    HeaderSecret,
    Name,
    Scalar,
    Secret,
    Some,
    Strict,
    Text,
    UrlSecret,
    between,
    http_url,
)
from canary.config.match import Match
from canary.template import MESSAGE, fault


def _sound(template: str) -> str:
    if wrong := fault(template, MESSAGE):
        raise ValueError(wrong)
    return template


def _open_url(url: str) -> str:
    http_url(url)
    if "@" in urlsplit(url).netloc:
        raise ValueError("should not hold a user or password, for it is shown: use token or headers")
    return url


Template = Annotated[Text, AfterValidator(_sound)]
Url = Annotated[Text, AfterValidator(_open_url)]
Address = Annotated[str, StringConstraints(pattern=r"^[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,253}$")]
Headers = Annotated[dict[HeaderName, HeaderSecret], Field(max_length=50)]
LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,79}$")]
ExtraLabels = Annotated[dict[LabelName, Text], Field(max_length=50)]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:_-]{1,253}$")]


class Told(Strict):
    """What all receivers have. A `private` one may be shown answers. `match` picks targets where there is no route."""

    name: Name
    match: Match = Match()
    private: Flag = False


class Console(Told):
    """Notifications go to the daemon's standard output."""

    kind: Literal["console"]


class Webhook(Told):
    """Notifications are posted to a URL, signed with the secret where there is one."""

    kind: Literal["webhook"]
    url: UrlSecret
    secret: Secret | None = None


class Slack(Told):
    """Messages by an incoming webhook of Slack."""

    kind: Literal["slack"]
    url: UrlSecret
    title: Template | None = None
    text: Template | None = None


class PagerDuty(Told):
    """Events of PagerDuty's API v2; with `changes`, recorded changes too."""

    kind: Literal["pagerduty"]
    routing_key: Secret
    url: Url = "https://events.pagerduty.com"
    changes: Flag = False
    title: Template | None = None


class Alertmanager(Told):
    """Alerts of Prometheus Alertmanager, sent again every `resend`; `labels` are added to each."""

    kind: Literal["alertmanager"]
    url: Url
    token: HeaderSecret | None = None
    headers: Headers = Field(default_factory=dict)
    labels: ExtraLabels = Field(default_factory=dict)
    resend: Annotated[Duration, between(timedelta(seconds=1), timedelta(minutes=15))] = timedelta(minutes=1)
    title: Template | None = None


class Grafana(Told):
    """Annotations of Grafana, on one dashboard or for all that ask by tag."""

    kind: Literal["grafana"]
    url: Url
    token: HeaderSecret
    tags: Annotated[tuple[Text, ...], Field(max_length=20)] = ()
    dashboard: Name | None = None
    title: Template | None = None
    text: Template | None = None


class Email(Told):
    """Mail over SMTP."""

    kind: Literal["email"]
    host: Host
    port: Annotated[int, Field(ge=1, le=65_535), Scalar] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: Text | None = None
    password: Secret | None = None
    sender: Address
    to: Annotated[tuple[Address, ...], Field(max_length=50), Some]
    title: Template | None = None
    text: Template | None = None

    @field_validator("password")
    @classmethod
    def _kept_private(cls, password: Secret | None, info: ValidationInfo) -> Secret | None:
        if password is not None and info.data.get("tls") == "none":
            raise ValueError("would go in the clear: tls should be starttls or tls")
        if password is not None and info.data.get("username") is None:
            raise ValueError("needs a username")
        return password


Receiver = Annotated[
    Console | Webhook | Slack | PagerDuty | Alertmanager | Grafana | Email, Field(discriminator="kind")
]
