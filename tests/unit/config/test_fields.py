from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from canary.config.fields import Duration

durations: TypeAdapter[timedelta] = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30),
        ("1.5s", 1.5),
        ("5m", 300),
        ("2h", 7_200),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("0s", 0),
    ],
)
def test_a_duration_is_a_number_and_a_unit(written: str, seconds: float):
    assert durations.validate_python(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written",
    ["30", "s", "30 s", " 30s", "30s\n", "-30s", "30S", "1e3s", "٣s", "30sec", "", 30, None, True, "9" * 12 + "w"],
)
def test_nothing_else_is_a_duration(written: object):
    with pytest.raises(ValidationError, match="should be a duration such as"):
        durations.validate_python(written)


@given(st.integers(0, 10**12).map(lambda ms: timedelta(milliseconds=ms)))
def test_a_duration_is_written_so_that_it_reads_the_same(duration: timedelta):
    assert durations.validate_python(durations.dump_python(duration)) == duration
