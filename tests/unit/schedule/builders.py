from datetime import UTC, datetime, timedelta

from canary.records import Dialect, Endpoint, Message, Probe, Sampling, Target, burst_group
from canary.schedule.plan import Plan, PlanEntry

START = datetime(2025, 8, 5, 12, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def probe(name: str, group: str = "prose", salts: int = 0) -> Probe:
    words = (Message("user", "Describe glass."),)
    return Probe(
        name, group, words, Sampling(100), ("script",), "why", salts=tuple(f"Request {i}." for i in range(salts))
    )


def target(pool: str = "short", url: str = "http://127.0.0.1") -> Target:
    return Target("mid", "api", pool, Endpoint(Dialect.OPENAI_CHAT, url, "mid"))


def entry(
    pool: str = "short",
    group: str = "prose",
    *,
    interval: float = 60,
    jitter: float = 5,
    names: str = "abc",
    salts: int = 0,
    burst: int = 1,
) -> PlanEntry:
    probes = tuple(probe(f"{group}-{name}", group, salts) for name in names)
    return PlanEntry("main", target(pool), burst_group(group, burst), probes, seconds(interval), seconds(jitter), burst)


def plan(*entries: PlanEntry, region: str = "local", seed: str = "") -> Plan:
    return Plan(entries, region, seed)
