"""The board of a recording: what it showed at any moment, and the keys to go there."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.commands import bindings, key_label
from tui.desk import Desk
from tui.feed import Drained
from tui.replay.playback import Playback
from tui.screens.board import BoardScreen
from tui.widgets.facts import Fact
from tui.widgets.replay_bar import ReplayBar
from tui.widgets.status_line import StatusLine

_STEP_S = 10.0
_FAR_S = 60.0


class ReplayStatus(StatusLine):
    """As the engine's, but of a recording.

    Args:
        desk: What the screen works with.
        playback: What is played.
    """

    def __init__(self, desk: Desk, playback: Playback) -> None:
        super().__init__(desk)
        self._recording = playback.recording

    def where(self) -> list[Fact]:
        """Which recording this is, and of how many engines."""
        count = len(self.desk.feed.engines)
        engines = "1 engine" if count == 1 else f"{count} engines"
        events = f"{len(self._recording.events):,} events"
        return [
            self.named(self._recording.name),
            Fact(engines, "faint", minor=True),
            Fact(events, "faint", minor=True),
        ]


class ReplayScreen(BoardScreen):
    """Board and attempts as they were, and a bar that says when.

    Args:
        desk: What the screen works with.
        playback: What is played.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("replay")]

    def __init__(self, desk: Desk, playback: Playback) -> None:
        super().__init__(desk)
        self.playback = playback
        self._wanted: float | None = None  # where to go as soon as the keys that wait are worked off
        # As many as there are in all: columns shall not move while one goes to and fro.
        self._names = frozenset(event.engine for event in playback.recording.events) - {""}
        self.bar = ReplayBar(desk, playback)
        self.status = ReplayStatus(desk, playback)
        self.attempts.end_key = key_label(desk.key("follow"))

    def compose_body(self) -> ComposeResult:
        """Board, attempts, and the bar."""
        yield from super().compose_body()
        yield self.bar

    def engine_names(self) -> AbstractSet[str]:
        """Every engine of the recording."""
        return self._names

    def tick(self, drained: Drained) -> None:
        """Paints what changed."""
        super().tick(drained)
        self.bar.tick()

    def action_pause(self) -> None:
        """Stops playing, or goes on; from its end it begins anew."""
        self._arrive()
        if not self.playback.playing and self.playback.is_over:
            self._go(self.playback.recording.start)
            self._arrive()
        self.playback.playing = not self.playback.playing
        self.bar.tick()

    def action_faster(self) -> None:
        """Plays faster."""
        self.playback.faster()
        self.bar.tick()

    def action_slower(self) -> None:
        """Plays slower."""
        self.playback.faster(-1)
        self.bar.tick()

    def action_back(self) -> None:
        """Ten seconds back."""
        self._go(self._where() - _STEP_S)

    def action_forward(self) -> None:
        """Ten seconds on."""
        self._go(self._where() + _STEP_S)

    def action_back_far(self) -> None:
        """A minute back."""
        self._go(self._where() - _FAR_S)

    def action_forward_far(self) -> None:
        """A minute on."""
        self._go(self._where() + _FAR_S)

    def action_to_start(self) -> None:
        """To the beginning."""
        self._go(self.playback.recording.start)

    def action_to_end(self) -> None:
        """To the end."""
        self._go(self.playback.recording.end)

    def _where(self) -> float:
        """Where it is, or will be in a moment."""
        return self.playback.position if self._wanted is None else self._wanted

    def _go(self, position: float) -> None:
        """Goes anywhere soon: once for all keys that wait, so that a key held down piles up nothing."""
        if self._wanted is None:
            self.call_later(self._arrive)
        recording = self.playback.recording
        self._wanted = min(max(position, recording.start), recording.end)

    def _arrive(self) -> None:
        """Goes where it shall, and shows it."""
        position, self._wanted = self._wanted, None
        if position is None:
            return
        desk = self.desk
        if self.playback.go_to(position):
            desk.feed = self.playback.feed
            self.attempts.look(desk.feed.ring)
        desk.health.refresh(desk.now())
        desk.engines.refresh(desk.now(), desk.feed, at_once=True)
        self.board.show()
        self.tick(Drained(states=True))

    def say_what_to_do(self) -> None:
        """Says why there is nothing to see."""
        self.board.empty = ("", "This recording names no model.")
        self.attempts.empty = "  Nothing had happened yet."
