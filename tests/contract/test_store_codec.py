"""Records survive their encoding exactly."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.errors import StoreError
from canary.records import Baseline, Failure, FailureKind, Finish, Incident, Logprobs, Response
from canary.store.codec import dumps, loads, micros, moment, pack, pack_response, unpack, unpack_response
from tests.contract.store_values import RESPONSE, baseline, incident

SIZE = incident().findings[0].size
any_text = st.text(st.characters(exclude_categories=()))  # lone surrogates and NUL too
counts = st.none() | st.integers(0, 2**63 - 1)
floats = st.floats(allow_nan=False)
keys = st.integers(0, 2**63 - 1) | st.binary(max_size=8)
zones = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=zones | st.just(UTC))  # noqa: DTZ001  naive bounds


def several(elements: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(elements, max_size=4).map(tuple)


logprobs = st.builds(
    Logprobs,
    chosen=several(keys),
    chosen_logprob=several(floats),
    top=several(several(keys)),
    top_logprob=several(several(floats)),
)
responses = st.builds(
    Response,
    text=any_text,
    finish=st.sampled_from(Finish),
    model=any_text,
    server=any_text,
    prompt_tokens=counts,
    completion_tokens=counts,
    cached_tokens=counts,
    logprobs=st.none() | logprobs,
)


@given(responses)
def test_a_response_survives(response: Response) -> None:
    assert unpack_response(pack_response(response)) == response


@given(moments)
def test_a_moment_survives_as_the_same_moment_in_utc(when: datetime) -> None:
    back = moment(micros(when))
    assert (back, back.tzinfo) == (when, UTC)


@given(
    st.builds(
        Failure,
        kind=st.sampled_from(FailureKind),
        detail=st.text(),
        status=counts,
        retry_after=st.none() | st.timedeltas(timedelta(0), timedelta(days=10_000)),
    )
)
def test_a_failure_survives(failure: Failure) -> None:
    assert loads(dumps(failure), Failure) == failure


@given(several(floats))
def test_the_calibration_of_a_baseline_survives_exactly(values: tuple[float, ...]) -> None:
    given_ = baseline(calibration=values)
    back = unpack(pack(given_), Baseline)
    assert back == given_
    assert [v.hex() for v in back.calibration] == [v.hex() for v in values]  # 0.0 and -0.0 are equal, but not the same


def test_a_baseline_of_before_there_were_scales_is_read_as_one_in_which_probes_do_not_differ() -> None:
    document = msgspec.msgpack.decode(pack(baseline()))
    for part in document[1]["parts"]:
        del part["scale"]
    assert {part.scale for part in unpack(msgspec.msgpack.encode(document), Baseline).parts} == {1.0}


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(TypeError):
        micros(datetime(2026, 3, 1))  # noqa: DTZ001  that is the point


def test_a_body_of_a_later_version_is_refused() -> None:
    data = bytearray(pack_response(RESPONSE))
    data[1] = 9  # after the mark of the array
    with pytest.raises(StoreError, match="version 9"):
        unpack_response(bytes(data))


def test_a_document_of_a_later_version_is_refused() -> None:
    with pytest.raises(StoreError, match="version 9"):
        loads(dumps(incident()).replace('"version":1', '"version":9', 1), Incident)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x92\x01\x80", pack_response(RESPONSE)[:-1]])
def test_a_damaged_body_is_a_store_error(data: bytes) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        unpack_response(data)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version":1}', '{"version":1,"record":{}}'])
def test_a_damaged_document_is_a_store_error(text: str) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        loads(text, Incident)


@pytest.mark.parametrize("bad", [{"size": replace(SIZE, high=float("nan"))}, {"evidence": ("\ud800",)}])
def test_what_json_cannot_keep_is_refused_when_it_is_written(bad: dict[str, Any]) -> None:
    finding = replace(incident().findings[0], **bad)
    with pytest.raises(StoreError):
        dumps(incident(findings=(finding,)))


def test_a_field_that_is_not_known_yet_is_passed_over() -> None:
    document = dumps(incident()).replace('"record":{', '"record":{"later":[1],')
    assert loads(document, Incident) == incident()
