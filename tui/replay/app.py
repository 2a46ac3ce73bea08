"""The dashboard of a recording. Nothing acts in it: there is no engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar, Final

from engine import Dashboard as LookSettings
from tui.commands import Place
from tui.dashboard import Dashboard, glyphs_of
from tui.desk import Desk
from tui.feed import Drained
from tui.replay.playback import Playback
from tui.replay.source import ReplaySource
from tui.screens.board import BoardScreen
from tui.screens.replay import ReplayScreen

_LONGEST_BEAT_S: Final = 1.0  # a machine that slept plays on where it was


class ReplayApp(Dashboard):
    """Plays a recording back.

    Args:
        playback: What is played, and from where.
        look: The theme, signs and keys to use.
        clock: Seconds that only ever grow.
    """

    PLACES: ClassVar[tuple[Place, ...]] = ("board", "replay", "filter", "list", "app")

    def __init__(
        self,
        playback: Playback,
        look: LookSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._playback = playback
        self._clock = clock
        self._last = clock()
        source = ReplaySource(playback, look or LookSettings())
        glyphs = glyphs_of(source.config)
        super().__init__(Desk(source, playback.feed, glyphs, read_only=True, now=playback.clock))

    def board(self) -> BoardScreen:
        """Makes the only view."""
        return ReplayScreen(self.desk, self._playback)

    async def begin(self) -> None:
        """Begins to play now."""
        self._last = self._clock()
        if note := self._playback.recording.note:
            self.call_later(self.complain, f"{self._playback.recording.name}: {note}")

    def drain(self) -> Drained:
        """Moves on by the time that has passed."""
        passed, self._last = self._clock() - self._last, self._clock()
        return self._playback.run(min(passed, _LONGEST_BEAT_S))
