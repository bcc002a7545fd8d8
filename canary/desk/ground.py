"""What acts and documents need to know of the config, and of what it arms, at a moment."""

from dataclasses import dataclass, field, replace

from canary.pipeline.tell import Audience
from canary.pipeline.watch import Watch
from canary.records import Scope


@dataclass(frozen=True, slots=True)
class Ground:
    """`targets` are names. `watch` is None where nothing asks for series."""

    region: str
    targets: tuple[str, ...]
    audience: Audience = field(default_factory=Audience)
    watch: Watch | None = None

    def within(self, scope: Scope) -> list[str]:
        """The targets that a scope covers, in whatever region."""
        anywhere = replace(scope, region=None)
        return [name for name in self.targets if anywhere.covers(name, self.region)]
