"""Exact confidence bounds for a share (Clopper and Pearson), with scipy.special alone."""

from scipy.special import betainccinv, betaincinv


def upper_share(events: int, n: int, delta: float) -> float:
    """The largest share that `events` of `n` do not contradict at confidence 1 - delta; in [0, 1].

    Args:
        events: 0 <= events <= n.
        n: independent trials, >= 1.
        delta: in (0, 1); the bound is too low with at most this probability.

    Raises:
        ValueError: out of range.

    References:
        Clopper, Pearson: The use of confidence or fiducial limits, Biometrika 26 (1934).

    >>> round(upper_share(0, 1000, 0.05), 6)  # 1 - 0.05 ** (1 / 1000)
    0.002991
    """
    _check(events, n, delta)
    return 1.0 if events == n else float(betainccinv(events + 1, n - events, delta))


def lower_share(events: int, n: int, delta: float) -> float:
    """The smallest share that `events` of `n` do not contradict at confidence 1 - delta; in [0, 1].

    Raises:
        ValueError: out of range, as for `upper_share`.

    >>> lower_share(0, 10, 0.05), round(lower_share(10, 10, 0.05), 4)
    (0.0, 0.7411)
    """
    _check(events, n, delta)
    return 0.0 if events == 0 else float(betaincinv(events, n - events + 1, delta))


def _check(events: int, n: int, delta: float) -> None:
    if not 0 <= events <= n or n < 1:
        raise ValueError(f"need 0 <= events <= n and n >= 1, got {events} of {n}")
    if not 0.0 < delta < 1.0:
        raise ValueError(f"delta must lie in (0, 1), got {delta}")
