"""Every error that Canary raises on purpose.

    CanaryError
    ├── ConfigError            what the user wrote cannot be used (exit 2)
    │   └── SecretError        a secret named by the config cannot be read
    ├── ProbeFileError         a probe file cannot be used (exit 2)
    ├── ChangeError            what tells of changes cannot be read (exit 2)
    ├── ReportError            scores that were handed in do not fit
    ├── StoreError             the store cannot do what was asked
    │   ├── StoreUnavailable   it cannot be reached or is full: try again later, nothing was acknowledged
    │   └── SchemaMismatch     its tables are of another version: run `canary db upgrade`
    ├── BaselineError          a baseline cannot be recorded, read or promoted
    ├── DeliveryError          a receiver did not take a notification: it will be tried again
    ├── GrafanaError           Grafana did not take what it was given, or cannot be reached (exit 2)
    └── NotFound               no such target, probe, incident or baseline (exit 2)

An expected failure of a *target* is data (`records.Failure`), never an exception.
"""

from datetime import timedelta
from typing import final


class CanaryError(Exception):
    """Something that Canary cannot do."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class ConfigError(CanaryError):
    """What the user wrote cannot be used."""


@final
class SecretError(ConfigError):
    """A secret named by the config cannot be read."""


@final
class ProbeFileError(CanaryError):
    """A probe file cannot be used."""


@final
class ChangeError(CanaryError):
    """What tells of changes cannot be read."""


@final
class ReportError(CanaryError):
    """Scores that were handed in do not fit."""


class StoreError(CanaryError):
    """The store cannot do what was asked."""


@final
class StoreUnavailable(StoreError):
    """The store cannot be reached or is full; nothing was acknowledged."""


@final
class SchemaMismatch(StoreError):
    """The store's tables are of another version; run `canary db upgrade`."""


@final
class BaselineError(CanaryError):
    """A baseline cannot be recorded, read or promoted."""


@final
class DeliveryError(CanaryError):
    """A receiver did not take a notification."""

    def __init__(self, message: str = "", *, refused: bool = False, pause: timedelta | None = None) -> None:
        super().__init__(message)
        self.refused = refused  # it answered that it will not have it: unlikely to change by itself
        self.pause = pause  # that it asked for


@final
class GrafanaError(CanaryError):
    """Grafana did not take what it was given."""

    def __init__(self, message: str = "", *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status  # of its answer; 0 where there was none


@final
class NotFound(CanaryError):
    """No such thing."""
