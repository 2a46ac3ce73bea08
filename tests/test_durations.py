from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from engine.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("200ms", 0.2),
        ("30s", 30.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("1h30m", 5400.0),
        ("7d", 604_800.0),
        ("1d12h30m15s250ms", 131_415.25),
        ("1h 30m", 5400.0),
        (" 30s ", 30.0),
        ("1.5h", 5400.0),
        ("90", 90.0),
        ("0.25", 0.25),
        ("1e3", 1000.0),
        ("0", 0.0),
        ("-5m", -300.0),
        ("+5m", 300.0),
        (3, 3.0),
        (0.5, 0.5),
    ],
)
def test_a_duration_is_read_as_people_write_it(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "m",
        "5 m",
        "5min",
        "5M",
        "30m1h",
        "1h1h",
        "1:30",
        "ms",
        "5m-3s",
        "--5m",
        "٣s",
        "1_000",
        "1" * 80,
    ],
)
def test_what_is_no_duration_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration: write it as 200ms, 30s, 5m, 1h30m or 7d"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["inf", ".inf", "-.inf", "nan", ".NaN", "1e999", math.inf, math.nan])
def test_a_duration_is_finite(text: str | float) -> None:
    with pytest.raises(ValueError, match="a duration must be finite"):
        parse_duration(text)


def test_a_boolean_is_no_duration() -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(True)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0000001, "0s"),
        (0.0005, "0.5ms"),
        (0.2, "200ms"),
        (0.9999999, "1s"),
        (1.5, "1.5s"),
        (59.9996, "1m"),
        (90, "1m30s"),
        (300, "5m"),
        (5400, "1h30m"),
        (90_000.25, "1d1h0.25s"),
        (604_800, "7d"),
        (-300, "-5m"),
    ],
)
def test_a_duration_is_shown_in_its_largest_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_what_is_shown_reads_back_to_the_millisecond(millis: int) -> None:
    assert parse_duration(format_duration(millis / 1000)) == pytest.approx(millis / 1000, abs=5e-4)


@given(st.text(alphabet="0123456789.+-eE dhms", max_size=80) | st.text(max_size=30))
def test_any_text_gives_finite_seconds_or_a_value_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert math.isfinite(seconds)
