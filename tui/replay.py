"""A recording: the events of an incident, one JSON object a line, and how things stood at any moment."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from engine import Event, Figures, event_from_json
from tui.feed import Drained, Feed
from tui.stand import Stand

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""How much faster than it happened a recording may be played."""

_FAULTS_AT_MOST: Final = 5
_A_MINUTE_S: Final = 60.0  # whoever writes 14:05 means all of what happened in that minute
_TIME_OF_DAY: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_MOST_AT_ONCE: Final = 20_000  # events in one step, so that a dense recording can't hold up the screen


class NotARecording(Exception):
    """A file can't be played; what is wrong and where is in the message, a line for each fault."""


class _NotJson(ValueError):
    """A line is no JSON."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Events in the order of their times; there is at least one.

    Attributes:
        name: The file's name.
        events: The events.
        times: When each happened, seconds since the epoch.
        note: What a person should know of it; usually nothing.
    """

    name: str
    events: tuple[Event, ...]
    times: tuple[float, ...]
    note: str = ""

    @property
    def start(self) -> float:
        """When the first event happened, seconds since the epoch."""
        return self.times[0]

    @property
    def end(self) -> float:
        """When the last event happened, seconds since the epoch."""
        return self.times[-1]


def load(path: Path) -> Recording:
    """Reads a recording.

    Args:
        path: A file with one event object a line, as `standby export` writes it; blank lines are passed over.

    Raises:
        NotARecording: There is no such file, or it holds anything else.
    """
    if path.exists() and not path.is_file() and not path.is_dir():  # a pipe would wait for its writer
        raise NotARecording(f"{path} is no file that could be played")
    try:
        with path.open("rb") as lines:
            return recording(path.name, lines)
    except OSError as error:
        raise NotARecording(f"{path} can't be read: {error.strerror or error}") from None
    except NotARecording as error:
        raise NotARecording("\n".join(f"{path}{line}" for line in str(error).splitlines())) from None


def recording(name: str, lines: Iterable[bytes]) -> Recording:
    """A recording out of its lines.

    Raises:
        NotARecording: One message a line, each beginning with `:LINE` where it is about one.
    """
    told: list[tuple[float, Event]] = []
    faults: list[str] = []
    note, number, is_cut = "", 0, False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            told.append(_told(line))
        except ValueError as error:
            faults.append(f":{number}: {error}")
            is_cut = isinstance(error, _NotJson) and line.startswith(b"{") and not line.endswith(b"\n")
        else:
            is_cut = False
    if told and faults and is_cut:  # the last line
        faults.pop()
        note = f"line {number}, the last one, is cut off and left out"
    if faults:
        rest = len(faults) - _FAULTS_AT_MOST
        more = [f": {rest} more lines can't be played"] if rest > 0 else []
        raise NotARecording("\n".join([*faults[:_FAULTS_AT_MOST], *more]))
    if not told:
        raise NotARecording(": there is no event in it")
    if all(type(event) is Event for _, event in told):
        raise NotARecording(": there is no event in it that this version knows")
    told.sort(key=lambda each: each[0])  # in one order, however many engines wrote it and whosever clock lags
    return Recording(name, tuple(event for _, event in told), tuple(when for when, _ in told), note)


