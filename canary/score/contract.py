"""What is asked of every scorer, ours and yours, as a suite that needs no test runner.

>>> from canary.score import SCORERS
>>> check(SCORERS["empty"], list(hostile()))
[]
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from canary.records import (
    Finish,
    Logprobs,
    Message,
    Probe,
    Reference,
    Response,
    Sampling,
    Signal,
    UnscoredReason,
    answer_digest,
)
from canary.score.case import Case, Scorer
from canary.score.measure import Measure

MOST_SECONDS = 0.002
"""Of CPU, for an answer of 2 KB."""
MOST_SECONDS_A_BYTE = 50e-6
"""Of CPU, for any other: the longest answers may take seconds, but not hours."""
LONGEST_NOTE = 300
MARK = "zqxjkvzqxjkv"
"""Stands in every hostile text: a note that has it quotes the answer."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ROUNDS = 3


def check(scorer: Scorer, samples: Sequence[Case], timer: Callable[[], float] | None = None) -> list[str]:
    """What a scorer does against its contract, in sentences; none for a good one.

    The contract: it never raises; the same case gets the same judgement; a value is finite and at least 0, an exposure
    finite and above 0; a note is short, printable and does not quote the answer; the signal has a name and a version;
    an answer of 2 KB costs less than 2 ms of CPU.

    Shape:
        A scorer and the cases to try it on (`hostile` gives a collection) to a list of sentences. `timer` gives seconds
        of CPU, as `time.process_time` does; without one, cost is not checked.

    Raises:
        Nothing that the scorer raises.
    """
    problems = signal_problems(scorer.signal)
    for place, case in enumerate(samples, 1):
        found = list(_case_problems(scorer, case))
        if timer is not None and not found and (seconds := _cost(scorer, case, timer)) > _allowed(case):
            found = [f"takes {1000 * seconds:.1f} ms, more than {1000 * _allowed(case):.1f}"]
        problems += [f"sample {place}: {problem}" for problem in found]
    return problems


def hostile() -> Iterator[Case]:
    """Cases that a scorer must stand: texts of every kind, logprobs possible and not, with golden answers and without.

    Shape:
        No argument to some hundred cases, the same each time.

    Raises:
        Nothing.
    """
    probe = Probe(
        "contract",
        "contract",
        (Message("user", "Say what you like."),),
        Sampling(100, logprobs=2, prompt_logprobs=1),
        (),
        "to hold scorers to their contract",
        language="en",
        scripts=("Latn",),
        code_language="python",
        answer="one two three",
        schema='{"type": "object"}',
        tools='[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]',
    )
    bare = replace(probe, language=None, scripts=(), code_language=None, answer=None, schema="{", tools="[]")
    for text in _texts():
        for finish in Finish:
            yield Case(probe, Response(text, finish))
    for vector in _vectors():
        response = Response(f"{MARK} ok", Finish.STOP, "", "", 7, 9, 0, vector, vector, (("f", "[" * 5000),))
        golden = Reference("contract", 0, (vector,), (vector,), ((answer_digest("ok"), 3),), (7,), (1, 9))
        for reference in (None, Reference("contract", 0), golden, replace(golden, logprobs=(_GOOD,))):
            yield from (Case(asked, response, reference) for asked in (probe, bare))
    sound = Response(f"{MARK} ok", Finish.STOP, logprobs=_GOOD, prompt_logprobs=_GOOD)
    unsound = tuple(_vectors())[1:]
    yield Case(probe, sound, Reference("contract", 0, unsound, unsound))
    yield from (Case(probe, sound, Reference("contract", 0, (one,), (one,))) for one in unsound)


_GOOD = Logprobs((1, 2), (-0.2, -0.3), ((1, 5), (2, 6)), ((-0.2, -2.5), (-0.3, -2.0)))


def _texts() -> Iterator[str]:
    yield from ("", " \n\t", MARK, f"{MARK}\x00\x1b\ufffd\u202e\ud800 \U000e0041", f"{MARK} สวัสดี 极 مرحبا नमस्ते 👩‍👩‍👧")
    yield from (f"```python\n{MARK} = (\n", f"~~~\n```\n> ```json\n> {{{MARK}", f'{{"a": {"[" * 3000}{MARK}')
    yield from (
        f"{MARK} ha " * 700,
        "a\u0301" * 5000 + MARK,
        MARK + "(" * 10_000,
        "1" * 6000 + MARK,
        "\n" * 5000 + MARK,
    )
    yield f"The harbour was calm, and only the ferry moved. {MARK}. " * 30


def _vectors() -> Iterator[Logprobs]:
    yield _GOOD
    yield Logprobs((), (), (), ())
    yield Logprobs((1, 2), (-0.1,), ((1,),), ((-0.1, -0.2),))
    yield Logprobs((b"\xe0", 2), (-0.1, -50.0), ((b"\xe0", 3), ()), ((-0.1, -9.0), ()))
    for value in (math.nan, math.inf, -math.inf, 1e308, 0.5, -1e308, 0.0):
        yield Logprobs((1, 2), (value, -0.1), ((1, 3), (2, 4)), ((value, -3.0), (-0.1, value)))


def signal_problems(signal: Signal) -> list[str]:
    """What is wrong with how a signal is named, in sentences.

    Shape:
        A signal to a list; empty for a good one.

    Raises:
        Nothing.
    """
    problems = []
    if not _NAME.fullmatch(signal.name):
        problems.append("the signal's name is not of the form [a-z][a-z0-9_]*, 40 characters at most")
    if signal.version < 1:
        problems.append("the signal's version is not 1 or more")
    if not signal.unit or not signal.exposure_unit:
        problems.append("the signal has no unit or no unit of exposure")
    return problems


def _case_problems(scorer: Scorer, case: Case) -> Iterator[str]:
    try:
        first: object = scorer.measure(case)
        second: object = scorer.measure(Case(case.probe, case.response, case.reference))
    except Exception as error:  # noqa: BLE001 - to say that it raised is what this is for
        yield f"raises {type(error).__name__}"
        return
    if repr(first) != repr(second):
        yield "judges the same case in two ways"
    if isinstance(first, UnscoredReason):
        return
    if not isinstance(first, Measure):
        yield "gives neither a Measure nor an UnscoredReason"
        return
    yield from _measure_problems(first)


def _measure_problems(found: Measure) -> Iterator[str]:
    if not 0 <= found.value < math.inf:
        yield f"gives the value {found.value}, which is not finite and at least 0"
    if not 0 < found.exposure < math.inf:
        yield f"gives the exposure {found.exposure}, which is not finite and above 0"
    if len(found.note) > LONGEST_NOTE or not found.note.isprintable():
        yield f"writes a note that is longer than {LONGEST_NOTE} characters or not printable"
    if MARK in found.note:
        yield "quotes the answer in its note"


def _cost(scorer: Scorer, case: Case, timer: Callable[[], float]) -> float:
    """The least of some rounds, each on a case of its own, since a case remembers."""
    costs = []
    for _ in range(_ROUNDS):
        fresh, start = Case(case.probe, case.response, case.reference), timer()
        scorer.measure(fresh)
        costs.append(timer() - start)
    return min(costs)


def _allowed(case: Case) -> float:
    size = len(case.response.text.encode("utf-8", "surrogatepass"))
    return max(MOST_SECONDS, MOST_SECONDS_A_BYTE * size) if size > 2_000 else MOST_SECONDS
