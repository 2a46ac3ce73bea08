"""Help and palette: what the keys do, and every command by a few letters."""

from __future__ import annotations

import dataclasses

import pytest

from engine import Dashboard as LookSettings
from tests.tui.stage import Stage, config, dashboard
from tui.commands import COMMANDS
from tui.screens.bench_dialog import BenchDialog
from tui.screens.command_menu import CommandMenu


def menu(stage: Stage) -> CommandMenu:
    screen = stage.app.screen
    assert isinstance(screen, CommandMenu)
    return screen


def listed(stage: Stage) -> list[str]:
    """Names of the commands that are shown, the cursor's first one before all."""
    return [row.command.name for row in menu(stage).rows.rows if row.command]


def is_open(stage: Stage) -> bool:
    return isinstance(stage.app.screen, CommandMenu)


async def test_help_shows_the_keys_that_would_do_something_here_and_no_others() -> None:
    async with dashboard() as stage:
        await stage.press("?")
        assert {"bench", "unbench", "down", "pause", "quit"} <= set(listed(stage))
        assert not {"send", "stop_probe", "engine", "view_board", "faster"} & set(listed(stage))
        assert "What the keys do here" in stage.screen
        assert "Take the model under the cursor out of play." in stage.screen
        await stage.press("escape")
        assert not is_open(stage)


async def test_help_in_the_prompt_is_about_the_prompt() -> None:
    async with dashboard() as stage:
        await stage.press("2", "f1")
        assert {"send", "options", "leave"} <= set(listed(stage))
        assert "bench" not in listed(stage)


async def test_the_palette_has_every_command_of_this_dashboard() -> None:
    async with dashboard() as stage:
        await stage.press("ctrl+p")
        assert sorted(listed(stage)) == sorted(each.name for each in COMMANDS if each.place != "replay")


async def test_a_read_only_dashboard_does_not_speak_of_what_acts() -> None:
    async with dashboard(read_only=True) as stage:
        await stage.press(":")
        acting = {each.name for each in COMMANDS if each.acts or each.place == "prompt"}
        assert not acting & set(listed(stage))
        assert "pause" in listed(stage)


async def test_a_few_letters_find_a_command_and_enter_does_it() -> None:
    async with dashboard() as stage:
        await stage.press(":", *"bEn")
        assert listed(stage)[0] == "bench"
        await stage.press("enter")
        assert isinstance(stage.app.screen, BenchDialog)
        assert "p/large" in stage.screen


async def test_a_command_of_the_list_that_had_the_focus_moves_that_list() -> None:
    async with dashboard() as stage:
        assert stage.view.board.current is not None
        first = stage.view.board.current.model
        await stage.press(":", *"one line down", "enter")
        assert stage.view.board.current.model != first


async def test_what_works_elsewhere_says_where_and_stays_open() -> None:
    async with dashboard() as stage:
        await stage.press("ctrl+p", *"send the", "enter")
        assert is_open(stage)
        assert "Send works in the prompt." in stage.screen


async def test_letters_that_nothing_has_say_so_and_enter_does_nothing() -> None:
    async with dashboard() as stage:
        await stage.press(":", *"zzz")
        assert "Nothing has such a name." in stage.screen
        await stage.press("down", "enter")
        assert is_open(stage)
        await stage.press("backspace", "backspace", "backspace")
        assert "bench" in listed(stage)


async def test_arrows_move_over_headings_and_stop_at_the_ends() -> None:
    async with dashboard() as stage:
        await stage.press("?", "up")
        rows = menu(stage).rows
        names = listed(stage)
        assert rows.current is not None
        assert rows.current.command is not None
        assert rows.current.command.name == names[0]
        for name in names[1:]:
            await stage.press("down")
            assert rows.current.command is not None
            assert rows.current.command.name == name
        await stage.press("down")
        assert rows.current.command.name == names[-1]


@pytest.mark.parametrize("size", [(200, 60), (80, 24), (40, 12)])
async def test_the_line_under_the_cursor_is_on_the_screen_at_any_size(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as stage:
        await stage.press(":")
        for _ in listed(stage):
            row = menu(stage).rows.current
            assert row is not None
            assert row.command is not None
            assert row.command.label in stage.screen
            await stage.press("down")


async def test_a_click_does_what_it_hits() -> None:
    async with dashboard() as stage:
        await stage.press("?")
        rows = menu(stage).rows
        y = next(at for at, row in enumerate(rows.rows) if row.command and row.command.name == "bench")
        await stage.pilot.click(rows, offset=(4, y))
        await stage.beat()
        assert isinstance(stage.app.screen, BenchDialog)


async def test_a_key_of_the_configurations_own_is_the_one_that_is_shown() -> None:
    look = LookSettings(keys={"bench": "B", "help": "h"})
    async with dashboard(config(dashboard=look)) as stage:
        await stage.press("h")
        row = next(each for each in menu(stage).rows.rows if each.command and each.command.name == "bench")
        assert row.key == "B"


async def test_a_dialog_keeps_its_own_keys() -> None:
    async with dashboard() as stage:
        await stage.press("b", "ctrl+p")
        assert isinstance(stage.app.screen, BenchDialog)


def test_every_command_is_explained_in_one_sentence() -> None:
    for command in COMMANDS:
        assert dataclasses.asdict(command)["help"].endswith(".")
        assert command.help[0].isupper()
        assert len(command.label) <= 14
