import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from canary.detect import EsrState, EventDetector, evidence, from_bytes, reset, start, step, to_bytes

LOG_E = st.one_of(st.floats(-30.0, 8.0), st.just(-np.inf))
LOG_B = st.one_of(st.floats(-40.0, -1.0), st.just(-np.inf))


def feeds(alternatives: int = 5, series: int = 7, slots: int = 12):
    return st.tuples(
        arrays(np.float64, (slots, series, alternatives), elements=LOG_E),
        arrays(np.float64, (slots, series), elements=LOG_B),
    )


def run(log_e: np.ndarray, log_b: np.ndarray) -> EsrState:
    state = start(log_e.shape[-1], log_e.shape[1:-1])
    for e, b in zip(log_e, log_b, strict=True):
        state = step(state, e, b)
    return state


def test_the_recursion_is_that_of_the_formula():
    e, b = np.array([[4.0, 0.5], [3.0, 0.25], [0.5, 6.0]]), np.array([1e-3, 2e-3, 0.0])
    r = np.zeros(2)
    state = start(2)
    for each_e, each_b in zip(e, b, strict=True):
        r = (r + each_b / 2) * each_e
        state = step(state, np.log(each_e), np.log(each_b) if each_b else -np.inf)
    assert np.allclose(np.exp(state.log_r), r, rtol=1e-12)
    assert np.isclose(float(evidence(state)), np.log(r.sum()), rtol=1e-12)


@given(feeds())
def test_stepping_many_series_at_once_gives_the_bits_of_stepping_each_alone(feed):
    log_e, log_b = feed
    together = run(log_e, log_b)
    for series in range(log_e.shape[1]):
        alone = run(log_e[:, series], log_b[:, series])
        assert alone.log_r.tobytes() == together.log_r[series].tobytes()
        assert evidence(alone).tobytes() == evidence(together)[series].tobytes()


@pytest.mark.parametrize("series", [1, 2, 3, 4, 5, 8, 9, 31, 64, 1000])
def test_the_size_of_a_batch_does_not_change_a_bit(series):
    rng = np.random.default_rng(series)
    log_e, log_b = rng.normal(0.0, 3.0, (6, series, 30)), rng.uniform(-25.0, -3.0, (6, series))
    together = run(log_e, log_b)
    strided = run(log_e[:, ::-1], log_b[:, ::-1])
    last = run(log_e[:, -1], log_b[:, -1])
    assert together.log_r[-1].tobytes() == last.log_r.tobytes() == strided.log_r[0].tobytes()
    assert evidence(together)[-1].tobytes() == evidence(last).tobytes() == evidence(strided)[0].tobytes()


@pytest.mark.parametrize("shape", [(511,), (513,), (1500,), (40, 30)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_known_outcomes_give_the_same_bits_in_any_batch_and_memory_order(shape, order):
    detector, rng = EventDetector(0.05), np.random.default_rng(3)
    law, state, alone = detector.outcomes(1.0), start(16, shape), start(16)
    last = (-1,) * len(shape)
    for _ in range(8):
        log_e, log_b = law.log_e[rng.integers(0, 2, shape)], rng.uniform(-9.0, -3.0, shape)
        alone = step(alone, log_e[last], log_b[last], law)
        fed = EsrState(np.array(state.log_r, order=order), state.n)
        state = step(fed, np.array(log_e, order=order), log_b, law)
    assert state.log_r[last].tobytes() == alone.log_r.tobytes()
    assert evidence(state)[last].tobytes() == evidence(alone).tobytes()


@given(feeds(series=1), st.integers(0, 12))
def test_a_restart_in_the_middle_changes_nothing(feed, cut):
    log_e, log_b = feed
    state = from_bytes(to_bytes(run(log_e[:cut], log_b[:cut])))
    for e, b in zip(log_e[cut:], log_b[cut:], strict=True):
        state = step(state, e, b)
    assert to_bytes(state) == to_bytes(run(log_e, log_b))


def test_a_slot_that_spends_nothing_leaves_a_silent_series_silent():
    assert float(evidence(step(start(3), [5.0, 5.0, 5.0], -np.inf))) == -np.inf


def test_evidence_crosses_zero_where_the_sum_over_alternatives_reaches_one():
    half = np.log(0.5)
    assert float(evidence(EsrState(np.array([half, half]), np.array(9)))) == pytest.approx(0.0, abs=1e-15)


def test_n_counts_the_scores_since_the_last_reset():
    state = step(reset(step(step(start(1), [0.0], -3.0), [0.0], -3.0)), [0.0], -3.0)
    assert int(state.n) == 1


def test_a_reset_of_some_series_leaves_the_others_alone():
    state = step(start(2, (3,)), np.zeros((3, 2)), np.full(3, -3.0))
    some = reset(state, [False, True, False])
    assert some.n.tolist() == [1, 0, 1]
    assert evidence(some)[1] == -np.inf
    assert some.log_r[[0, 2]].tobytes() == state.log_r[[0, 2]].tobytes()


def test_e_values_of_another_grid_are_refused():
    with pytest.raises(ValueError, match="cannot take"):
        step(start(3), np.zeros((2, 3)), [-1.0, -1.0])


def test_a_state_of_another_version_is_refused_by_its_number():
    blob = to_bytes(start(2))
    with pytest.raises(ValueError, match="has version 7"):
        from_bytes(struct.pack("<H", 7) + blob[2:])


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_or_are_a_state(blob):
    try:
        state = from_bytes(blob)
    except ValueError:
        return
    assert to_bytes(state) == blob


@given(st.data())
def test_cut_bytes_are_refused(data):
    blob = to_bytes(start(4, (2,)))
    with pytest.raises(ValueError):  # noqa: PT011  which of the checks speaks depends on the cut
        from_bytes(blob[: data.draw(st.integers(0, len(blob) - 1))])


def test_there_is_no_state_without_an_alternative():
    with pytest.raises(ValueError, match="alternatives"):
        start(0)
