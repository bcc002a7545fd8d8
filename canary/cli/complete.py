"""What a shell may offer: the names in the config, the ids in the store. Bounded, and silent where there are none."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, store_of
from canary.errors import CanaryError
from canary.records import Symptom

if TYPE_CHECKING:
    from canary.config import Config

_MOST = 50

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _completer(known: "Callable[[Config], Iterable[str]]") -> Completer:
    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        with suppress(CanaryError, OSError):
            config = config_at(ctx.find_root().params["config_path"])
            fitting = (name for name in dict.fromkeys(known(config)) if name.startswith(incomplete))
            return list(islice(fitting, _MOST))
        return []

    return complete


def _incidents(config: "Config") -> Iterator[str]:
    with store_of(config) as store, store.reading() as tx:
        yield from (incident.id for incident in reversed(tx.incidents()))


def _evidence(config: "Config") -> Iterator[str]:
    with store_of(config) as store, store.reading() as tx:
        for incident in reversed(tx.incidents()):
            for finding in incident.findings:
                yield from finding.evidence


def _baselines(config: "Config") -> Iterator[str]:
    with store_of(config) as store, store.reading() as tx:
        yield from (baseline.id for baseline in tx.baselines())


def _replayable(config: "Config") -> Iterator[str]:
    yield from _incidents(config)
    yield from (probe.family for probe in config.probes)
    yield from (one.group for one in config.assignments() if one.burst > 1)
    yield from (probe.id for probe in config.probes)


def _probes(config: "Config") -> Iterator[str]:
    yield from (probe.family for probe in config.probes)
    yield from (probe.id for probe in config.probes)


def _suites(config: "Config") -> Iterator[str]:
    from canary.config import builtin_suites

    yield from (one.suite for one in config.assignments())
    yield from builtin_suites()


def _bisectable(config: "Config") -> Iterator[str]:
    yield from _incidents(config)
    yield from (target.name for target in config.targets)


def _signals(config: "Config") -> Iterable[str]:
    from canary.daemon.assembly import signals_of

    return signals_of(config)


def _explicable(config: "Config") -> Iterator[str]:
    yield from _incidents(config)
    with store_of(config) as store, store.reading() as tx:
        yield from (verdict.id for verdict in tx.verdicts(limit=_MOST))


def _tokens(config: "Config") -> Iterator[str]:
    with store_of(config) as store, store.reading() as tx:
        yield from (token.name for token in tx.tokens() if token.revoked_at is None)


def _silences(config: "Config") -> Iterator[str]:
    with store_of(config) as store, store.reading() as tx:
        yield from (silence.id for silence in reversed(tx.silences()))


def _matchers(config: "Config") -> Iterator[str]:
    for target in config.targets:
        yield from (f"model={target.model}", f"platform={target.platform}", f"pool={target.pool}")
    yield from (f"symptom={symptom}" for symptom in Symptom)


target_names = _completer(lambda config: (target.name for target in config.targets))
probe_ids = _completer(lambda config: (probe.id for probe in config.probes))
families = _completer(lambda config: (probe.family for probe in config.probes))
incident_ids = _completer(_incidents)
evidence_ids = _completer(_evidence)
baseline_ids = _completer(_baselines)
replayable = _completer(_replayable)
bisectable = _completer(_bisectable)
explicable = _completer(_explicable)
probes_and_groups = _completer(_probes)
suite_names = _completer(_suites)
signal_names = _completer(_signals)
token_names = _completer(_tokens)
silence_ids = _completer(_silences)
matcher_texts = _completer(_matchers)
receiver_names = _completer(lambda config: (receiver.name for receiver in config.receivers))
