"""A recording in the dashboard: it plays, one goes anywhere in it, and nothing acts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from textual.pilot import Pilot

from engine import Dashboard, FeedDropped, StoreDegraded
from tests.tui import patience
from tests.tui.recordings import at, happened, incident, put_out, recorded
from tests.tui.stage import AT_S, begun
from tui.replay.app import ReplayApp
from tui.replay.playback import Playback, Recording
from tui.screens.bench_dialog import BenchDialog
from tui.screens.engine_chooser import EngineChooser
from tui.screens.replay import ReplayScreen


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.time = 50.0

    def __call__(self) -> float:
        return self.time


class Player:
    """What a test needs of a recording that is played."""

    def __init__(self, app: ReplayApp, pilot: Pilot[None], playback: Playback, clock: Clock) -> None:
        self.app = app
        self.pilot = pilot
        self.playback = playback
        self._clock = clock

    @property
    def view(self) -> ReplayScreen:
        view = self.app.screen_stack[0]
        assert isinstance(view, ReplayScreen)
        return view

    @property
    def lines(self) -> list[str]:
        return patience.screen(self.pilot).split("\n")

    @property
    def bar(self) -> str:
        return self.lines[-3]

    @property
    def seconds(self) -> float:
        """Where it is."""
        return round(self.playback.position - AT_S, 3)

    def row(self, model: str) -> str:
        return next(line for line in self.lines[1:] if f" {model} " in f"{line} ")

    @property
    def stream(self) -> list[str]:
        region = self.view.attempts.region
        return [line for line in self.lines[region.y + 1 : region.bottom] if line.strip()]

    async def pass_(self, seconds: float) -> None:
        self._clock.time += seconds
        self.app._beat()
        await patience.settled(self.pilot)

    async def press(self, *keys: str) -> None:
        await patience.press(self.pilot, *keys)
        self.app._beat()
        await patience.settled(self.pilot)


@asynccontextmanager
async def playing(
    made: Recording | None = None,
    size: tuple[int, int] = (120, 40),
    *,
    start: float | None = None,
    speed: float = 1.0,
    look: Dashboard | None = None,
) -> AsyncIterator[Player]:
    playback = Playback(made or incident(), None if start is None else AT_S + start, speed)
    clock = Clock()
    app = ReplayApp(playback, look, clock=clock)
    async with app.run_test(size=size, notifications=True) as pilot:
        player = Player(app, pilot, playback, clock)
        await patience.until(pilot, lambda: "REPLAY" in patience.screen(pilot))
        await player.pass_(0.0)
        yield player


def local(seconds: float) -> str:
    return datetime.fromtimestamp(AT_S + seconds, UTC).astimezone().strftime("%H:%M:%S")


async def test_it_plays_by_itself_at_its_speed() -> None:
    async with playing(speed=8.0) as player:
        assert "REPLAY" in player.bar
        await player.pass_(0.5)
        assert player.seconds == 4.0
        assert f"2026-03-01 {local(4.0)}" in player.bar
        assert "00:04 of 01:59" in player.bar
        assert player.bar.endswith("8x")


async def test_a_machine_that_slept_goes_on_where_it_was() -> None:
    async with playing(speed=2.0) as player:
        await player.pass_(3600.0)
        assert player.seconds == 2.0


async def test_space_stops_and_goes_on_and_begins_anew_from_the_end() -> None:
    async with playing() as player:
        await player.press("space")
        await player.pass_(0.5)
        assert player.seconds == 0.0
        assert "‖ paused" in player.bar
        await player.press("space")
        await player.pass_(0.5)
        assert player.seconds == 0.5
        await player.press("end")
        await player.pass_(0.5)
        assert "‖ at its end" in player.bar
        await player.press("space")
        assert player.seconds == 0.0
        assert "paused" not in player.bar


@pytest.mark.parametrize(
    ("keys", "speed"), [("+", "2x"), (">>", "4x"), ("-", "0.5x"), ("<<<<", "0.25x"), ("+" * 9, "64x")]
)
async def test_the_speed_is_changed_by_either_pair_of_keys(keys: str, speed: str) -> None:
    async with playing() as player:
        await player.press(*keys)
        assert player.bar.endswith(f" {speed}")


async def test_one_goes_anywhere_by_ten_seconds_a_minute_and_to_the_ends() -> None:
    async with playing(start=30.0) as player:
        await player.press("space")
        places = []
        for key in ("right", "left", "left", "shift+right", "shift+left", "end", "home", "left"):
            await player.press(key)
            places.append(player.seconds)
        assert places == [40.0, 30.0, 20.0, 80.0, 20.0, 119.8, 0.0, 0.0]


async def test_home_and_end_are_the_recordings_also_while_a_list_has_the_focus() -> None:
    async with playing(start=30.0) as player:
        await player.press("space", "tab", "end")
        assert player.seconds == 119.8
        await player.press("home")
        assert player.seconds == 0.0


async def test_board_figures_and_stream_are_those_of_the_moment_forth_and_back() -> None:
    async with playing(start=29.0) as player:
        await player.press("space")
        before = player.lines[1:-3]
        assert "● live" in player.row("p/large")
        await player.press("right")
        assert "✖ benched" in player.row("p/large")
        assert "00:51" in player.row("p/large")
        assert "overloaded" in player.row("p/large")
        assert "↳ ● live" in player.row("p/mini")
        assert "p/mini" in player.stream[-1]
        await player.press("shift+right")
        assert "■ held" in player.row("q/small")
        assert "no end" in player.row("q/small")
        await player.press("shift+left", "left")
        assert player.lines[1:-3] == before


async def test_a_countdown_runs_with_the_recording() -> None:
    async with playing(start=40.0, speed=4.0) as player:
        assert "00:50" in player.row("p/large")
        await player.pass_(0.5)
        assert "00:48" in player.row("p/large")


async def test_figures_count_by_the_recordings_clock() -> None:
    async with playing(start=119.0) as player:
        await player.press("space")
        assert "24" in player.row("p/large").split()  # those since it came back
        assert "340ms" in player.row("p/large")


async def test_nothing_acts() -> None:
    async with playing(start=40.0) as player:
        await player.press("space")
        before = player.lines
        await player.press("b", "u", "p", "n", "2")
        assert not isinstance(player.app.screen, BenchDialog)
        assert player.app.screen is player.view
        assert player.lines == before
        for word in ("Bench", "Unbench", "Probe", "rompt"):
            assert word not in player.lines[-1]
        assert "read-only" in player.lines[-2]


async def test_the_status_line_tells_of_the_recording() -> None:
    async with playing(start=40.0) as player:
        assert "incident.jsonl · 2 engines · 487 events" in player.lines[-2]
        assert "process only" not in player.lines[-2]


async def test_a_store_that_was_down_and_events_that_were_lost_are_told() -> None:
    down = happened(StoreDegraded, 1.0, store="standby.db", why="disk full")
    lost = happened(FeedDropped, 2.0, count=7)
    async with playing(recorded(begun("r", at=at(0.0)), down, lost), start=2.0) as player:
        assert "store degraded: search:71: disk full" in player.lines[-2]
        assert "7 events dropped" in player.lines[-2]


async def test_the_engines_filter_outlasts_a_step_back() -> None:
    async with playing(start=40.0) as player:
        await player.press("space", "E")
        assert isinstance(player.app.screen, EngineChooser)
        await player.press("right", "enter", "left")
        assert player.seconds == 30.0  # the arrow in the dialog was the dialog's
        assert {line.split()[1] for line in player.stream} == {"api:2"}
        assert "only api:2" in player.lines[player.view.attempts.region.y]


async def test_a_reader_who_went_up_is_told_of_a_key_that_follows() -> None:
    async with playing(start=60.0, speed=4.0) as player:
        await player.press("tab", "k", "k")
        await player.pass_(0.5)
        assert "f to follow" in player.lines[player.view.attempts.region.y]
        await player.press("f")
        assert "follow" not in player.lines[player.view.attempts.region.y]


async def test_the_cursor_stays_with_its_model_through_a_step_back() -> None:
    async with playing(start=60.0) as player:
        await player.press("space", "j", "left", "home")
        assert player.view.board.cursor == ("support", "p/mini")


async def test_the_keys_of_a_provider_are_those_that_were_named() -> None:
    async with playing(start=60.0) as player:
        await player.press("K")
        assert "keys of p" in patience.screen(player.pilot)
        assert "p#main" in patience.screen(player.pilot)


async def test_an_attempt_whose_end_was_not_recorded_does_not_run_for_ever() -> None:
    made = recorded(begun("r", at=at(0.0), engine="a"), put_out(1.0, engine="b"), put_out(400.0, engine="b"))
    async with playing(made, start=300.0) as player:
        await player.press("space")
        assert "running" in player.stream[0]
        await player.press("end")
        assert "not seen" in player.stream[0]
        await player.press("shift+left", "shift+left")
        assert "running" in player.stream[0]


async def test_one_moment_alone_can_be_looked_at() -> None:
    async with playing(recorded(put_out(0.0))) as player:
        assert "at its end" in player.bar
        await player.press("left", "space", "right", "home", "end")
        assert "✖ benched" in player.row("p/large")


@pytest.mark.parametrize("size", [(1, 1), (10, 5), (24, 8), (40, 12), (80, 24), (120, 40), (200, 60)])
async def test_every_size_is_drawn_whole_and_says_replay(size: tuple[int, int]) -> None:
    async with playing_at(size) as player:
        strips = player.app.screen._compositor.render_strips()
        assert len(strips) == size[1]
        assert all(strip.cell_length == size[0] for strip in strips)
        if size[0] >= 24:
            assert f"REPLAY  ▸ {local(40.0)}" in player.bar or f"2026-03-01 {local(40.0)}" in player.bar
        if size[0] >= 40:
            assert "━" in player.bar
            assert " 00:40" in player.bar
            assert player.bar.endswith(" 1x")


@asynccontextmanager
async def playing_at(size: tuple[int, int]) -> AsyncIterator[Player]:
    playback = Playback(incident(), AT_S + 40.0)
    clock = Clock()
    app = ReplayApp(playback, clock=clock)
    async with app.run_test(size=size) as pilot:
        player = Player(app, pilot, playback, clock)
        await player.pass_(0.0)
        yield player


async def test_in_ascii_nothing_else_is_shown() -> None:
    async with playing(start=40.0, look=Dashboard(glyphs="ascii")) as player:
        assert patience.screen(player.pilot).isascii()
        await player.press("space", "E")
        assert patience.screen(player.pilot).isascii()


async def test_keys_of_the_configuration_hold_here_too() -> None:
    async with playing(look=Dashboard(keys={"faster": "x", "pause": "P"})) as player:
        await player.press("x", "P")
        assert player.bar.endswith(" 2x")
        assert "paused" in player.bar
        assert "x Faster" in player.lines[-1]


async def test_what_is_to_be_known_of_a_recording_is_a_toast() -> None:
    async with playing(replace(incident(), note="line [/] 9 is cut off")) as player:
        (toast,) = player.app._notifications
        assert toast.message == "incident.jsonl: line [/] 9 is cut off"
