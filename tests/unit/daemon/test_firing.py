"""What is counted of slots that were not probed."""

from collections.abc import Sequence

import pytest

from canary.daemon.firing import Firing
from canary.daemon.purse import Purse
from canary.http import HttpClient
from canary.metrics import Metrics
from canary.pipeline.ledger import Fired
from canary.pipeline.writer import Writer
from canary.probe.client import ProbeClient
from canary.schedule.scheduler import MissReason
from canary.testing import FakeClock
from tests.contract.store_values import T0


def nothing(_: Sequence[Fired]) -> None:
    """Nothing comes of what is fired."""


@pytest.mark.parametrize("reason", [*MissReason, "token_budget"])
def test_a_reason_is_counted_from_zero_on_before_any_slot_is_missed(reason: str) -> None:
    """A counter that appears with its first miss hides that miss from `rate`."""
    clock, metrics = FakeClock(T0), Metrics(version="1")
    Firing(ProbeClient(HttpClient(), clock), Purse(), Writer(nothing, clock), metrics, clock, lambda _: True)
    assert f'canary_missed_slots_total{{reason="{reason}"}} 0.0' in metrics.text().decode().splitlines()
