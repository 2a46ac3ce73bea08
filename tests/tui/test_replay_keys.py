"""A key that is held down in a recording."""

from __future__ import annotations

import pytest
from textual.events import Key

from tests.tui import patience
from tests.tui.recordings import incident
from tests.tui.stage import AT_S
from tui.replay.app import ReplayApp
from tui.replay.playback import Playback


async def test_keys_that_wait_are_one_leap_however_many_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    playback = Playback(incident(), AT_S + 119.0)
    playback.playing = False
    leaps: list[float] = []
    go_to = playback.go_to

    def counted(position: float) -> bool:
        leaps.append(position)
        return go_to(position)

    monkeypatch.setattr(playback, "go_to", counted)
    app = ReplayApp(playback, clock=lambda: 50.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await patience.until(pilot, lambda: "REPLAY" in patience.screen(pilot))
        for key in ("left",) * 7 + ("right",) * 2:
            app.post_message(Key(key, None))
        await patience.settled(pilot)
        assert playback.position == AT_S + 69.0
        assert len(leaps) == 1
        for key in ("end", "left", "space"):
            app.post_message(Key(key, None))
        await patience.settled(pilot)
        assert playback.position == playback.recording.end - 10.0
        assert playback.playing
