"""What was handed in and not probed: counts of feedback, and scores of external targets.

A rerun leaves them out: they are judged as they come, in the order of their handing in, by golden windows of their own,
and not in that of slots. Whoever compares is told of which series that is.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from canary.hindsight.reign import Group
from canary.hindsight.verdicts import Side
from canary.records import Purpose
from canary.store.base import Store


def handed_in(store: Store, region: str, since: datetime | None, until: datetime | None) -> Mapping[Group, int]:
    """How many observations of the span, by target and probe group."""
    with store.reading() as tx:
        reported = tx.observations(purpose=Purpose.REPORTED, since=since, until=until)
        return Counter((seen.target, seen.group) for seen in reported if seen.region == region)


def without(side: Side, groups: Collection[Group]) -> Side:
    """Without the alarms of these, and the incidents that show nothing else."""
    alarms = tuple(one for one in side.alarms if (one.series.target, one.series.group) not in groups)
    return replace(
        side,
        alarms=alarms,
        incidents=tuple(
            incident
            for incident in side.incidents
            if any((one.series.target, one.series.group) not in groups for one in incident.findings)
        ),
    )
