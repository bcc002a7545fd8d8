"""What is worth an update: what a person acts on, and was not told. Pure.

An incident grows with each alarm. A receiver that was told of it is told again when it got louder, is in another part
of the fleet or seen from another region, shows another symptom, has another prime suspect or none any more, touches at
least twice the share of answers that was told (or half of it), or touches some part of it at least twice as hard as
any that was told: see README. What is compared are bodies of notifications, so that what counts is what was said;
what the body of an older Canary does not say at all is not compared.
"""

from collections.abc import Iterator, Mapping
from typing import Any

TIMES = 2.0
"""By which a share has to differ from the one that was told."""
PRIME = 0.5
"""Of a suspect that is more probable than all others together."""

Body = Mapping[str, Any]


def news(told: Body, now: Body) -> tuple[str, ...]:
    """In what a body differs from the one that was told last, in words; nothing where nobody would act on it.

    >>> news({"severity": "ticket"}, {"severity": "page"})
    ('it is a page now, and was a ticket',)
    """
    return tuple(_news(told, now))


def _news(told: Body, now: Body) -> Iterator[str]:
    if told.get("severity") != now.get("severity"):
        yield f"it is a {now.get('severity')} now, and was a {told.get('severity')}"
    if _place(told) != _place(now):
        yield f"it is on {_place(now)} now, and was on {_place(told)}"
    if more := _added(told, now, "regions"):
        yield f"it is seen from {more} too"
    if more := _added(told, now, "symptoms"):
        yield f"it shows {more} too"
    before, after = _share(told), _share(now)
    if not before / TIMES < after < before * TIMES and before != after:
        yield f"it touches {100 * after:.2g} % now, and {100 * before:.2g} % were told"
    yield from _sharper(told, now)
    yield from _suspected(_prime(told), _prime(now))


def _added(told: Body, now: Body, what: str) -> str:
    """What one list holds more, in words."""
    after = {*now.get(what, ())}
    return " and ".join(sorted(after - {*told.get(what, after)}))


def _sharper(told: Body, now: Body) -> Iterator[str]:
    """A part that is touched far harder than any that was told, where the share of the whole does not say it."""
    peak = now.get("peak", {"share": 0.0})
    before, after = told.get("peak", peak)["share"], peak["share"]
    if before * TIMES <= after and before != after and after != _share(now):
        more = f"it touches {100 * after:.2g} % of {peak['of']} on {peak['place']} now"
        yield f"{more}, and {100 * before:.2g} % were told"


def _suspected(told: Body | None, now: Body | None) -> Iterator[str]:
    if now is not None and _identity(now) != _identity(told):
        yield f"suspected now: {now['words']}"
    if told is not None and now is None:
        yield f'no longer suspected: {told["change"]["kind"]} "{told["change"]["summary"]}"'


def _place(body: Body) -> str:
    return "/".join(body.get("target", {}).values())


def _share(body: Body) -> float:
    return float(body.get("size", {}).get("share", 0.0))


def _prime(body: Body) -> Body | None:
    """The change that is more probable than all else, of what made it worse last, else of what began it."""
    for suspects in ((body.get("worsened") or {}).get("suspects", ()), body.get("suspects", ())):
        found = next((one for one in suspects if one["change"] and one["probability"] >= PRIME), None)
        if found is not None:
            return dict(found)
    return None


def _identity(suspect: Body | None) -> str | None:
    return None if suspect is None else suspect["change"]["id"]
