"""Which scorer sees which fault, beside what one could use instead: `python -m tests.bench.matrix [--record FILE]`.

First faults put into clean answers (`tests.bench.faults`), seen where a value exceeds that of the same answer before,
then faults of a real engine (`tests.bench.engine_noise`), where there is one. `--record` keeps the figures as JSON for
`tests.bench.picture` to draw.
"""

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from canary.records import Finish, Response, Score
from canary.score import SCORERS, Scorer, score_response
from tests.bench import engine_noise
from tests.bench.alternatives import ALTERNATIVES, OF_TEXT
from tests.bench.answers import probe
from tests.bench.faults import ANSWERS, FAULTS, Answer, answers
from tests.bench.scorers import case, micros
from tests.bench.table import ANY, Table

CLEAN = "clean"
OURS = ("script", "language", "syntax", "fence", "loop")
"""The scorers of any text."""
COPY = "copy"
"""The scorer of a text that the probe asks for, here the clean answer."""
NAMES = (*OURS, COPY, *OF_TEXT)
JUDGES: Mapping[str, Scorer] = {**SCORERS, **ALTERNATIVES}

Values = Mapping[str, float]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--record", type=Path, metavar="FILE")
    file: Path | None = parser.parse_args().record
    cost = costs()
    tables = [texts()]
    print(f"{tables[0]}\n\n{spent(cost)}\n", flush=True)
    try:
        tables.append(engine_noise.measured())
        print(tables[-1])
    except pytest.skip.Exception as missing:
        print(missing)
    if file:
        figures = {"tables": list(map(asdict, tables)), "micros": cost}
        file.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", "utf-8")


def texts() -> Table:
    """The share of answers that each scorer of texts sees; of clean ones, those with a value above zero."""
    clean = answers()
    before = [values(answer, answer) for answer in clean]
    shares = {CLEAN: _shares([_above({}, now) for now in before])}
    for name, corrupt in FAULTS.items():
        rng = random.Random(1)
        made = [corrupt(answer, rng) for answer in clean]
        whole = zip(before, clean, made, strict=True)
        shares[name] = _shares([_above(then, values(bad, good)) for then, good, bad in whole if bad != good])
    rows = {row: {column: share[row] for column, share in shares.items()} for row in (*OURS, ANY, COPY, *OF_TEXT)}
    return Table(f"share of {ANSWERS} answers seen, of {CLEAN} ones flagged for nothing", tuple(shares), rows)


def values(answer: Answer, wanted: Answer) -> Values:
    one = replace(probe(), scorers=NAMES, answer=wanted.text)
    found = score_response(one, Response(answer.text, Finish.STOP), None, JUDGES)
    return {each.signal: each.value for each in found if isinstance(each, Score)}


def _above(then: Values, now: Values) -> set[str]:
    return {name for name, value in now.items() if value > then.get(name, 0.0)}


def _shares(flagged: Sequence[set[str]]) -> Mapping[str, float]:
    shares = {name: sum(name in names for names in flagged) / len(flagged) for name in NAMES}
    return {**shares, ANY: sum(not names.isdisjoint(OURS) for names in flagged) / len(flagged)}


def costs() -> Mapping[str, float]:
    """Microseconds of CPU of each scorer alone, on the answer of `tests.bench.scorers`."""
    response, reference, asked = case()
    return {name: micros(replace(asked, scorers=(name,)), response, reference, JUDGES) for name in JUDGES}


def spent(cost: Mapping[str, float]) -> str:
    lines = (f"{name:<22}{one:>8.0f} us" for name, one in cost.items())
    return "\n".join(["CPU of one answer of 2 KB", "", *lines])


if __name__ == "__main__":
    main()
