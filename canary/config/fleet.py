"""The targets that a config names: models x platforms x pools, less what is excluded, with what is included."""

from collections.abc import Iterator, Sequence
from itertools import product
from urllib.parse import quote

from canary import records
from canary.config.match import Match
from canary.config.problem import Place, Problem
from canary.config.settings import Endpoint, Settings

_MOST_TARGETS = 10_000

Names = tuple[str, str, str]
"""Model, platform, pool."""


def targets(settings: Settings, problems: list[Problem]) -> tuple[records.Target, ...]:
    """In the order of the file; what is wrong is added to `problems`."""
    names = _names(settings, problems)
    if not names and not problems:
        problems.append(Problem(("models",), "there is no target: name models, platforms and pools"))
    external = {(one.model, one.platform, one.pool) for one in settings.include if one.external}
    used = {name: None if name in external else _endpoint(settings.endpoints, name) for name in names}
    for (model, platform, pool), place in names.items():
        if used[model, platform, pool] is None and (model, platform, pool) not in external:
            fault = f"no endpoint fits the target {model}/{platform}/{pool}: add one, or exclude the target"
            problems.append(Problem(place, fault))
    for index in set(range(len(settings.endpoints))) - set(used.values()):
        fault = "no target uses this endpoint: remove it, or move it above the one that takes its targets"
        problems.append(Problem(("endpoints", index), fault))
    return tuple(
        _external(name) if name in external else _target(settings.endpoints[index or 0], name)
        for name, index in used.items()
        if index is not None or name in external
    )


def _names(settings: Settings, problems: list[Problem]) -> dict[Names, Place]:
    """Each target with the place that names it."""
    axes = (settings.models, settings.platforms, settings.pools)
    for key, axis in zip(("models", "platforms", "pools"), axes, strict=True):
        problems.extend(repeated(axis, (key,)))
    size = len(axes[0]) * len(axes[1]) * len(axes[2]) + len(settings.include)
    if size > _MOST_TARGETS:
        problems.append(Problem(("models",), f"{size} targets are too many: a prober takes {_MOST_TARGETS}"))
        return {}
    full = list(product(*axes))
    for index, match in enumerate(settings.exclude):
        if not any(match.fits(*name) for name in full):
            problems.append(Problem(("exclude", index), "excludes nothing: remove it, or mend its names"))
    names: dict[Names, Place] = {name: ("endpoints",) for name in full if not _fits_any(settings.exclude, name)}
    for index, one in enumerate(settings.include):
        name = (one.model, one.platform, one.pool)
        if name in names:
            problems.append(Problem(("include", index), f"the target {'/'.join(name)} is there already: remove it"))
        names[name] = ("include", index)
    return names


def _fits_any(matches: Sequence[Match], name: Names) -> bool:
    return any(match.fits(*name) for match in matches)


def _endpoint(endpoints: Sequence[Endpoint], name: Names) -> int | None:
    return next((index for index, endpoint in enumerate(endpoints) if endpoint.match.fits(*name)), None)


def _target(endpoint: Endpoint, name: Names) -> records.Target:
    limits = endpoint.limits
    return records.Target(
        *name,
        endpoint=records.Endpoint(
            dialect=endpoint.dialect,
            base_url=_filled(endpoint.base_url, [quote(part, safe="") for part in name]),
            model=_filled(endpoint.model, name),
            headers={key: value.get_secret_value() for key, value in endpoint.headers.items()},
            token=endpoint.token.get_secret_value() if endpoint.token else None,
            affinity_header=endpoint.affinity_header,
            replica_header=endpoint.replica_header,
            extra_body=endpoint.extra_body,
        ),
        limits=records.Limits(
            concurrency=limits.concurrency,
            rate_per_second=limits.rate_per_second,
            timeout=limits.timeout,
            max_bytes=limits.max_answer_bytes,
            tokens_per_day=limits.tokens_per_day,
        ),
    )


def _external(name: Names) -> records.Target:
    return records.Target(*name, endpoint=records.Endpoint(records.Dialect.OPENAI_CHAT, "", ""), external=True)


def _filled(template: str, name: Sequence[str]) -> str:
    for placeholder, part in zip(("{model}", "{platform}", "{pool}"), name, strict=True):
        template = template.replace(placeholder, part)
    return template


def repeated(names: Sequence[str], place: Place) -> Iterator[Problem]:
    """A problem for each name that stands twice."""
    for index, name in enumerate(names):
        first = names.index(name)
        if first < index:
            yield Problem((*place, index), f'"{name}" is there already, as number {first + 1}: names are unique')
