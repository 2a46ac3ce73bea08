"""A recording: the events of an incident, one JSON object a line, and how things stood at any moment."""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

from engine import Event, event_from_json
from tui.feed import Drained, Feed
from tui.replay.checkpoints import EVERY, Checkpoint, Checkpoints
from tui.replay.stand import Stand

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""How much faster than it happened a recording may be played."""

_FAULTS_AT_MOST: Final = 5
_A_MINUTE_S: Final = 60.0  # whoever writes 14:05 means all of what happened in that minute
_TIME_OF_DAY: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_TELL_EVERY: Final = 2000  # lines
_raw_decode: Final = json.JSONDecoder().raw_decode
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


def load(path: Path, told: Callable[[float], object] | None = None) -> Recording:
    """Reads a recording.

    Args:
        path: A file with one event object a line, as `standby export` writes it; blank lines are passed over.
        told: Is told from time to time which share is done.

    Raises:
        NotARecording: There is no such file, or it holds anything else.
    """
    if path.exists() and not path.is_file() and not path.is_dir():  # a pipe would wait for its writer
        raise NotARecording(f"{path} is no file that could be played")
    try:
        with path.open("rb") as lines:
            return recording(path.name, lines if told is None else _telling(lines, told))
    except OSError as error:
        raise NotARecording(f"{path} can't be read: {error.strerror or error}") from None
    except NotARecording as error:
        raise NotARecording("\n".join(f"{path}{line}" for line in str(error).splitlines())) from None


def _telling(file: IO[bytes], told: Callable[[float], object]) -> Iterator[bytes]:
    """The lines of a file; tells of every few thousandth."""
    size, read = max(1, os.fstat(file.fileno()).st_size), 0
    for number, line in enumerate(file, 1):
        read += len(line)
        if number % _TELL_EVERY == 0:
            told(min(1.0, read / size))
        yield line


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
    event = event_from_json(_object(line))
    if not event.at:
        raise ValueError("the event tells no time in `at`")
    return datetime.fromisoformat(event.at).timestamp(), event


def _object(line: bytes) -> Any:
    """What a line says.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        text = line.decode()
        found, end = _raw_decode(text)
        if text[end:] in ("\n", "", "\r\n"):
            return found
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(line)  # what is not as an export writes it; and it knows where the fault is
    except UnicodeDecodeError:
        raise _NotJson("this is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _NotJson(f"this is not JSON: {error.msg}, column {error.colno}") from None
    except RecursionError:
        raise ValueError("this is nested too deeply for an event") from None


class Playback:
    """Plays a recording: how things stand at its position is a matter of the events up to there alone.

    Args:
        recording: What is played.
        position: Where to begin, seconds since the epoch.
        speed: How much faster than it happened.
        every: How many events there shall be between two checkpoints.
        told: Is told from time to time which share of the recording has been gone through.

    Attributes:
        recording: As given.
        checkpoints: How things stood on the way.
        position: Where it is now, seconds since the epoch; never outside of the recording.
        speed: As given, until it is changed.
        playing: Whether `run` moves it on.
    """

    def __init__(
        self,
        recording: Recording,
        position: float | None = None,
        speed: float = 1.0,
        *,
        every: int = EVERY,
        told: Callable[[float], object] | None = None,
    ) -> None:
        self.recording = recording
        self.speed = speed
        self.playing = True
        self.position = recording.start
        self.checkpoints: Final = Checkpoints(
            recording.events, recording.times, self.clock, every=every, told=told
        )
        self._here: Checkpoint = self.checkpoints.before(0).copy()
        self.go_to(recording.start if position is None else position)

    @property
    def feed(self) -> Feed:
        """What the events up to here told; another object after a leap."""
        return self._here.feed

    @property
    def stand(self) -> Stand:
        """How models, keys and chains stand."""
        return self._here.stand

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
        most = self._here.taken + _MOST_AT_ONCE
        if most < len(self.recording.times):
            end = min(end, self.recording.times[most])
        self.playing = end < self.recording.end
        return self._fold(end)

    def go_to(self, position: float) -> bool:
        """Goes anywhere.

        Args:
            position: Seconds since the epoch; outside of the recording its beginning or its end.

        Returns:
            True if that was a leap, back or far ahead, so that `feed` and `stand` are new.
        """
        position = min(max(position, self.recording.start), self.recording.end)
        nearest = self.checkpoints.before(bisect_right(self.recording.times, position))
        leaps = position < self.position or nearest.taken - self._here.taken > self.checkpoints.every
        if leaps:
            self._here = nearest.copy()
        self._fold(position)
        return leaps

    def faster(self, by: int = 1) -> None:
        """Goes to the next of the speeds, or the one before; the fastest and the slowest stay."""
        if by > 0:
            self.speed = next((speed for speed in SPEEDS if speed > self.speed), SPEEDS[-1])
        else:
            self.speed = next((speed for speed in reversed(SPEEDS) if speed < self.speed), SPEEDS[0])

    def _fold(self, position: float) -> Drained:
        """Takes in what happened up to a position, its own events included."""
        self.position = position
        events, times = self.recording.events, self.recording.times
        self._here, drained = self._here.go_on(events, times, bisect_right(times, position))
        return drained


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
