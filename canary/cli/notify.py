"""`canary notify`."""

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from canary.cli.common import config_at, json_option, printable, run_async, say, store_of
from canary.cli.complete import incident_ids, receiver_names
from canary.cli.word import Noun

if TYPE_CHECKING:
    from canary.alert.receivers import Shown
    from canary.alert.specs import ReceiverSpec
    from canary.config import Config

T = TypeVar("T")

_KINDS = ("trigger", "update", "acknowledge", "resolve", "repeat")
_receiver = click.option(
    "--receiver", "name", required=True, shell_complete=receiver_names, help="The name of a receiver in the config."
)


@click.group(cls=Noun)
def command() -> None:
    """See what receivers would be sent, and test them."""


@command.command(
    exits={0: "shown", 2: "no such incident or receiver, or bad config or store"},
    examples=(
        "canary notify preview 72ac --receiver on-call",
        "canary notify preview 72ac --receiver chat --kind resolve",
    ),
)
@click.argument("incident_id", shell_complete=incident_ids)
@_receiver
@click.option("--kind", type=click.Choice(_KINDS), default="trigger", show_default=True, help="What would be told.")
@json_option
@click.pass_obj
def preview(path: str, incident_id: str, name: str, kind: str, as_json: bool) -> None:
    """What the receiver would be sent of an incident now, exactly, with secrets as ***. Nothing is sent."""
    from canary.clock import SystemClock
    from canary.daemon.audience import links_of
    from canary.pipeline.suspects import suspects, watched
    from canary.pipeline.tell import composed
    from canary.records import NotificationKind

    config, now, what = config_at(path), SystemClock().now(), NotificationKind(kind)
    receiver = _named(config, name)
    with store_of(config) as store, store.reading() as tx:
        incident = tx.incident(incident_id)
        ranked = suspects(tx, incident, watched(tx, {target.name for target in config.targets}))
        made = composed(tx, incident, what, receiver, now, links_of(config), ranked)

    async def show(built: "Shown") -> str:
        return built.preview(made)

    text = _with(receiver, show)
    if as_json:
        say({"incident": incident.id, "receiver": name, "kind": kind, "rendered": text})
    else:
        click.echo(printable(text) if text else f"{name} is not told of this")


@command.command(
    exits={0: "taken, both of them", 2: "not taken, or no such receiver, or bad config"},
    examples=("canary notify test --receiver on-call",),
)
@_receiver
@json_option
@click.pass_obj
def test(path: str, name: str, as_json: bool) -> None:
    """Send the receiver a trigger and its resolve, both marked as a test. Somebody may be paged."""
    from canary.alert.rehearsal import rehearsal
    from canary.clock import SystemClock
    from canary.daemon.audience import links_of
    from canary.errors import CanaryError, DeliveryError

    config = config_at(path)
    made = rehearsal(name, config.targets[0].name, config.region, links_of(config), SystemClock().now())

    async def send(built: "Shown") -> None:
        for one in made:
            try:
                await built.deliver(one)
            except DeliveryError as error:
                raise CanaryError(f"{name} did not take the {one.kind.value}: {error}") from error

    _with(_named(config, name), send)
    if as_json:
        say({"receiver": name, "taken": [one.kind.value for one in made]})
    else:
        click.echo(f"{name} took the trigger and the resolve")


def _named(config: "Config", name: str) -> "ReceiverSpec":
    from canary.config.problem import suggestion
    from canary.daemon.audience import receivers_of
    from canary.errors import NotFound

    known = {receiver.name: receiver for receiver in receivers_of(config)}
    if name not in known:
        raise NotFound(f'there is no receiver "{name}"; {suggestion(name, known)}')
    return known[name]


def _with(receiver: "ReceiverSpec", work: "Callable[[Shown], Awaitable[T]]") -> T:
    """Build the receiver and do the work with it."""

    async def run() -> T:
        from canary.alert.receivers import build
        from canary.clock import SystemClock
        from canary.http import HttpClient

        http = HttpClient()
        try:
            return await work(build(receiver, http=http, clock=SystemClock(), stream=sys.stdout))
        finally:
            await http.aclose()

    return run_async(run())
