"""What `canary check` prints."""

from canary.cli.check import KINDS
from canary.records import SignalKind


def test_every_kind_of_signal_has_a_name() -> None:
    assert KINDS.keys() == {kind.value for kind in SignalKind}
