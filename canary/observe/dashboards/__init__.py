"""Dashboards as code. Their uids never change: links and bookmarks go by them."""

from collections.abc import Mapping

from canary.observe.dashboards import fleet, itself, target
from canary.observe.panels import Json


def dashboards() -> Mapping[str, Json]:
    """All, by uid."""
    made = (fleet.dashboard(), target.dashboard(), itself.dashboard())
    return {one["uid"]: one for one in made}
