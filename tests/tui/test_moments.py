"""Points in time as an operator writes them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tui.moments import ahead, back, told


@pytest.fixture(autouse=True)
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()


NOON = "2026-06-10T12:00"


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("18:30", "2026-06-10T18:30"),
        ("9:05", "2026-06-11T09:05"),
        ("12:00", "2026-06-11T12:00"),
        (" 12:01 ", "2026-06-10T12:01"),
        ("2026-06-10T12:01", "2026-06-10T12:01"),
        ("2026-06-10 18:30:15", "2026-06-10T18:30:15"),
        ("2026-06-10T18:30Z", "2026-06-10T14:30"),
        ("2026-12-01T18:30", "2026-12-01T18:30-05:00"),
    ],
)
def test_a_time_to_come_is_the_next_such_local_time(text: str, when: str) -> None:
    assert ahead(text, local(NOON)) == local(when)


def test_a_time_of_day_is_that_of_the_day_on_which_the_clocks_change() -> None:
    assert ahead("12:00", local("2026-10-31T13:00")) == local("2026-11-01T12:00-05:00")
    assert back("12:00", local("2026-11-01T11:00-05:00")) == local("2026-10-31T12:00-04:00")


@pytest.mark.parametrize("text", ["2026-06-10T12:00", "2026-06-10T11:59", "2025-01-01T18:30"])
def test_a_date_that_has_passed_is_refused_ahead(text: str) -> None:
    with pytest.raises(ValueError, match="has passed"):
        ahead(text, local(NOON))


@pytest.mark.parametrize(
    "text",
    ["", "soon", "24:00", "12:60", "1:2", "+1:30", "2026-06-11", "2026-13-01T10:00", "9999-99-99T1:1", "10m"],
)
def test_what_is_no_time_to_come_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"write (a|the) time as"):
        ahead(text, local(NOON))


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("1h", "2026-06-10T11:00"),
        ("90", "2026-06-10T11:58:30"),
        ("2d", "2026-06-08T12:00"),
        ("0", "2026-06-10T12:00"),
        ("11:00", "2026-06-10T11:00"),
        ("13:00", "2026-06-09T13:00"),
        ("2026-06-01T00:00", "2026-06-01T00:00"),
        ("2026-06-10T15:00Z", "2026-06-10T11:00"),
    ],
)
def test_a_time_that_has_passed_is_so_long_ago_or_the_last_such_local_time(text: str, when: str) -> None:
    assert back(text, local(NOON)) == local(when)


@pytest.mark.parametrize("text", ["", "-1h", "yesterday", "25:00", "2026-06-10T12:01", "1e18", "99999999d"])
def test_what_is_no_time_that_has_passed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|yet to come|beginning"):
        back(text, local(NOON))


def test_a_time_is_told_with_its_date_on_any_other_day() -> None:
    at = datetime(2026, 6, 10, 16, 30, 5, tzinfo=UTC)
    assert told(at, local(NOON)) == "12:30:05"
    assert told(at + timedelta(days=1), local(NOON)) == "2026-06-11 12:30:05"
