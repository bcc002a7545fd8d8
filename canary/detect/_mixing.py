"""A share of the answers is bad: e-values of contamination, shared by detectors and scopes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def contaminated(bets: ArrayLike, shares: Sequence[float]) -> NDArray[np.float64]:
    """Ln(1 - p + p * bet): bets of shape (...), shares of shape (K,), result of shape (..., K), in nats.

    The mean is <= 1 whenever that of the bet is. With p = 1 a lost bet is -inf.
    """
    share = np.asarray(shares, dtype=np.float64)
    with np.errstate(divide="ignore"):
        mixed = np.log(1.0 - share + share * np.asarray(bets, dtype=np.float64)[..., np.newaxis])
    return np.asarray(mixed, dtype=np.float64)
