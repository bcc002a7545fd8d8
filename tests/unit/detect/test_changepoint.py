import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from canary.detect import EventDetector, onset, spell, start_log_likelihood

HISTORIES = arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 4)), elements=st.floats(-5.0, 5.0))


def history(events: list[int]) -> np.ndarray:
    detector = EventDetector(1e-3)
    return np.stack([detector.log_e(float(event), 1.0, 0.0) for event in events])


@given(HISTORIES)
def test_the_likelihood_of_a_start_is_the_mixture_of_products_from_there(log_e):
    expected = [np.log(np.exp(log_e[at:].sum(axis=0)).mean()) for at in range(len(log_e))]
    assert np.allclose(start_log_likelihood(log_e), expected, atol=1e-9)


@given(HISTORIES)
def test_the_interval_holds_the_best_start(log_e):
    found = onset(log_e)
    assert 0 <= found.low <= found.best <= found.high < len(log_e)


@given(HISTORIES)
def test_more_confidence_never_narrows_the_interval(log_e):
    wide, narrow = onset(log_e, confidence=0.99), onset(log_e, confidence=0.9)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


def test_a_burst_of_events_after_silence_began_with_the_first_of_them():
    assert onset(history([0] * 500 + [1] * 6)).best == 500


def test_a_rare_fault_may_have_begun_in_the_silence_before_its_first_event():
    found = onset(history([0] * 500 + [1, *[0] * 40] * 4))
    assert found.best == 500
    assert found.low < 480


@pytest.mark.parametrize("shape", [(0, 3), (3,)])
def test_without_a_history_there_is_no_onset(shape):
    with pytest.raises(ValueError, match="history"):
        onset(np.zeros(shape))


def test_a_fault_that_ended_is_told_from_one_that_goes_on():
    healthy, bad = [[-0.2, -0.05]] * 200, [[1.5, 1.0], [-0.2, -0.05]] * 20
    assert spell(healthy + bad + healthy).over
    assert not spell(healthy + bad).over
    assert not spell(healthy + bad + healthy[:20]).over


def test_the_stretch_is_where_the_evidence_is():
    found = spell([[-0.2]] * 50 + [[1.0]] * 10 + [[-0.2]] * 100)
    assert (found.first, found.last) == (50, 59)


def test_no_history_has_no_stretch():
    with pytest.raises(ValueError, match="history"):
        spell(np.empty((0, 3)))
