"""Points in time as an operator writes them, and as a person reads them: local time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from engine import parse_duration
from tui.bench_terms import next_time, time_of_day
from tui.local_time import moments_around, moments_of

_TIME_OF_DAY: Final = re.compile(r"[0-9]{1,2}:[0-9]{2}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{1,2}:.+")
_HOW_AHEAD: Final = "write a time as 18:30, or with its date as 2026-03-01T18:30"
_HOW_BACK: Final = (
    "write how long ago, as 90s, 1h or 2d; or a time, as 18:30 or with its date as 2026-03-01T18:30"
)


def now() -> datetime:
    """The local time."""
    return datetime.now().astimezone()


def ahead(text: str, at: datetime) -> datetime:
    """A time to come: the next `18:30`, or a date and time.

    Args:
        text: As it was written; local time unless it has a zone.
        at: The time now.

    Raises:
        ValueError: It is neither, or has passed.
    """
    text = text.strip()
    if _TIME_OF_DAY.fullmatch(text):
        return next_time(text, at)
    for when in _dated(text, _HOW_AHEAD):
        if when > at:
            return when
    raise ValueError("that time has passed")


def back(text: str, at: datetime) -> datetime:
    """A time that has passed: so long ago, the last `18:30`, or a date and time.

    Args:
        text: As it was written; local time unless it has a zone.
        at: The time now.

    Raises:
        ValueError: It is none of these, or is yet to come.
    """
    text = text.strip()
    if _TIME_OF_DAY.fullmatch(text):
        return max(when for when in moments_around(time_of_day(text), at) if when <= at)
    if _DATE.fullmatch(text):
        when = _dated(text, _HOW_BACK)[0]
        if when > at:
            raise ValueError("that time is yet to come")
        return when
    try:
        seconds = parse_duration(text)
    except ValueError:
        raise ValueError(_HOW_BACK) from None
    if seconds < 0:
        raise ValueError(_HOW_BACK)
    try:
        return at - timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError("that is before the beginning of the calendar") from None


def told(at: datetime, now: datetime) -> str:
    """A time as a person reads it: `18:30:05` today, with its date on any other day."""
    local = at.astimezone()
    return local.strftime("%H:%M:%S" if local.date() == now.astimezone().date() else "%Y-%m-%d %H:%M:%S")


def _dated(text: str, how: str) -> list[datetime]:
    """The moments that a date and time stand for: two, if the clocks are set back over it."""
    if not _DATE.fullmatch(text):
        raise ValueError(how)
    try:
        when = datetime.fromisoformat(text)
        return [when.astimezone()] if when.tzinfo is not None else moments_of(when)
    except (ValueError, OverflowError):
        raise ValueError(how) from None
