"""How routes, receivers, maintenance windows and targets fit together."""

from collections.abc import Iterator, Sequence

from canary.config.problem import Place, Problem, suggestion
from canary.config.receivers import Receiver
from canary.config.routes import Maintenance, Route
from canary.records import Label, Target, matcher

_ROOT: Place = ("route",)


def lost_ways(route: Route | None, receivers: Sequence[Receiver], targets: Sequence[Target]) -> Iterator[Problem]:
    """Routes that lead nowhere, and receivers that nobody leads to."""
    for index, receiver in enumerate(receivers):
        place: Place = ("receivers", index, "match")
        if not any(map(receiver.match.fits_target, targets)):
            yield Problem(place, "fits no target: mend its names")
        elif route is not None and "match" in receiver.model_fields_set:
            yield Problem(place, "stands beside route: move it there, as matchers (pool=tpu-*)")
    if route is not None:
        yield from _root(route)
        yield from _names(route, [receiver.name for receiver in receivers])


def idle_windows(windows: Sequence[Maintenance], targets: Sequence[Target], region: str) -> Iterator[Problem]:
    """Windows that cover no target of this prober."""
    for index, window in enumerate(windows):
        matchers = [matcher(text) for text in window.matchers]
        fits = any(all(one.must(_labels(target, region)) for one in matchers) for target in targets)
        if not fits and all(one.label is not Label.REGION for one in matchers):
            yield Problem(("maintenance", index, "matchers"), "fit no target: mend its names")


def _root(route: Route) -> Iterator[Problem]:
    if route.receiver is None:
        yield Problem(_ROOT, "needs a receiver: the one that is told where no other route fits")
    if route.matchers or route.continue_:
        yield Problem(_ROOT, "matches all there is: put matchers and continue into its routes")


def _names(route: Route, names: Sequence[str]) -> Iterator[Problem]:
    named = dict(_named(route, _ROOT))
    for place, name in named.items():
        if name not in names:
            yield Problem(place, f'there is no receiver "{name}"; {suggestion(name, names)}')
    for index, name in enumerate(names):
        if name not in named.values():
            yield Problem(("receivers", index), "is told nothing: no route names it")


def _named(route: Route, place: Place) -> Iterator[tuple[Place, str]]:
    if route.receiver is not None:
        yield (*place, "receiver"), route.receiver
    for index, inner in enumerate(route.routes):
        yield from _named(inner, (*place, "routes", index))


def _labels(target: Target, region: str) -> dict[Label, str | None]:
    names = (target.model, target.platform, target.pool, region)
    return dict(zip((Label.MODEL, Label.PLATFORM, Label.POOL, Label.REGION), names, strict=True))
