"""CPU of every scorer on one answer, a line each, and of all of them together.

    python -m tests.bench.scorers

The answer is the one of `tests.bench.scoring`: 2 KB of Markdown with a code block, 100 tokens with top-5 logprobs, 20
golden answers; here the probe also expects a text, a schema and a tool call. No text comes twice in a row of 300, so
that nothing is remembered of it. The figures are the least of several rounds. "alone" includes what scorers share (the
fences, the check of the logprobs, the choice of the nearest golden answer); a probe that asks for all pays that once.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle

from canary.records import Probe, Reference, Response, Sampling, Score, answer_digest
from canary.score import SCORERS, Scorer, score_response
from tests.bench.answers import TOKENS, TOP, answer, golden, probe
from tests.bench.scoring import least_cpu

PROMPT_TOKENS = 30
TEXTS = 300
CALLS, ROUNDS = 10, 40
"""Short rounds: what else the machine does disturbs not all of them."""
TOOLS = """[{"type": "function", "function": {"name": "mean", "parameters": {"type": "object",
 "properties": {"values": {"type": "array", "items": {"type": "number"}}}, "required": ["values"]}}}]"""
SCHEMA = '{"type": "object", "required": ["values"]}'


def main() -> None:
    response, reference, one = case()
    size = len(response.text.encode())
    print(f"{size} bytes, {TOKENS} tokens x top-{TOP}, {len(reference.logprobs)} golden answers\n")
    print(f"{'scorer':<16}{'value':>12}{'alone':>10}")
    for name in SCORERS:
        asked = replace(one, scorers=(name,))
        [judged] = score_response(asked, response, reference)
        found = f"{judged.value:.4g}" if isinstance(judged, Score) else judged.reason.value
        print(f"{name:<16}{found:>12}{micros(asked, response, reference):>7.0f} us")
    ours = tuple(name for name in SCORERS if name not in {"script", "language", "syntax"})
    for label, names in (("\nall but script, language, syntax", ours), (f"all {len(SCORERS)}", tuple(SCORERS))):
        print(f"{label:<34}{micros(replace(one, scorers=names), response, reference):>5.0f} us")


def case() -> tuple[Response, Reference, Probe]:
    """An answer for every scorer to judge, its golden answers and its probe."""
    response = replace(
        answer(),
        prompt_tokens=PROMPT_TOKENS,
        completion_tokens=TOKENS,
        prompt_logprobs=golden(1).logprobs[0],
        tool_calls=(("mean", '{"values": [1, 2.5, 3]}'),),
    )
    reference = replace(
        golden(20),
        prompt_logprobs=golden(20).logprobs,
        answers=((answer_digest(response.text), 19), (answer_digest(""), 1)),
        prompt_tokens=(PROMPT_TOKENS,),
        lengths=(TOKENS - 2, TOKENS, TOKENS + 3),
    )
    sampling = Sampling(400, logprobs=TOP, prompt_logprobs=1)
    asked = replace(
        probe(), sampling=sampling, answer=response.text.replace("means", "sums", 1), schema=SCHEMA, tools=TOOLS
    )
    return response, reference, asked


def micros(asked: Probe, response: Response, reference: Reference, judges: Mapping[str, Scorer] = SCORERS) -> float:
    """Microseconds of CPU of all that the probe asks for, on texts of which nothing is remembered."""
    fresh = cycle([replace(response, text=f"{response.text}{i:03}") for i in range(TEXTS)])
    return 1e6 * least_cpu(lambda: score_response(asked, next(fresh), reference, judges), CALLS, ROUNDS)


if __name__ == "__main__":
    main()
