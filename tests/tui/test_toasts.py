"""What toasts leave of the screen, and of what was said before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from textual.widgets._toast import Toast

from engine import Engine, ModelBenched, StoreDegraded, StoreRestored, StoreState
from tests.tui.stage import Stage, config, dashboard, told

STORE = "redis://127.0.0.1:6399/0"
WHY = f"{STORE} does not answer: Timeout reading from 127.0.0.1:6399"


@contextmanager
def store_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    state = StoreState(STORE, shared=True, ok=False, why=WHY)
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "store", property(lambda _: state))
        yield


async def lose_and_find_the_store(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, *, found: bool = True
) -> None:
    with store_away(monkeypatch):
        stage.engine._bus.emit(told(StoreDegraded, store=STORE, why=WHY))
        await stage.until(lambda: "can't be" in text_of(stage))
    if found:
        stage.engine._bus.emit(told(StoreRestored, store=STORE, why="it is there again"))
        await stage.until(lambda: "again" in text_of(stage))


def text_of(stage: Stage) -> str:
    return " | ".join(" ".join(str(toast.render()).split()) for toast in stage.app.screen.query(Toast))


def rows_of(stage: Stage) -> list[int]:
    """The lines of the screen that toasts take."""
    drawn = [toast.region for toast in stage.app.screen.query(Toast) if toast.is_on_screen]
    return [y for region in drawn for y in range(region.y, region.bottom)]


@asynccontextmanager
async def small() -> AsyncIterator[Stage]:
    async with dashboard(config({"support": ("p/a", "p/b", "p/c", "p/d")}), size=(40, 12)) as stage:
        yield stage


async def test_that_the_store_is_there_again_takes_the_place_of_its_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard() as stage:
        await lose_and_find_the_store(stage, monkeypatch)
        assert text_of(stage) == f"the store {STORE}: it is there again"
        await lose_and_find_the_store(stage, monkeypatch, found=False)
        assert "again" not in text_of(stage)
        assert "can't be used" in text_of(stage)
        assert len(stage.app._notifications) == 1


async def test_of_an_outage_and_its_end_at_once_only_the_end_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as stage:
        with store_away(monkeypatch):
            stage.engine._bus.emit(told(StoreDegraded, store=STORE, why=WHY))
        stage.engine._bus.emit(told(StoreRestored, store=STORE, why="it is there again"))
        await stage.until(lambda: "again" in text_of(stage))
        assert "can't be used" not in text_of(stage)


async def test_what_was_set_aside_stays_beside_news_of_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as stage:
        stage.engine._bus.emit(told(StoreRestored, store="x.db", why="x.db was damaged, and set aside"))
        await stage.until(lambda: "set aside" in text_of(stage))
        await lose_and_find_the_store(stage, monkeypatch)
        assert "set aside" in text_of(stage)
        assert "there again" in text_of(stage)


async def test_below_a_dialog_no_toast_is_drawn_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard(size=(80, 24)) as stage:
        await lose_and_find_the_store(stage, monkeypatch, found=False)
        await stage.press("b")
        await lose_and_find_the_store(stage, monkeypatch)
        below = stage.app.screen_stack[0]
        assert [toast.visible for toast in below.query(Toast)] == [False]
        assert stage.screen.count("the store") == 1
        await stage.press("escape")
        assert stage.app.screen is below
        assert text_of(stage) == f"the store {STORE}: it is there again"
        assert all(toast.visible for toast in below.query(Toast))


async def test_on_a_small_screen_a_toast_takes_two_lines_at_the_bottom_and_every_model_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with small() as stage:
        await stage.tell(told(ModelBenched, model="p/b", for_s=60.0))
        stage.app.notify("one more " * 30, markup=False)
        await lose_and_find_the_store(stage, monkeypatch, found=False)
        assert rows_of(stage) == [8, 9]
        assert "the store can't be used" in stage.screen
        assert "…" in "".join(stage.lines[8:10])
        for model in ("p/a", "p/b", "p/c", "p/d"):
            assert stage.row(model)
        stage.app.clear_notifications()
        stage.app.notify("short", markup=False)
        await stage.until(lambda: "short" in stage.screen)
        assert rows_of(stage) == [9]


async def test_on_a_large_screen_a_toast_says_all_it_has_to_say() -> None:
    async with dashboard() as stage:
        stage.app.notify("word " * 60, markup=False)
        await stage.until(lambda: text_of(stage))
        assert text_of(stage).split() == ["word"] * 60
