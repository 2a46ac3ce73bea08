"""What the app itself decides: read-only, keys, themes, colours, and its engine's life."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.filter import NoColor

from engine import BackgroundTraffic, ConfigReloaded, Dashboard, Engine, Traffic
from tests.scripted import Scripted, chain_of
from tests.tui import patience
from tests.tui.stage import Clock, begun, config, dashboard, style_at, told
from tui.app import StandbyApp
from tui.screens.bench_dialog import BenchDialog
from tui.screens.board import BoardScreen
from tui.screens.command_menu import CommandMenu


def with_settings(**settings: Any) -> Dashboard:
    return replace(Dashboard(), **settings)


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


async def test_read_only_hides_what_acts_and_its_keys_are_dead() -> None:
    async with dashboard(read_only=True) as stage:
        assert "Bench" not in stage.lines[-1]
        assert "prompt" not in stage.lines[-1].lower()
        assert "Prompt" not in stage.lines[0]
        assert "read-only" in stage.lines[-2]
        assert "n sends" not in stage.screen
        stage.engine.bench("p/large")
        await stage.press("b", "u", "n", "2")
        assert isinstance(stage.app.screen, BoardScreen)
        assert stage.engine.is_benched("p/large")


async def test_read_only_still_shows_and_pauses_and_moves() -> None:
    async with dashboard(read_only=True) as stage:
        await stage.press("j", "space")
        assert stage.view.board.cursor == ("support", "p/mini")
        assert "paused" in stage.screen


async def test_keys_come_from_the_configuration_and_the_line_of_keys_tells_them() -> None:
    settings = with_settings(keys={"bench": "B", "quit": "ctrl+x"})
    async with dashboard(config(dashboard=settings)) as stage:
        assert "^x Quit" in stage.lines[-1]
        assert "B Bench" in stage.lines[-1]
        await stage.press("b")
        assert not isinstance(stage.app.screen, BenchDialog)
        await stage.press("B")
        assert isinstance(stage.app.screen, BenchDialog)


async def test_a_reload_takes_over_keys_and_theme() -> None:
    async with dashboard() as stage:
        stage.retake(config(dashboard=with_settings(theme="light", keys={"bench": "x", "view_board": "7"})))
        await stage.tell(told(ConfigReloaded, path="c.yaml"))
        assert stage.app.theme == "standby-light"
        assert "x Bench" in stage.lines[-1]
        assert "7 Board" in stage.lines[0]
        stage.retake(config())
        await stage.tell(told(ConfigReloaded, path="c.yaml"))
        assert stage.app.theme == "standby-dark"
        assert "b Bench" in stage.lines[-1]


async def test_settings_that_make_no_sense_are_told_and_the_rest_is_taken() -> None:
    settings = with_settings(theme="nrod", keys={"bench": "u", "banch": "x", "pause": "P"})
    async with dashboard(config(dashboard=settings)) as stage:
        await stage.until(lambda: len(stage.app._notifications) == 3)
        words = " ".join(note.message for note in stage.app._notifications)
        assert "did you mean nord?" in words
        assert "did you mean bench?" in words
        assert "unbench" in words
        assert stage.app.theme == "standby-dark"
        assert "P Pause" in stage.lines[-1]
        assert "b Bench" in stage.lines[-1]


async def test_complaints_quote_the_configuration_as_it_is_written() -> None:
    settings = with_settings(theme="[/]", keys={"[bold": "x"})
    async with dashboard(config(dashboard=settings)) as stage:
        await stage.until(lambda: "there is no theme '[/]'" in " ".join(stage.screen.split()))
        await stage.until(lambda: "there is no command '[bold'" in " ".join(stage.screen.split()))


@pytest.mark.parametrize("theme", ["dark", "light", "nord", "ansi-dark", "ansi-light", "textual-light"])
async def test_every_state_can_be_read_on_every_theme(theme: str) -> None:
    async with dashboard(config(dashboard=with_settings(theme=theme))) as stage:
        stage.engine.bench("p/large", for_=60.0)
        await stage.tell(begun("r"))
        y = next(y for y, line in enumerate(stage.lines) if "■ held" in line)
        style = style_at(stage.strips[y], stage.lines[y].index("■"))
        assert style.color != style.bgcolor


async def test_no_color_means_none_and_states_are_told_by_sign_and_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with dashboard() as stage:
        assert any(isinstance(each, NoColor) for each in stage.app._filters)
        stage.engine.bench("p/large", for_=60.0)
        await stage.press("b", "escape", "space")
        for strip in stage.strips:
            for segment in strip:
                style = segment.style
                assert style is None or style.color is None or style.color.is_default
                assert style is None or style.bgcolor is None or style.bgcolor.is_default
        assert "■ held" in stage.row("p/large")
        banner = style_at(stage.strips[-2], 3)
        assert banner.reverse


async def test_ascii_glyphs_leave_nothing_else_on_the_screen() -> None:
    async with dashboard(config({"ünï": ["p/é", "p/b"]}, dashboard=with_settings(glyphs="ascii"))) as stage:
        stage.engine.bench("p/é", for_=60.0)
        await stage.tell(begun("r", "p/é"))
        await stage.press("space", "b")
        assert "# held" in stage.screen
        assert stage.screen.isascii()
        await stage.press("escape", "u")
        await stage.until(lambda: "p/? is back" in stage.screen)
        assert stage.screen.isascii()


async def test_without_many_colours_the_terminals_own_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", "screen")
    async with dashboard() as stage:
        assert stage.app.theme == "ansi-dark"
        colours = {segment.style.color for strip in stage.strips for segment in strip if segment.style}
        assert all(colour is None or colour.triplet is None for colour in colours)


async def test_ctrl_c_does_not_end_the_watch_but_says_how_to() -> None:
    async with dashboard() as stage:
        await stage.press("ctrl+c")
        await stage.until(lambda: "q leaves standby." in stage.screen)


async def test_q_leaves_and_the_engine_is_closed() -> None:
    provider = Scripted({"a": ["hello"]})
    app = StandbyApp(Engine(chain_of(provider, "a"), watch=False), now=Clock())
    async with app.run_test() as pilot:
        await app.desk.engine.complete("main", "hi")
        await pilot.press("q")
    assert app.return_code == 0
    assert provider.closed


def tasks() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks()]


@pytest.mark.parametrize("wanted", [True, False])
async def test_background_prompts_are_sent_only_where_they_are_wanted(wanted: bool) -> None:
    provider = Scripted({"a": ["hello"]})
    shown = replace(chain_of(provider, "a"), traffic=Traffic(200.0, ("main",)))
    app = StandbyApp(Engine(shown, watch=False), traffic=wanted)
    async with app.run_test() as pilot:
        assert ("standby: traffic" in tasks()) is wanted
        if wanted:
            await patience.until(pilot, lambda: provider.calls)
    assert bool(provider.calls) is wanted
    assert "standby: traffic" not in tasks()


async def test_background_prompts_that_break_are_told_of_and_nothing_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def breaks(_: object) -> None:
        raise RuntimeError("no [/] more")

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(BackgroundTraffic, "run", breaks)
    shown = replace(chain_of(Scripted({"a": ["hello"]}), "a"), traffic=Traffic(1.0, ("main",)))
    app = StandbyApp(Engine(shown, watch=False))
    async with app.run_test(notifications=True) as pilot:
        await patience.until(pilot, lambda: app._notifications)
        (note,) = app._notifications
        assert note.message == "background prompts have stopped: RuntimeError: no [/] more"
    assert app.crash == ""
    assert "no [/] more" in (tmp_path / "standby" / "standby.log").read_text()


async def test_a_screen_that_becomes_too_low_for_the_attempts_gives_the_focus_to_the_board() -> None:
    async with dashboard(size=(80, 24)) as stage:
        await stage.press("tab")
        assert stage.view.attempts.has_focus
        await stage.pilot.resize_terminal(80, 12)
        await stage.until(lambda: not stage.view.attempts.display)
        await stage.press("j")
        assert stage.view.board.cursor == ("support", "p/mini")


async def test_the_palette_is_this_programs_own() -> None:
    async with dashboard() as stage:
        await stage.press("ctrl+p")
        assert isinstance(stage.app.screen, CommandMenu)
