"""Whom the config names to be told, and the way to them."""

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar, assert_never

from pydantic import SecretStr

from canary import config as written
from canary.alert.links import Links
from canary.alert.maintenance import Window
from canary.alert.routing import Pace, Route
from canary.alert.specs import (
    AlertmanagerSpec,
    ConsoleSpec,
    EmailSpec,
    GrafanaSpec,
    PagerDutySpec,
    ReceiverSpec,
    SlackSpec,
    Spec,
    Tls,
    WebhookSpec,
)
from canary.alert.wording import TITLE, Wording
from canary.config import Config
from canary.pipeline.tell import Audience
from canary.records import Label, Matcher, Matchers, matcher

REPEAT = timedelta(hours=4)
"""Alertmanager's own, where there is a tree of routes."""

T = TypeVar("T")

_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104  not an address to read on at


def audience_of(config: Config) -> Audience:
    """Everybody whom the config names, and the way to them."""
    return Audience(receivers_of(config), route_of(config), links_of(config), windows_of(config))


def receivers_of(config: Config) -> tuple[ReceiverSpec, ...]:
    """All of them, with their secrets."""
    return tuple(ReceiverSpec(one.name, _spec(one), private=one.private) for one in config.receivers)


def route_of(config: Config) -> Route:
    """The config's tree; without one, each receiver is told at once of what its own `match` fits, and never again."""
    if config.route is not None:
        return _route(config.route, Route(pace=Pace(repeat=REPEAT)))
    flat = (Route(one.name, _flat(one.match), go_on=True) for one in config.receivers)
    return Route(routes=tuple(flat))


def links_of(config: Config) -> Links:
    """By default the dashboard is this daemon's own page, where it has an address."""
    web, links = config.web, config.links
    host = f"[{web.host}]" if ":" in web.host else web.host
    page = "" if web.port == 0 or web.host in _ANYWHERE else f"http://{host}:{web.port}/"
    return Links(links.dashboard or page, links.runbook or "")


def windows_of(config: Config) -> tuple[Window, ...]:
    """The maintenance windows of the config; the store may hold more."""
    return tuple(
        Window(one.name, tuple(map(matcher, one.matchers)), one.starts, one.lasts, one.every, one.reason)
        for one in config.maintenance
    )


def _route(node: written.Route, parent: Route) -> Route:
    """A node with what it inherits."""
    made = Route(
        receiver=node.receiver or parent.receiver,
        matchers=tuple(map(matcher, node.matchers)),
        go_on=node.continue_,
        pace=_pace(node, parent.pace),
    )
    return replace(made, routes=tuple(_route(inner, made) for inner in node.routes))


def _pace(node: written.Route, parent: Pace) -> Pace:
    def own(value: T | None, inherited: T) -> T:
        return inherited if value is None else value

    return Pace(
        own(node.group_by, parent.group_by),
        own(node.group_wait, parent.group_wait),
        own(node.group_interval, parent.group_interval),
        own(node.repeat_interval, parent.repeat),
    )


def _flat(match: written.Match) -> Matchers:
    globs = ((Label.MODEL, match.model), (Label.PLATFORM, match.platform), (Label.POOL, match.pool))
    return tuple(Matcher(label, (glob,)) for label, glob in globs if glob != "*")


def _spec(one: written.Receiver) -> Spec:
    match one:
        case written.Console():
            return ConsoleSpec()
        case written.Webhook():
            return WebhookSpec(one.url.get_secret_value(), _secret(one.secret))
        case written.Slack():
            return SlackSpec(one.url.get_secret_value(), _wording(one.title, one.text))
        case written.PagerDuty():
            return PagerDutySpec(one.routing_key.get_secret_value(), one.url, one.changes, one.title or TITLE)
        case written.Alertmanager():
            headers = {name: value.get_secret_value() for name, value in one.headers.items()}
            return AlertmanagerSpec(one.url, _secret(one.token), headers, one.labels, one.resend, one.title or TITLE)
        case written.Grafana():
            wording = _wording(one.title, one.text)
            return GrafanaSpec(one.url, one.token.get_secret_value(), one.tags, one.dashboard, wording)
        case written.Email():
            return EmailSpec(
                one.host,
                one.port,
                one.sender,
                one.to,
                Tls(one.tls),
                one.username,
                _secret(one.password),
                _wording(one.title, one.text),
            )
        case _:
            assert_never(one)


def _secret(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _wording(title: str | None, text: str | None) -> Wording:
    return Wording(title or TITLE, text)
