"""Every table of the scorers, one after the other: CPU, which fault is seen by which, beside what else one could use.

    python -m tests.bench.scoring

The first two tables are here: CPU of the scorers on one answer, and the script scan beside a regular expression. An
answer is 2 KB of Markdown with a code block and 100 tokens with top-5 logprobs; 20 golden answers. Figures are the
least of several rounds, in microseconds of CPU; ratios travel between machines, figures do not. The other tables say
what they show; each runs alone as `python -m tests.bench.NAME`.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import regex

from canary.records import Probe, Reference, Response
from canary.score import score_response
from canary.score.characters import scan
from tests.bench.answers import LATIN, answer, golden, mixed, plain, probe
from tests.unit.score.samples import PROSE

ROUNDS = 7
SCORERS = ("script", "language", "syntax", "logprob", "greedy")
OTHERS = ("matrix", "scorers", "corruption", "hostile", "language")


def main() -> None:
    response, reference = answer(), golden(20)
    _scorers(probe(), response, reference)
    _scan()
    if failed := [name for name in OTHERS if not _ran(name)]:
        sys.exit(f"failed: {', '.join(failed)}")


def _ran(name: str) -> bool:
    print(f"\n### {name}\n", flush=True)
    return subprocess.run([sys.executable, "-m", f"tests.bench.{name}"]).returncode == 0


def _scorers(probe: Probe, response: Response, reference: Reference) -> None:
    print(f"answer: {len(response.text.encode())} bytes, 100 tokens x top-5, {len(reference.logprobs)} golden answers")
    for scorers in (*((name,) for name in SCORERS), SCORERS):
        one = replace(probe, scorers=scorers)
        micros = 1e6 * least_cpu(partial(score_response, one, response, reference), 100)
        print(f"{'+'.join(scorers):<42}{micros:>10.0f} us")


def _scan() -> None:
    scripts = frozenset(["Latn", "Cyrl", "Hani", "Thai"])
    many = "\n".join(PROSE[language] for language in ("en", "fr", "ru", "zh", "th")) * 100
    known = r"\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}"
    latin, all_four = rf"[^{known}]", rf"[^{known}\p{{Script=Cyrillic}}\p{{Script=Han}}\p{{Script=Thai}}]"
    for name, text, allowed, pattern in (
        ("ASCII", plain(), LATIN, latin),
        ("typographic", mixed(), LATIN, latin),
        ("four scripts", many, scripts, all_four),
        ("a stray in each 2 KB", (mixed(2000) + "极") * 100, LATIN, latin),
    ):
        size = len(text.encode()) / 1e6
        search = regex.compile(pattern).findall
        ours, theirs = (least_cpu(partial(scan, text, allowed), 5), least_cpu(partial(search, text), 5))
        speeds = f"scan {size / ours:>7.0f} MB/s   regex {size / theirs:>7.0f} MB/s"
        print(f"{name:<22}{speeds}   ratio {theirs / ours:.2f}")


def least_cpu(work: Callable[[], object], times: int, rounds: int = ROUNDS) -> float:
    """The least CPU time of one call, in seconds, over rounds of `times` calls."""
    work()
    return min(_cpu(work, times) for _ in range(rounds))


def _cpu(work: Callable[[], object], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


if __name__ == "__main__":
    main()
