"""Charts in letters, as SVG and as PNG."""

import struct
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.draw import Chart, Ink, drawn, lines, nth, png, svg, timeline
from canary.draw.marks import DARK, LIGHT
from canary.draw.scale import number_ticks, thinned, time_ticks
from canary.errors import CanaryError

START = datetime(2025, 8, 25, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RISING = tuple((START + n * SECOND, -18.0 + 0.3 * n) for n in range(61))
CHART = Chart(
    title="prose/script on mid/api/short",
    begin=START,
    end=START + 100 * SECOND,
    curves=(RISING, tuple((START + n * SECOND, -17.0) for n in range(61, 100))),
    alarms=(RISING[-1],),
    onset=(START + 20 * SECOND, START + 25 * SECOND, START + 30 * SECOND),
    changes=((START + 22 * SECOND, "a"),),
    answers=tuple((START + n * SECOND, n % 7 == 0) for n in range(100)),
)


def plain(chart: Chart, width: int = 100) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines(chart, width)]


@given(
    st.integers(-2_000_000_000, 2_000_000_000),
    st.timedeltas(SECOND, timedelta(days=4000)),
    st.integers(2, 20),
)
def test_ticks_of_time_lie_inside_and_are_no_more_than_asked_for(offset: int, lasts: timedelta, most: int) -> None:
    begin = START + offset * SECOND
    ticks = [moment for moment, _ in time_ticks(begin, begin + lasts, most)]
    assert len(ticks) <= most
    assert all(begin <= moment <= begin + lasts for moment in ticks)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(2, 12))
def test_ticks_of_numbers_lie_inside_and_are_round(low: float, width: float, most: int) -> None:
    ticks = number_ticks(low, low + width, most)
    assert all(low - 1e-9 <= tick <= low + width + 1e-9 for tick in ticks)
    assert len(ticks) <= most + 1


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(-50, 50)), max_size=200))
def test_a_thinned_path_keeps_its_ends_and_its_extremes(points: list[tuple[float, float]]) -> None:
    path = sorted(points)
    kept = thinned(path, 1.0)
    assert set(kept) <= set(path)
    assert kept[:1] + kept[-1:] == path[:1] + path[-1:]
    for pick in (min, max):
        assert pick((y for _, y in kept), default=0) == pick((y for _, y in path), default=0)


def test_a_thinned_path_has_four_points_a_stretch_at_most() -> None:
    assert len(thinned([(n / 1_000, n % 17) for n in range(10_000)], 1.0)) <= 40


@pytest.mark.parametrize("width", [20, 60, 100, 200])
def test_every_line_is_as_wide_as_the_terminal(width: int) -> None:
    assert {len(line) for line in plain(CHART, width)} == {max(width, 28)}


def test_a_chart_says_everything_without_colour() -> None:
    shown = plain(CHART)
    text = "\n".join(shown)
    assert sum("▲" in line for line in shown) == 1
    assert next(line for line in shown if "alarm 0" in line).count("─") > 50
    assert "├" in next(line for line in shown if line.startswith("  onset"))
    assert next(line for line in shown if line.startswith("answers")).count("╿") == 15
    assert "┊" in text
    assert "12:00:30" in text


def test_a_curve_is_drawn_where_its_numbers_are() -> None:
    curve = ((START, -10.0), (START + 100 * SECOND, -10.0))
    shown = plain(replace(CHART, curves=(curve,), alarms=(), changes=()))
    (row,) = [line for line in shown if any(0x2800 < ord(letter) < 0x2900 for letter in line)]
    assert row.startswith("    -10")


def test_a_chart_of_nothing_is_still_drawn() -> None:
    assert len(plain(Chart("nothing", START, START, ()))) == 14


def test_a_timeline_puts_each_moment_in_its_row() -> None:
    rows = [("would", [(START + 50 * SECOND, "▲", Ink.ALARM)]), ("really", [])]
    would, really, *_ = ("".join(t for t, _ in line) for line in timeline(rows, START, START + 100 * SECOND, 109))
    assert (would.index("▲"), "▲" in really) == (8 + 50, False)


def test_svg_is_well_formed_whatever_a_summary_says() -> None:
    nasty = "<script>alert(1)</script> & \x1b[2J \ud800 ]]>"
    document = svg(drawn(nasty, [replace(CHART, title=nasty)], [nasty]))
    root = ET.fromstring(document.encode())  # noqa: S314  our own
    assert not [one for one in root.iter() if one.tag.endswith("script")]


def test_svg_is_read_light_and_dark() -> None:
    document = svg(drawn("both", [CHART]))
    assert "prefers-color-scheme: dark" in document
    assert LIGHT[Ink.PAPER] in document
    assert DARK[Ink.PAPER] in document


def test_svg_stays_small_however_long_the_series() -> None:
    curve = tuple((START + n * SECOND, -10.0 - n % 7) for n in range(200_000))
    answers = tuple((at, False) for at, _ in curve)
    long = Chart("long", START, START + 200_000 * SECOND, (curve,), answers=answers)
    assert len(svg(drawn("long", [long]))) < 250_000


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_stands_out_from_paper(palette: dict[Ink, str]) -> None:
    for ink in (Ink.TEXT, Ink.FAINT, Ink.EVIDENCE, Ink.THRESHOLD, Ink.CHANGE, Ink.EVENT):
        assert contrast(palette[ink], palette[Ink.PAPER]) >= 4.5


def test_png_has_twice_the_size_of_the_picture() -> None:
    picture = drawn("an incident", [CHART, CHART])
    data = png(picture)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (2 * picture.width, 2 * picture.height)


def test_png_without_pillow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(CanaryError, match=r"pip install '\.\[plot\]'"):
        png(drawn("an incident", [CHART]))


def contrast(one: str, other: str) -> float:
    """By WCAG 2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


COUNTED = Chart(
    "verdict", nth(0), nth(21), (tuple((nth(n), n - 19.0) for n in range(1, 21)),), limit="pass", counted=True
)


def test_a_counted_chart_has_answers_across_and_no_time() -> None:
    shown = plain(COUNTED)
    assert "pass 0" in "".join(shown)
    assert shown[-1].split() == ["n-th", "0", "5", "10", "15", "20"]


def test_the_legend_of_a_counted_chart_speaks_of_no_onset_and_no_change() -> None:
    text = svg(drawn("verdict", [COUNTED]))
    assert ("onset interval" in text, "recorded change" in text, ">sure<" in text) == (False, False, True)


@given(st.integers(1, 100_000), st.integers(2, 20))
def test_ticks_of_answers_are_whole_and_inside(last: int, most: int) -> None:
    ticks = replace(COUNTED, end=nth(last)).ticks(most)
    assert all(nth(0) <= moment <= nth(last) and text.replace(",", "").isdigit() for moment, text in ticks)
