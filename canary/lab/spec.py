"""What a fleet consists of, and the Canary config that watches it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pool:
    """Servers that are set up alike.

    `scaling` is the sd in nats by which positions that are scaled to fit the `context` (in tokens) shift logits in an
    answer; `latency` the typical seconds to an answer.
    """

    name: str
    scaling: float = 0.0
    context: int = 32_768
    replicas: int = 3
    latency: float = 0.02


@dataclass(frozen=True, slots=True)
class Platform:
    """A place where models are served. Platforms differ in their arithmetic: logits by `drift` nats (sd)."""

    name: str
    pools: tuple[Pool, ...]
    drift: float = 0.05


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """`swing` is how far the day's load sways the sizes of batches: 0 not at all, 1 plainly."""

    models: tuple[str, ...]
    platforms: tuple[Platform, ...]
    seed: int = 1
    swing: float = 0.0

    @property
    def targets(self) -> tuple[tuple[str, str, str], ...]:
        """Model, platform, pool of each."""
        return tuple((model, p.name, pool.name) for model in self.models for p in self.platforms for pool in p.pools)


A_FEW = "probes: [prose-glass, prose-bread, prose-lighthouse, code-python, code-json, code-html, code-sql]"
"""A choice of probes that show every fault of the lab, and whose baselines are recorded soon."""


def default_spec(seed: int = 1, latency: float = 0.02) -> FleetSpec:
    """Two models on two platforms, one of which has servers for long contexts: six targets."""
    short = Pool("short", latency=latency)
    long = Pool("long", scaling=0.2, context=1_000_000, latency=2 * latency)
    return FleetSpec(("mid", "small"), (Platform("api", (short, long)), Platform("cloud", (short,))), seed)


def config_text(spec: FleetSpec, base_url: str, interval: str = "10s", choice: str = "") -> str:
    """A Canary config (YAML) that watches all targets of a fleet served at `base_url`.

    `choice` is a line of the suite that says what it fires (`families: [prose]`); without it, all.
    """
    platforms = [platform.name for platform in spec.platforms]
    pools = list(dict.fromkeys(pool.name for platform in spec.platforms for pool in platform.pools))
    missing = [
        f"  - {{platform: {platform.name}, pool: {pool}}}"
        for platform in spec.platforms
        for pool in pools
        if pool not in {own.name for own in platform.pools}
    ]
    return _CONFIG.format(
        models=", ".join(spec.models),
        platforms=", ".join(platforms),
        pools=", ".join(pools),
        exclude="\n".join(["exclude:", *missing]) if missing else "exclude: []",
        base_url=base_url,
        interval=interval,
        choice=f"\n    {choice}" if choice else "",
    )


_CONFIG = """\
version: 1
models: [{models}]
platforms: [{platforms}]
pools: [{pools}]
{exclude}
endpoints:
  - base_url: {base_url}/{{platform}}/{{pool}}/v1
    dialect: openai_chat
    model: "{{model}}"
    affinity_header: x-session-id
    replica_header: x-replica
    limits: {{concurrency: 16, rate_per_second: 200, timeout: 20s}}
suites:
  - name: all
    interval: {interval}{choice}
receivers:
  - name: console
    kind: console
"""
