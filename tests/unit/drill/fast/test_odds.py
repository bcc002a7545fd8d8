"""What requests meet is drawn by the law of the lab's fleet."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from canary.drill.fast.odds import Odds, Weather, load_of, programs
from canary.lab import batches
from canary.lab.decode import Sampling
from canary.lab.faults import Fault, FaultKind
from canary.lab.fleet import Fleet, Request
from canary.lab.spec import FleetSpec, Platform, Pool

LEVEL = 1e-4
SPEC = FleetSpec(
    ("mid",), (Platform("api", (Pool("short", replicas=5), Pool("long", scaling=0.2, context=1_000_000))),), seed=3
)


def drawn(*faults: tuple[Fault, float], n: int = 4_000, burst: int = 1, gathered: bool = False):
    """For each of n units, what its requests met."""
    shares = np.array([np.full(n, share) for _, share in faults]).reshape(len(faults), n)
    weather = Weather(tuple(fault for fault, _ in faults), shares, np.full(n, 12.0), gathered)
    meetings, which = Odds(SPEC, "mid", "api", "short").draw(weather, burst, np.random.default_rng(1))
    return [[meetings[at] for at in unit] for unit in which.tolist()]


@given(
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 24, exclude_max=True),
    st.sampled_from([0.0, 0.4, 1.0]),
    st.integers(1, 40),
)
def test_batches_are_those_of_the_lab(drawn, hour, swing, at_once):
    hour = round(hour * 60) / 60
    ours = programs(np.array([[drawn]]), load_of(np.array([hour]), swing), at_once)
    assert ours[0, 0] == batches.program(drawn, batches.load(hour, swing), at_once)


@pytest.mark.parametrize("share", [0.3, 0.01])
def test_a_share_of_sessions_is_misrouted(share):
    met = drawn((Fault(FaultKind.MISROUTING, to_pool="long"), share))
    wrong = sum(one.server.pool.name == "long" for (one,) in met)
    assert binomtest(wrong, len(met), share).pvalue > LEVEL


def test_a_share_of_answers_is_struck_whatever_the_server():
    fault = Fault(FaultKind.CORRUPTION, rate=0.1)
    met = drawn((fault, 0.2))
    struck = Counter(one.server.index for (one,) in met if fault in one.struck)
    assert binomtest(sum(struck.values()), len(met), 0.2).pvalue > LEVEL
    assert set(struck) == set(range(5))


def test_faults_of_one_kind_strike_together():
    weak, strong = Fault(FaultKind.CORRUPTION, rate=0.1), Fault(FaultKind.CORRUPTION, rate=0.2)
    met = drawn((weak, 0.1), (strong, 0.3))
    assert all(strong in one.struck for (one,) in met if weak in one.struck)


def test_what_is_installed_is_on_the_very_replicas_of_the_lab():
    fault = Fault(FaultKind.BF16_TOP, share=0.5)
    there = {one.server.name for (one,) in drawn((fault, 0.5)) if fault in one.struck}
    fleet = Fleet(SPEC, [Fault(FaultKind.UPGRADE, version="2", share=0.5)])
    assert len(there) == 2
    asked = [Request("mid", "api", "short", "Why is the sky blue?", Sampling(8), f"s{n}") for n in range(60)]
    assert {fleet.reply(one).replica for one in asked} == {f"api-short-{n}" for n in range(5)}


def test_a_fault_of_one_replica_strikes_there_alone():
    fault = Fault(FaultKind.DROPPED_TOP, replica=3)
    met = drawn((fault, 1.0))
    assert all((fault in one.struck) == (one.server.index == 3) for (one,) in met)


def test_a_burst_has_one_server_and_what_strikes_large_batches_strikes_it():
    fault = Fault(FaultKind.CORRUPTION, batch=8)
    met = drawn((fault, 0.5), n=200, burst=8, gathered=True)
    assert all(len({one.server.name for one in unit}) == 1 for unit in met)
    assert {one.program for unit in met for one in unit} <= {2, 3}
    assert 0 < sum(fault in one.struck for unit in met for one in unit) < 1_600


def test_what_strikes_large_batches_spares_lone_answers():
    fault = Fault(FaultKind.CORRUPTION, batch=8)
    assert not any(one.struck for (one,) in drawn((fault, 1.0), n=200))
