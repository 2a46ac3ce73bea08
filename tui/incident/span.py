"""The time that a report is about: how times in it are written, and how long outages lasted within it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine import is_model
from tui.event_words import short
from tui.incident.markdown import DASH
from tui.incident.parts import Outage


class Span:
    """From one time to another.

    Args:
        since: The beginning.
        until: The end: what is out then is out still.
        first: When the first event happened; nothing is known of the time before. None if there is none.
    """

    def __init__(self, since: datetime, until: datetime, first: datetime | None = None) -> None:
        self.since = since.astimezone(UTC)
        self.until = until.astimezone(UTC)
        self.first = (first or since).astimezone(UTC)

    def at(self, time: datetime) -> str:
        """A time, in UTC; with its day unless everything is about that one day."""
        local = time.astimezone(UTC)
        is_one_day = self.since.date() == self.until.date() == local.date()
        return local.strftime("%H:%M:%S" if is_one_day else "%m-%d %H:%M:%S")

    def begin(self, outage: Outage) -> datetime:
        """When an outage began; where that was never told, a time before which it did."""
        return outage.began or outage.known_from or self.first

    def end(self, outage: Outage) -> datetime | None:
        """When an outage ended; None if it has not.

        A model's automatic bench that has run out ends nothing: an answer does. All else ends with its time,
        also where no engine was there to tell of it.
        """
        if outage.ended is not None:
            return outage.ended
        if is_model(outage.name) and not outage.manual:
            return None
        return outage.until if outage.until is not None and outage.until <= self.until else None

    def seconds(self, outage: Outage) -> float:
        """How long something was out, as far as that is in here."""
        return max(0.0, ((self.end(outage) or self.until) - self.begin(outage)).total_seconds())

    def length(self, outage: Outage) -> str:
        """As `seconds`, in words; `at least` where it began before or has not ended."""
        least = outage.began is None or self.end(outage) is None
        return f"{'at least ' if least else ''}{lasted(self.seconds(outage))}"


def between(since: datetime, until: datetime) -> str:
    """Two times in UTC, the day once if it is the same."""
    one, other = since.astimezone(UTC), until.astimezone(UTC)
    same = one.date() == other.date()
    return f"{one:%Y-%m-%d %H:%M:%S} {DASH} {other:{'%H:%M:%S' if same else '%Y-%m-%d %H:%M:%S'}}"


def lasted(seconds: float) -> str:
    """A length of time in whole seconds, at least one."""
    return short(max(1, round(timedelta(seconds=seconds).total_seconds())))
