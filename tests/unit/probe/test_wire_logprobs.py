import json

import pytest

from canary.probe.wire import decode
from canary.probe.wire.logprobs import FLOOR
from canary.records import Dialect, Failure, FailureKind, Logprobs, Response
from tests.unit.probe.builders import SLOT, chat, completion

HALF = {"id": 7, "token": "\ufffd", "bytes": [0xE0], "logprob": -0.5}
OTHER_HALF = {"id": 9, "token": "\ufffd", "bytes": [0xE1], "logprob": -1.5}


def of(body: bytes, dialect: Dialect = Dialect.OPENAI_CHAT) -> Logprobs | None:
    outcome = decode(dialect, 200, {}, body, SLOT)
    assert isinstance(outcome, Response)
    return outcome.logprobs


def content(*entries: object) -> bytes:
    return chat(logprobs={"content": list(entries)})


def without(entry: dict[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in entry.items() if name not in names}


def test_tokens_are_keyed_by_id() -> None:
    assert of(content({**HALF, "top_logprobs": [HALF, OTHER_HALF]})) == Logprobs(
        (7,), (-0.5,), ((7, 9),), ((-0.5, -1.5),)
    )


def test_tokens_without_id_are_keyed_by_bytes() -> None:
    half, other = without(HALF, "id"), without(OTHER_HALF, "id")
    assert of(content({**half, "top_logprobs": [half, other]})) == Logprobs(
        (b"\xe0",), (-0.5,), ((b"\xe0", b"\xe1"),), ((-0.5, -1.5),)
    )


def test_tokens_with_neither_are_keyed_by_the_bytes_of_their_text() -> None:
    entry = {"token": "é", "bytes": None, "logprob": -0.5}
    assert of(content({**entry, "top_logprobs": [entry]})) == Logprobs(
        (b"\xc3\xa9",), (-0.5,), ((b"\xc3\xa9",),), ((-0.5,),)
    )


def test_one_answer_has_one_kind_of_key() -> None:
    found = of(content({**HALF, "top_logprobs": [without(HALF, "id")]}))
    assert found is not None
    assert (found.chosen, found.top) == ((b"\xe0",), ((b"\xe0",),))


def test_a_position_without_top_is_empty() -> None:
    assert of(content(HALF)) == Logprobs((7,), (-0.5,), ((),), ((),))


def test_top_is_ranked_whatever_its_order() -> None:
    found = of(content({**HALF, "top_logprobs": [OTHER_HALF, HALF]}))
    assert found is not None
    assert (found.top, found.top_logprob) == (((7, 9),), ((-0.5, -1.5),))


@pytest.mark.parametrize("sentinel", ["null", "-9999.0", "-3.4028234663852886e38", "-Infinity"])
def test_sentinels_are_raised_to_the_floor(sentinel: str) -> None:
    body = content({**HALF, "logprob": "HERE"}).replace(b'"HERE"', sentinel.encode())
    assert of(body) == Logprobs((7,), (FLOOR,), ((),), ((),))


@pytest.mark.parametrize("impossible", ["NaN", "Infinity", "0.5"])
def test_impossible_logprobs_stay_positive_so_that_they_are_judged(impossible: str) -> None:
    found = of(content({**HALF, "logprob": "HERE"}).replace(b'"HERE"', impossible.encode()))
    assert found is not None
    assert found.chosen_logprob[0] > 0


def test_the_legacy_shape_is_keyed_by_the_bytes_of_its_texts() -> None:
    block = {
        "tokens": [" Par", "is"],
        "token_logprobs": [-0.5, -0.25],
        "top_logprobs": [{" Lyon": -1.5, " Par": -0.5}, None],
        "text_offset": [0, 4],
    }
    assert of(completion(logprobs=block), Dialect.OPENAI_COMPLETIONS) == Logprobs(
        (b" Par", b"is"), (-0.5, -0.25), ((b" Par", b" Lyon"), ()), ((-0.5, -1.5), ())
    )


def test_the_legacy_shape_may_lack_top() -> None:
    block = {"tokens": ["a"], "token_logprobs": [None], "top_logprobs": None}
    assert of(completion(logprobs=block), Dialect.OPENAI_COMPLETIONS) == Logprobs((b"a",), (FLOOR,), ((),), ((),))


def test_offsets_that_are_not_told_are_no_fault() -> None:
    lists = {"tokens": ["Par", "is"], "token_logprobs": [-0.5, -0.25], "top_logprobs": [], "text_offset": [-1, -1]}
    found = of(completion(logprobs=lists), Dialect.OPENAI_COMPLETIONS)  # as SGLang has it
    assert found is not None
    assert found.chosen == (b"Par", b"is")


def test_ids_told_as_texts_are_ids() -> None:
    block = {
        "tokens": ["token_id:7"],
        "token_logprobs": [-0.5],
        "top_logprobs": [{"token_id:7": -0.5, "token_id:9": -2}],
    }
    assert of(completion(logprobs=block), Dialect.OPENAI_COMPLETIONS) == Logprobs(
        (7,), (-0.5,), ((7, 9),), ((-0.5, -2.0),)
    )


def test_completions_may_answer_in_the_chat_shape() -> None:
    assert of(completion(logprobs={"content": [HALF]}), Dialect.OPENAI_COMPLETIONS) == Logprobs(
        (7,), (-0.5,), ((),), ((),)
    )


@pytest.mark.parametrize(
    "block",
    [
        None,
        {},
        {"content": None, "refusal": None},
        {"content": []},
        {"tokens": ["a", "b"], "token_logprobs": [-1.0]},
        {"tokens": ["a"], "token_logprobs": [-1.0], "top_logprobs": [{}, {}]},
    ],
)
def test_logprobs_that_are_missing_or_do_not_fit_together_are_none(block: object) -> None:
    assert of(chat(logprobs=block)) is None


@pytest.mark.parametrize(
    "block",
    [
        {"content": [HALF] * 32_769},
        {"content": [{**HALF, "top_logprobs": [HALF] * 129}]},
        {"content": [{**HALF, "logprob": "-0.5"}]},
        {"content": [{**HALF, "id": -1}]},
        {"content": [{**without(HALF, "id"), "bytes": [256]}]},
        {"content": [without(HALF, "token")]},
        {"tokens": ["a"], "token_logprobs": [-1.0], "top_logprobs": [{str(n): -1.0 for n in range(129)}]},
    ],
)
def test_logprobs_of_wrong_type_or_size_make_the_answer_malformed(block: object) -> None:
    outcome = decode(
        Dialect.OPENAI_CHAT,
        200,
        {},
        json.dumps({"choices": [{"message": {"content": "x"}, "logprobs": block}]}).encode(),
        SLOT,
    )
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.MALFORMED
