import numpy as np
import pytest

from canary.detect import DETECTORS, BoundedDetector, Detector, DistanceDetector, EventDetector, detector_from_json
from canary.records import SignalKind

ALL = [
    EventDetector(1e-3),
    DistanceDetector.from_golden(list(np.linspace(0.0, 1.0, 200)), 1e-3),
    BoundedDetector(0.0, 0.3),
]
FAULT = {EventDetector: 5.0, DistanceDetector: 5.0, BoundedDetector: 1.0}


def test_every_kind_of_signal_has_a_detector():
    assert set(DETECTORS) == set(SignalKind)


@pytest.mark.parametrize("detector", ALL)
def test_a_detector_comes_back_from_its_json(detector: Detector):
    assert detector_from_json(detector.to_json()) == detector


@pytest.mark.parametrize("detector", ALL)
def test_a_score_gives_one_e_value_per_alternative(detector: Detector):
    for value in (0.0, 1.0):
        assert detector.log_e(value, 10.0, 0.0).shape == (detector.alternatives,)


@pytest.mark.parametrize("detector", ALL)
def test_what_is_typical_of_a_fault_is_what_an_event_brings(detector: Detector):
    _, event = detector.typical(10.0)
    assert detector.log_e(FAULT[type(detector)], 10.0, 0.0).tobytes() == event.tobytes()


@pytest.mark.parametrize("detector", ALL)
def test_e_values_stay_finite_so_that_sums_over_a_history_do(detector: Detector):
    for value in (0.0, 0.5, 1.0):
        assert np.all(np.isfinite(detector.log_e(value, 1e4, 0.0)))


@pytest.mark.parametrize("text", ["{}", "[]", "3", '{"kind": "oracle"}', "nonsense"])
def test_foreign_json_is_refused(text):
    with pytest.raises(ValueError, match=r"oracle|None|expected|Expecting"):
        detector_from_json(text)