def _told(line: bytes) -> tuple[float, Event]:
    """The event that a line stands for, and when it happened.

    Raises:
        ValueError: It stands for none.
    """
    try:
        data = json.loads(line)
    except UnicodeDecodeError:
        raise _NotJson("this is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _NotJson(f"this is not JSON: {error.msg}, column {error.colno}") from None
    except RecursionError:
        raise ValueError("this is nested too deeply for an event") from None
    event = event_from_json(data)
    if not event.at:
        raise ValueError("the event tells no time in `at`")
    return datetime.fromisoformat(event.at).timestamp(), event


class Playback:
    """Plays a recording: how things stand at its position is a matter of the events up to there alone.

    Args:
        recording: What is played.
        position: Where to begin, seconds since the epoch.
        speed: How much faster than it happened.

    Attributes:
        recording: As given.
        position: Where it is now, seconds since the epoch; never outside of the recording.
        speed: As given, until it is changed.
        playing: Whether `run` moves it on.
        feed: What the events up to here told; another object after each step back.
        stand: How models, keys and chains stand.
    """

    def __init__(self, recording: Recording, position: float | None = None, speed: float = 1.0) -> None:
        self.recording = recording
        self.speed = speed
        self.playing = True
        self.position = recording.start
        self._begin()
        self.go_to(recording.start if position is None else position)

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end."""
        return self.position >= self.recording.end

    def clock(self) -> float:
        """The position, for those who want a clock."""
        return self.position

    def run(self, seconds: float) -> Drained:
        """Moves on, if it is playing.

        Args:
            seconds: How many have passed for whoever looks on.

        Returns:
            What happened meanwhile.
        """
        if not self.playing:
            return Drained()
        end = min(self.position + max(0.0, seconds) * self.speed, self.recording.end)
        most = self._next + _MOST_AT_ONCE
        if most < len(self.recording.times):
            end = min(end, self.recording.times[most])
        self.playing = end < self.recording.end
        return self._fold(end)

    def go_to(self, position: float) -> bool:
        """Goes anywhere.

        Args:
            position: Seconds since the epoch; outside of the recording its beginning or its end.

        Returns:
            True if that was a step back, so that `feed` and `stand` are new.
        """
        position = min(max(position, self.recording.start), self.recording.end)
        back = position < self.position
        if back:
            self._begin()
        self._fold(position)
        return back

    def faster(self, by: int = 1) -> None:
        """Goes to the next of the speeds, or the one before; the fastest and the slowest stay."""
        if by > 0:
            self.speed = next((speed for speed in SPEEDS if speed > self.speed), SPEEDS[-1])
        else:
            self.speed = next((speed for speed in reversed(SPEEDS) if speed < self.speed), SPEEDS[0])

    def _begin(self) -> None:
        self._next = 0
        self.stand = Stand()
        self.feed = Feed(Figures(clock=self.clock, wall=self.clock))

    def _fold(self, position: float) -> Drained:
        """Takes in what happened up to a position, its own events included."""
        self.position = position
        begin, self._next = self._next, bisect_right(self.recording.times, position)
        events = self.recording.events[begin : self._next]
        for event in events:
            self.stand.take(event)
        return self.feed.take(tuple(zip(self.recording.times[begin : self._next], events, strict=True)))


def moment(text: str, within: Recording) -> float:
    """A moment of a recording, as a person writes it.

    Args:
        text: A local time of day, `14:05` or `14:05:30`, of which the first in the recording counts; or a
            whole time as ISO 8601, local unless it says otherwise.
        within: The recording.

    Returns:
        Seconds since the epoch.

    Raises:
        ValueError: It is no time, or none within the recording; says what would be one.
    """
    first, last = (datetime.fromtimestamp(each, UTC).astimezone() for each in (within.start, within.end))
    try:
        wanted = _read(text.strip(), first).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no time: write it as 14:05, 14:05:30 or {first:%Y-%m-%dT%H:%M}"
        ) from None
    if not within.start - _A_MINUTE_S < wanted <= within.end:
        span = f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}"
        raise ValueError(f"{text!r} is not within the recording, which goes from {span}")
    return max(wanted, within.start)


def _read(text: str, first: datetime) -> datetime:
    """A time of day as the first such from a moment on, give or take a minute; anything else by itself."""
    found = _TIME_OF_DAY.fullmatch(text)
    if found is None:
        return datetime.fromisoformat(text).astimezone()
    hour, minute, second = (int(part or 0) for part in found.groups())
    # Without a zone, so that a day on which the clocks change has its own.
    naive = first.replace(tzinfo=None, hour=hour, minute=minute, second=second, microsecond=0)
    wanted = naive.astimezone()
    return (
        wanted if (first - wanted).total_seconds() < _A_MINUTE_S else (naive + timedelta(days=1)).astimezone()
    )
