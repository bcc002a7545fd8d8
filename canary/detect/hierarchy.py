"""Evidence of many series heard together: a scope's detector, fed by the bets of its members.

Theory of operation. Every detector brings for each answer a *bet*: an e-value against "this answer is bad", whose mean
is <= 1 given the past while the series is healthy (`Detector.bet`). A scope (pool, platform, model, fleet, probe group,
replica) asks whether a share p of *its* answers is bad, on the one grid `SHARES`, whatever the signals:

    e^p = 1 - p + p * bet        R^p = (R^p + b / K) * e^p        alarm when sum_p R^p >= 1 (see `esr`)

* For a rare event of healthy probability h the bet is 1 / h with the event and 0 without, so e^p is exactly the
  likelihood ratio of h + p * (1 - h) against h. For a distance it is the mean of the bets on its p-value.
* Slots are fed one after another in slot order, and their e-values multiply: each is valid given all outcomes before
  it, of the whole fleet. The order must not follow the outcomes: hold a slot back until it is in or given up.
* What is simultaneous (the signals of one answer, the answers of one burst) has no order among itself and any
  dependence: its e-values are averaged for each p, before the mixture. e^p is affine in the bet, so that this is the
  plain mean of the bets. A member that is missing counts 1, else a miss that depends on the answer would bias the mean.
* R's are never averaged: the scope has a state of its own, and spends its own share of the budget by its own slots.
* Overshoot is saved as for a series (see `esr`): whose answer comes next is settled before it is seen, so the slot's
  worst healthy law is that of its member (`Detector.bet_outcomes`). e^p falls with the outcome as the bet does, so that
  every healthy law is covered as it is there, and what the scope heard before, of whichever members, is the past. Only
  of a mean of simultaneous bets no law is known: there the step does without.

A scope sees what its members see too late each: with 16 pools and a fault in all of them evidence comes 16 times as
fast, and costs ln 16 where only one of 16 simultaneous members shows it.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from canary.detect import esr
from canary.detect._mixing import contaminated
from canary.detect.esr import EsrState, Outcomes

SHARES = (0.0018, 0.008, 0.02, 0.05, 0.16, 0.5, 1.0)
"""Shares p of bad answers that the alternatives of every scope suppose."""


def start(shape: tuple[int, ...] = ()) -> EsrState:
    """R = 0 for one scope (shape ()) or for many.

    >>> start().log_r.shape
    (7,)
    """
    return esr.start(len(SHARES), shape)


def together(bets: Sequence[float], members: int) -> float:
    """The bet of one slot from those of its simultaneous members; their order does not matter, to the bit.

    Args:
        bets: of the members that could be judged, each in [0, inf).
        members: how many there were to be, fixed before the slot, >= 1 and >= len(bets).

    Returns:
        The mean, with 1 for each missing member; in [0, inf).

    Raises:
        ValueError: more bets than members, no member, or a bet that is negative or not finite.

    >>> together([10.0], members=4)
    3.25
    """
    if not 0 <= len(bets) <= members or members == 0:
        raise ValueError(f"need members >= 1 and no more bets than members, got {len(bets)} of {members}")
    if not all(0.0 <= bet < math.inf for bet in bets):
        raise ValueError("a bet must be finite and not negative")
    return math.fsum((*bets, members - len(bets))) / members


def log_e(bet: ArrayLike) -> NDArray[np.float64]:
    """Ln e^p over `SHARES` of one slot, or of many: bets of shape (...), result of shape (..., 7), in nats.

    >>> [round(float(e), 4) for e in np.exp(log_e(together([1000.0, 0.0], members=2)))][:2]
    [1.8982, 4.992]
    """
    return contaminated(bet, SHARES)


def step(state: EsrState, bet: ArrayLike, log_budget: ArrayLike, outcomes: Outcomes | None = None) -> EsrState:
    """Feed one slot: its bet (`together`) and ln b, what it spends of the scope's budget; both of shape (...).

    `outcomes` are the `Detector.bet_outcomes` of the member, where the bet is of one member alone.

    >>> state = step(start(), 1000.0, math.log(1e-4))
    >>> round(float(np.exp(esr.evidence(state))), 6)
    0.024929
    """
    return esr.step(state, log_e(bet), log_budget, outcomes)
