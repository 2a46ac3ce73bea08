"""How long a provider asks to wait: whatever stands in the header, it is a time to wait or nothing."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, strategies as st

from engine.providers.rejection import rejected, retry_after

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

# What looks like a number or a date, so that the parsers get further than the first character.
PIECES = (
    "0",
    "1",
    "9" * 400,
    ".",
    "-",
    "+",
    "e",
    "E9",
    "_",
    "inf",
    "nan",
    "0x1",
    ",",
    ":",
    " ",
    "\t",
    "\x00",
)
DATES = ("Sun, ", "01 ", "Mar ", "2026 ", "99999999999 ", "12:00:05 ", "25:61:61 ", "GMT", "+9999", "-0000")
HEADERS = (
    st.text(st.characters(), max_size=40)
    | st.text(st.characters(max_codepoint=255), max_size=40)
    | st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
    | st.lists(st.sampled_from(DATES), max_size=8).map("".join)
    | st.floats().map(repr)
    | st.integers().map(str)
    | st.datetimes().map(str)
)


@given(HEADERS, HEADERS, st.floats(0, 1e11))
def test_any_header_asks_for_a_finite_time_or_for_nothing(value: str, milliseconds: str, now: float) -> None:
    for headers in (
        {"retry-after": value},
        {"retry-after-ms": milliseconds},
        {"retry-after": value, "retry-after-ms": milliseconds},
    ):
        seconds = retry_after(headers, now)
        assert seconds is None or 0 < seconds < math.inf
        assert rejected(429, headers, b"", now).retry_after_s == seconds


@given(st.integers(1, 10**9))
def test_whole_seconds_and_milliseconds_come_back(number: int) -> None:
    assert retry_after({"retry-after": str(number)}, 0.0) == number
    assert retry_after({"retry-after-ms": str(number)}, 0.0) == pytest.approx(number / 1000)


@given(st.decimals("0.001", "1000000", places=3))
def test_fractions_come_back(number: object) -> None:
    assert retry_after({"retry-after": f"{number}"}, 0.0) == float(f"{number}")
    assert retry_after({"retry-after-ms": f" {number} "}, 0.0) == pytest.approx(float(f"{number}") / 1000)


def _rfc_850(date: datetime) -> str:
    return date.strftime("%A, %d-%b-%y %H:%M:%S GMT")


def _asctime(date: datetime) -> str:
    return date.strftime("%a %b %d %H:%M:%S %Y")


@given(st.integers(1, 365 * 86400), st.integers(-14, 14))
def test_dates_come_back_in_all_the_forms_that_http_knows(seconds: int, zone: int) -> None:
    # RFC 9110, 5.6.7: a date, and the two obsolete forms that a recipient must still read.
    date = NOW + timedelta(seconds=seconds)
    local = date.astimezone(timezone(timedelta(hours=zone)))
    for text in (
        format_datetime(date, usegmt=True),
        format_datetime(local),
        _rfc_850(date),
        _asctime(date),
    ):
        assert retry_after({"retry-after": text}, NOW.timestamp()) == seconds


@given(st.integers(0, 50 * 365 * 86400))
def test_a_date_in_the_past_asks_for_nothing(seconds: int) -> None:
    date = NOW - timedelta(seconds=seconds)
    for text in (format_datetime(date, usegmt=True), _rfc_850(date), _asctime(date)):
        assert retry_after({"retry-after": text}, NOW.timestamp()) is None


@given(st.floats(max_value=0) | st.sampled_from([math.inf, -math.inf, math.nan]))
def test_no_time_and_less_than_none_is_nothing(number: float) -> None:
    for text in (repr(number), f"{number:f}", str(number).upper(), f"+{number}"):
        for name in ("retry-after", "retry-after-ms"):
            assert retry_after({name: text}, 0.0) is None


@given(st.integers(1, 5000), st.sampled_from(["retry-after", "retry-after-ms"]))
def test_a_huge_number_is_a_time_as_long_as_it_is_a_number(digits: int, name: str) -> None:
    seconds = retry_after({name: "9" * digits}, 0.0)
    assert (seconds is None) == (digits > 308)


@given(HEADERS)
def test_what_cannot_be_read_in_milliseconds_leaves_the_seconds(value: str) -> None:
    alone = retry_after({"retry-after-ms": value}, 0.0)
    assert retry_after({"retry-after-ms": value, "retry-after": "7"}, 0.0) == (alone or 7.0)
