"""Whose attempts can be chosen, in which order, and how the mark moves."""

from __future__ import annotations

import pytest

from engine import EngineSeen
from tests.tui.stage import Stage, begun, benched, dashboard
from tui.screens.engine_chooser import EngineChooser


def seen(name: str) -> EngineSeen:
    return EngineSeen(
        name=name, run=name, host="h", pid=1, started="", seen_s=0.5, silent=False, own=name == "standby:1"
    )


def names(stage: Stage) -> tuple[str, ...]:
    chooser = stage.app.screen
    assert isinstance(chooser, EngineChooser)
    return chooser._names


async def fill(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """One engine that is there, a command that sent a prompt, and three that only benched something."""
    there = [seen("zeta:1"), seen("standby:1")]
    monkeypatch.setattr(type(stage.engine), "engines", lambda _: there)
    for number in range(3):
        await stage.tell(benched(engine=f"tui:{number}", manual=True, by="alice"))
    await stage.tell(begun("r1", engine="run:9"), begun("r2", engine="zeta:1"))
    stage.clock.pass_(60.0)
    await stage.beat()


async def test_those_that_are_there_come_first_and_commands_that_are_gone_do_not_come_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard() as stage:
        await fill(stage, monkeypatch)
        await stage.press("E")
        assert names(stage) == ("", "standby:1", "zeta:1", "run:9")


async def test_what_was_heard_a_moment_ago_counts_as_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as stage:
        await fill(stage, monkeypatch)
        await stage.tell(benched(engine="alpha:1"))
        await stage.press("E")
        assert names(stage) == ("", "alpha:1", "standby:1", "zeta:1", "run:9")


async def test_the_one_that_is_chosen_can_be_chosen_though_it_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard() as stage:
        await fill(stage, monkeypatch)
        stage.view.attempts.only("tui:1")
        await stage.press("E")
        assert names(stage) == ("", "standby:1", "zeta:1", "run:9", "tui:1")


async def test_home_and_end_go_to_the_first_and_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as stage:
        await fill(stage, monkeypatch)
        await stage.press("E", "end", "enter")
        assert stage.view.attempts.engine == "run:9"
        await stage.press("E", "home", "enter")
        assert stage.view.attempts.engine == ""
