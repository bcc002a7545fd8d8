"""`canary demo`: what a newcomer sees first."""

import subprocess
import sys
from pathlib import Path

import pytest

from canary.cli.demo import _checked
from canary.errors import CanaryError
from canary.records import Incident
from tests.contract.store_values import incident

FAULTY = {"model": "mid", "platform": "api", "pool": "short"}
OTHER = {**FAULTY, "pool": "long"}


@pytest.mark.slow
def test_the_demo_finds_its_fault_and_names_the_pool(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "canary", "demo", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "Found: the fault is in mid/api/short, and nowhere else" in done.stdout
    assert "canary replay" in done.stdout


def test_the_demo_takes_the_incident_of_its_fault() -> None:
    right = incident(**FAULTY)
    assert _checked([right], faulty=True) is right


@pytest.mark.parametrize(
    ("found", "faulty"),
    [
        ([incident(**FAULTY)], False),  # an incident before there was a fault
        ([incident(**OTHER)], True),  # another pool
        ([incident("a", **FAULTY), incident("b", **OTHER)], True),  # one pool too many
    ],
)
def test_the_demo_fails_loudly_when_the_incident_is_not_that_of_its_fault(found: list[Incident], faulty: bool) -> None:
    with pytest.raises(CanaryError, match="the demo failed"):
        _checked(found, faulty=faulty)
