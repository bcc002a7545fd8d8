"""What acts and documents need to know of the config, and of what it arms, at a moment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from canary.alert.routing import ReceiverSpec
from canary.pipeline.watch import Watch
from canary.records import Scope


@dataclass(frozen=True, slots=True)
class Ground:
    """`targets` are names. `watch` is None where nothing asks for series."""

    region: str
    targets: tuple[str, ...]
    receivers: Sequence[ReceiverSpec] = ()
    watch: Watch | None = None

    def within(self, scope: Scope) -> list[str]:
        """The targets that a scope covers, in whatever region."""
        anywhere = replace(scope, region=None)
        return [name for name in self.targets if anywhere.covers(name, self.region)]
