"""When the clocks here show a time, also on a day on which they are set forward or back."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta


def moments_of(local: datetime) -> list[datetime]:
    """The moments at which the clocks here show a time, in their order.

    Args:
        local: A date and a time, without a zone.

    Returns:
        One; two if the clocks are set back over it; if they are set forward over it, the first one after.

    Raises:
        ValueError: It is beyond the calendar's end, here or in UTC.
        OverflowError: As well.
    """
    early, late = sorted(local.replace(fold=fold).timestamp() for fold in (0, 1))
    if _shown(early) == local:
        return [_moment(at) for at in dict.fromkeys((early, late))]
    seconds = range(int(early), int(late) + 1)
    return [_moment(seconds[bisect_left(seconds, local, key=_shown)])]


def moments_around(time: time, at: datetime) -> Iterator[datetime]:
    """When the clocks here show a time of day, from the day before to the day after, in their order.

    Args:
        time: The time of day.
        at: A moment of the day.
    """
    today = datetime.combine(at.astimezone().date(), time)
    for days in (-1, 0, 1):
        yield from moments_of(today + timedelta(days=days))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone()


def _shown(seconds: float) -> datetime:
    return _moment(seconds).replace(tzinfo=None)
