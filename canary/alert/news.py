"""What is worth an update: what a person acts on, and was not told. Pure.

An incident grows with each alarm. A receiver that was told of it is told again when it got louder, is in another part
of the fleet, shows another symptom, has another prime suspect, or touches at least twice the share of answers that was
told (or half of it): see README. What is compared are bodies of notifications, so that what counts is what was said.
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
    if more := sorted({*now.get("symptoms", ())} - {*told.get("symptoms", ())}):
        yield f"it shows {' and '.join(more)} too"
    before, after = _share(told), _share(now)
    if not before / TIMES < after < before * TIMES and before != after:
        yield f"it touches {100 * after:.2g} % now, and {100 * before:.2g} % were told"
    prime = _prime(now)
    if prime is not None and _identity(prime) != _identity(_prime(told)):
        yield f"suspected now: {prime['words']}"


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
