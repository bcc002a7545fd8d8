import numpy as np

from canary.lab.position import shift

IDS = np.tile(np.arange(40), (400, 1))
POSITIONS = np.arange(400)


def moved(factor=30.0, about="mid"):
    return shift(IDS, POSITIONS, factor, 100, 1, about)


def test_positions_that_are_not_scaled_shift_nothing():
    assert np.abs(moved(factor=1.0)).max() == 0.0


def test_the_first_token_is_where_it_was():
    assert np.abs(moved()[0]).max() == 0.0


def test_late_tokens_are_shifted_by_one_unit_or_so():
    assert 0.7 < moved()[100:].std() < 1.3


def test_a_token_is_shifted_by_where_it_stands():
    assert np.abs(np.diff(moved()[100:], axis=0)).mean() > 0.1


def test_models_answer_to_positions_in_their_own_ways():
    assert np.abs(np.corrcoef(moved().ravel(), moved(about="small").ravel())[0, 1]) < 0.2
