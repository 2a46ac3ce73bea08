"""The line that says that this is a recording: where it is, how long it is, how fast it plays."""

from __future__ import annotations

from datetime import UTC, datetime

from textual.strip import Strip

from tui.cells import width_of
from tui.desk import Desk
from tui.replay.playback import Playback
from tui.widgets.lined import Cell, Lined

_SHORTEST_BAR = 6
_DAY_S = 86_400


class ReplayBar(Lined):
    """Position and length, speed, and the clock of the incident.

    Args:
        desk: What the screen works with.
        playback: What is played.
    """

    DEFAULT_CSS = """
    ReplayBar { height: 1; }
    """

    def __init__(self, desk: Desk, playback: Playback) -> None:
        super().__init__()
        self._desk = desk
        self._playback = playback
        self._painted: list[Cell] = []

    def tick(self) -> None:
        """Paints the line if it would look different."""
        if self._painted != (cells := self._cells(self.size.width)):
            self._painted = cells
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draws the line."""
        width = self.size.width
        return self.line(self._cells(width) if y == 0 else (), width)

    def _cells(self, width: int) -> list[Cell]:
        playback, recording = self._playback, self._playback.recording
        length = recording.end - recording.start
        at, whole = (_length(seconds, length) for seconds in (playback.position - recording.start, length))
        sign, word = self._state()
        left: list[Cell] = [(" REPLAY ", "banner")]
        state: list[Cell] = [(f" {sign}", "accent")] if playback.playing else [(f" {sign} {word}", "warn")]
        right: list[Cell] = [(f" {_speed(playback.speed)} ", "strong")]
        # The fuller ways of saying it come first; the time of day goes last.
        for clock in (self._clock(date=True), self._clock(date=False)):
            for span in (f" {at} of {whole}", f" {at}/{whole}", f" {at}"):
                said: list[Cell] = [*left, *state, (f" {clock} ", "strong")]
                tail: list[Cell] = [(span, "text"), *right]
                room = width - sum(width_of(text) for text, _ in (*said, *tail))
                if room >= _SHORTEST_BAR:
                    return [*said, *self._bar(room), *tail]
        short: list[Cell] = [*left, (f" {sign} {self._clock(date=False)}", "strong")]
        return short if sum(width_of(text) for text, _ in (*short, *right)) > width else [*short, *right]

    def _state(self) -> tuple[str, str]:
        glyphs, playback = self._desk.glyphs, self._playback
        if playback.playing:
            return glyphs.serves, "playing"
        return glyphs.pause, "at its end" if playback.is_over else "paused"

    def _clock(self, *, date: bool) -> str:
        recording = self._playback.recording
        ends = (recording.start, recording.end)
        shown, *days = (_local(each) for each in (self._playback.position, *ends))
        is_today = {day.date() for day in days} == {datetime.now().astimezone().date()}
        return shown.strftime("%Y-%m-%d %H:%M:%S" if date and not is_today else "%H:%M:%S")

    def _bar(self, width: int) -> list[Cell]:
        recording, glyphs = self._playback.recording, self._desk.glyphs
        length = recording.end - recording.start
        done = (self._playback.position - recording.start) / length if length else 1.0
        full = min(width, int(done * width))
        return [(glyphs.left * full, "accent"), (glyphs.gone * (width - full), "faint")]


def _local(seconds: float) -> datetime:
    """A moment in seconds since the epoch, as local time."""
    return datetime.fromtimestamp(seconds, UTC).astimezone()


def _length(seconds: float, longest: float) -> str:
    """A length of time as `mm:ss`, or `h:mm:ss` where the longest is beyond an hour."""
    whole = int(seconds)
    minutes, second = divmod(whole, 60)
    if longest < 3600:
        return f"{minutes:02}:{second:02}"
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"


def _speed(speed: float) -> str:
    return f"{speed:g}x"
