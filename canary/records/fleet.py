"""What is watched: targets, how they are reached, and the parts of the fleet that they make up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase


class Dialect(StrEnum):
    """The API a target speaks."""

    OPENAI_CHAT = "openai_chat"
    OPENAI_COMPLETIONS = "openai_completions"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a target is reached. `headers` and `token` may hold secrets: they are never shown."""

    dialect: Dialect
    base_url: str
    model: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str | None = field(default=None, repr=False)
    affinity_header: str | None = None
    replica_header: str | None = None
    extra_body: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one target may be asked to bear, and what one answer may cost us."""

    concurrency: int = 8
    rate_per_second: float = 10.0
    timeout: timedelta = timedelta(seconds=60)
    max_bytes: int = 4_000_000
    tokens_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A model x platform x pool, with its endpoint. An `external` one has none: its scores are handed in."""

    model: str
    platform: str
    pool: str
    endpoint: Endpoint
    limits: Limits = Limits()
    external: bool = False

    @property
    def name(self) -> str:
        return f"{self.model}/{self.platform}/{self.pool}"


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the fleet. Each field is a name or a glob over names; None is any."""

    model: str | None = None
    platform: str | None = None
    pool: str | None = None
    region: str | None = None

    def covers(self, target: str, region: str) -> bool:
        """Whether a target (by its name), seen from a region, lies in it."""
        model, platform, pool = target.rsplit("/", 2)
        return all(_fits(name, part) for name, part in zip((model, platform, pool, region), self.parts, strict=True))

    def overlaps(self, other: "Scope") -> bool:
        """Whether something may lie in both. Of two globs one has to fit the other as it is written."""
        pairs = zip(self.parts, other.parts, strict=True)
        return all(a is None or b is None or _fits(a, b) or _fits(b, a) for a, b in pairs)

    def includes(self, other: "Scope") -> bool:
        """Whether all of the other lies in it."""
        return all(mine is None or mine == theirs for mine, theirs in zip(self.parts, other.parts, strict=True))

    @classmethod
    def of(cls, name: str) -> "Scope":
        """Of a target's name, in which "*" is any."""
        return cls(*(None if part == "*" else part for part in name.rsplit("/", 2)))

    @property
    def parts(self) -> tuple[str | None, str | None, str | None, str | None]:
        return (self.model, self.platform, self.pool, self.region)

    @property
    def name(self) -> str:
        """As people write it: "mid/api/*"; the region only where there is one."""
        return "/".join(part or "*" for part in (self.parts if self.region else self.parts[:3]))


def _fits(name: str, glob: str | None) -> bool:
    return glob is None or fnmatchcase(name, glob)
