"""The names in the tables of what can be seen."""

from canary.cli.sights import KINDS
from canary.records import SignalKind


def test_every_kind_of_signal_has_a_name() -> None:
    assert KINDS.keys() == {kind.value for kind in SignalKind}
