"""Times of day on the days on which the clocks are set forward or back. Moments are given in UTC."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tui.bench_terms import next_time
from tui.local_time import moments_of
from tui.moments import ahead, back

FORWARD = "2026-03-29T"
"""In Berlin the clocks go from 02:00 to 03:00, at 01:00 UTC."""
BACK = "2026-10-25T"
"""In Berlin the clocks go from 03:00 to 02:00, at 01:00 UTC."""


@pytest.fixture
def set_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def berlin(set_zone: Callable[[str], None]) -> None:
    set_zone("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "text", "when"),
    [
        ("00:30", "02:30", "01:00"),  # 01:30, and the clocks leave out what is asked for
        ("00:59", "02:30", "01:00"),
        ("00:30", "02:00", "01:00"),
        ("00:30", "02:59", "01:00"),
        ("00:30", "03:00", "01:00"),
        ("00:30", "03:01", "01:01"),
        ("00:30", "01:59", "00:59"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_for_a_time_that_the_clocks_leave_out_the_first_moment_after_it_counts(
    now: str, text: str, when: str
) -> None:
    at = utc(FORWARD + now).astimezone()
    for found in (ahead(text, at), ahead(FORWARD + text, at), next_time(text, at)):
        assert found == utc(FORWARD + when)
        assert found > at


@pytest.mark.usefixtures("berlin")
def test_after_the_clocks_were_set_forward_what_they_left_out_is_tomorrows() -> None:
    at = utc(FORWARD + "01:00").astimezone()
    assert ahead("02:30", at) == utc("2026-03-30T00:30")
    with pytest.raises(ValueError, match="has passed"):
        ahead(FORWARD + "02:30", at)


@pytest.mark.parametrize(
    ("now", "text", "when"),
    [
        ("00:10", "02:30", "00:30"),  # 02:10 for the first time
        ("00:40", "02:30", "01:30"),  # 02:40 for the first time: it comes again
        ("01:10", "02:30", "01:30"),  # 02:10 for the second time
        ("00:30", "02:30", "01:30"),
        ("00:30", "03:00", "02:00"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_of_a_time_that_comes_twice_the_next_one_counts(now: str, text: str, when: str) -> None:
    at = utc(BACK + now).astimezone()
    for found in (ahead(text, at), ahead(BACK + text, at), next_time(text, at)):
        assert found == utc(BACK + when)


@pytest.mark.usefixtures("berlin")
def test_a_time_that_has_come_twice_is_tomorrows() -> None:
    at = utc(BACK + "01:30").astimezone()
    assert ahead("02:30", at) == utc("2026-10-26T01:30")
    with pytest.raises(ValueError, match="has passed"):
        ahead(BACK + "02:30", at)


@pytest.mark.parametrize(
    ("now", "text", "when"),
    [
        (FORWARD + "00:30", "02:30", "2026-03-28T01:30"),
        (FORWARD + "01:10", "02:30", FORWARD + "01:00"),
        (FORWARD + "01:10", FORWARD + "02:30", FORWARD + "01:00"),
        (BACK + "00:40", "02:30", BACK + "00:30"),
        (BACK + "01:10", "02:30", BACK + "00:30"),
        (BACK + "01:30", "02:30", BACK + "01:30"),
        (BACK + "02:10", "02:30", BACK + "01:30"),
        (BACK + "00:10", "02:30", "2026-10-24T00:30"),
        (BACK + "02:10", BACK + "02:30", BACK + "00:30"),  # from a date on: nothing of it is left out
    ],
)
@pytest.mark.usefixtures("berlin")
def test_a_time_of_day_that_has_passed_is_the_last_such_also_where_the_clocks_change(
    now: str, text: str, when: str
) -> None:
    assert back(text, utc(now).astimezone()) == utc(when)


def test_clocks_may_be_set_by_less_than_an_hour_and_at_midnight(set_zone: Callable[[str], None]) -> None:
    set_zone("Australia/Lord_Howe")  # 02:00 to 02:30
    assert moments_of(local("2026-10-04T02:10:15")) == [utc("2026-10-03T15:30")]
    assert moments_of(local("2026-04-05T01:45")) == [utc("2026-04-04T14:45"), utc("2026-04-04T15:15")]
    set_zone("America/Santiago")  # 00:00 to 01:00
    assert ahead("00:15", utc("2026-09-06T03:59").astimezone()) == utc("2026-09-06T04:00")


def test_a_day_that_the_calendar_left_out_ends_at_once(set_zone: Callable[[str], None]) -> None:
    set_zone("Pacific/Apia")
    assert moments_of(local("2011-12-30T12:00")) == [utc("2011-12-30T10:00")]


@given(
    day=st.sampled_from(["2026-03-28", "2026-10-24"]),
    after_s=st.integers(0, 3 * 24 * 60 * 60),
    minute=st.integers(0, 24 * 60 - 1),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the zone is the same for all
@pytest.mark.usefixtures("berlin")
def test_the_next_is_to_come_the_last_has_passed_and_both_are_near(
    day: str, after_s: int, minute: int
) -> None:
    text, now = f"{minute // 60}:{minute % 60:02}", (utc(day) + timedelta(seconds=after_s)).astimezone()
    assert timedelta() < ahead(text, now) - now <= timedelta(hours=25)
    assert timedelta() <= now - back(text, now) <= timedelta(hours=25)
