"""What standardised residuals buy: `python -m tests.bench.residuals`.

Each line is one fault on one probe group of ten probes, heard raw and standardised by the same series on the same
answers: median probes to alarm, with the pair of order statistics that holds the true median with 95 %. Every series
has golden answers of its own, 5,000 to calibrate on and 20 of each probe before them. Then healthy series, and how many
of them alarm. The last line is a real pipeline: the lab's probes, recorded, scored and calibrated as a fleet's are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tests.bench.intervals import Count, Median
from tests.bench.misrouted import Misrouted, misrouted
from tests.statistics.mixed import Floats, Group, Shift, ears, first_alarms

LOG_B = -np.log(2e7)
"""That of one series among 2,000 with a probe a minute, and one false alarm a week."""
DELTA = 1e-4
SERIES, GOLDEN, HORIZON = 200, 5_000, 10_000
MIXED, ALIKE = Group(tuple(np.geomspace(0.01, 0.1, 10))), Group((0.03,) * 10)
NOISE = np.array(MIXED.noise)


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    group: Group
    share: float
    shift: Shift


FAULTS = (
    Fault("0.15 nats on every probe", MIXED, 1.0, lambda probes: np.full(probes.shape, 0.15)),
    Fault("0.15 nats on every probe", MIXED, 0.16, lambda probes: np.full(probes.shape, 0.15)),
    Fault("0.5 nats on every probe", MIXED, 0.05, lambda probes: np.full(probes.shape, 0.5)),
    Fault("6 times each probe's own noise", MIXED, 0.16, lambda probes: 6.0 * NOISE[probes]),
    Fault("0.1 nats on the quietest probe", MIXED, 1.0, lambda probes: np.where(probes == 0, 0.1, 0.0)),
    Fault("probes alike: 6 times their noise", ALIKE, 0.16, lambda probes: np.full(probes.shape, 0.18)),
)


def main() -> None:
    print(f"{'':<36}{'share':>6}{'raw':>26}{'standardised':>26}   noise 10x apart, c = 2e7")
    for nth, fault in enumerate(FAULTS):
        print(f"{fault.name:<36}{fault.share:>6.0%}{_cells(_delays(fault, nth))}", flush=True)
    print("\n".join(_healthy()), flush=True)
    found = misrouted(share=0.16)
    print(f"{'the lab: kl, misrouting':<36}{found.share:>6.0%}{_cells(_again(found))}   scales {_range(found)}")


def _delays(fault: Fault, seed: int) -> list[Floats]:
    rng = np.random.default_rng(seed)
    pair = ears(fault.group, SERIES, GOLDEN, DELTA, rng)
    return first_alarms(fault.group, pair, LOG_B, rng, share=fault.share, shift=fault.shift, horizon=HORIZON)


def _cells(times: list[Floats]) -> str:
    return "".join(f"{str(Median.of(each)).replace('inf', f'> {HORIZON:,}'):>26}" for each in times)


def _healthy(series: int = 2_000, slots: int = 2_000, budget: float = 0.05, delta: float = 0.02) -> Iterator[str]:
    """Small golden sets and a budget that is large enough for alarms to be seen."""
    for name, group in (("healthy, noise 10x apart", MIXED), ("healthy, probes alike", ALIKE)):
        rng = np.random.default_rng(7)
        pair = ears(group, series, 300, delta, rng)
        alarmed = first_alarms(group, pair, np.log(budget / slots), rng, horizon=slots)
        counts = (Count(int(np.isfinite(times).sum()), series) for times in alarmed)
        cells = "".join(f"{f'{one.events} ({one.interval[0]:.0f}, {one.interval[1]:.0f})':>26}" for one in counts)
        promised = round(series * (budget + delta))
        yield f"{name:<36}{'':>6}{cells}   alarms of {series:,} series, at most {promised} promised"


def _again(found: Misrouted, series: int = 200) -> list[Floats]:
    """Streams drawn from what was scored, probes at random."""
    return [found.delays(detector, LOG_B, series, HORIZON, np.random.default_rng(8)) for detector in found.detectors]


def _range(found: Misrouted) -> str:
    scales = [scale for _, scale in found.detectors[1].scales] or [1.0]
    return f"{min(scales):.2f} to {max(scales):.2f}"


if __name__ == "__main__":
    main()
