import math

import pytest

from canary.drill.quantiles import count_interval, quantile


def test_a_median_of_few_has_a_wide_interval():
    assert quantile([float(n) for n in range(1, 21)], 0.5) == (10.0, 6.0, 15.0)


def test_what_was_never_found_counts_as_never():
    assert quantile([1.0, 2.0, math.inf], 0.9)[0] == math.inf


def test_a_count_has_the_exact_interval_of_a_poisson_law():
    assert count_interval(3) == pytest.approx((0.6187, 8.7673), abs=1e-3)
