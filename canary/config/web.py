"""Where the daemon answers, and whom."""

from typing import Annotated

from pydantic import Field

from canary.config.fields import Flag, Scalar, Secret, Strict

HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]{1,253}$")]


class Web(Strict):
    """Where the page, the API and the metrics are served, and to whom.

    Reading is open where only this machine is listened to, unless `require_tokens` says otherwise; health checks and
    metrics always are, and acts never. Requests have to name this host, or one of `hosts`.
    """

    host: HostName = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535), Scalar] = 9464
    hosts: Annotated[tuple[HostName, ...], Field(max_length=100)] = ()
    require_tokens: Flag | None = None
    requests_per_second: Annotated[float, Field(gt=0, le=10_000), Scalar] = 20.0
    github_secret: Secret | None = None

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")

    @property
    def names(self) -> frozenset[str] | None:
        """The hosts that a request may name; None is any."""
        if not self.on_loopback:
            return frozenset({self.host, *self.hosts}) if self.hosts else None
        return frozenset({"localhost", "127.0.0.1", "::1", self.host, *self.hosts})
