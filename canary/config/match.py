"""Globs on the names of targets."""

from fnmatch import fnmatchcase

from canary.config.fields import Glob, Strict
from canary.records import Target


class Match(Strict):
    """Globs on a target's names."""

    model: Glob = "*"
    platform: Glob = "*"
    pool: Glob = "*"

    def fits(self, model: str, platform: str, pool: str) -> bool:
        pairs = ((model, self.model), (platform, self.platform), (pool, self.pool))
        return all(fnmatchcase(name, glob) for name, glob in pairs)

    def fits_target(self, target: Target) -> bool:
        return self.fits(target.model, target.platform, target.pool)
