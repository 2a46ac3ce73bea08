"""What the dashboard says of a store that can't be used, or was damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets._toast import Toast

from engine import StoreDegraded, StoreRestored, StoreState
from tests.tui.stage import Stage, config, dashboard, told
from tui.store_news import unusable

WHY = "/state/standby.db can't be opened: permission denied; see to it that the folder can be written"


def toasts(stage: Stage) -> list[str]:
    return [" ".join(str(toast.render()).split()) for toast in stage.app.screen.query(Toast)]


async def test_a_store_that_can_not_be_used_is_a_toast_with_the_whole_reason(tmp_path: Path) -> None:
    (tmp_path / "[b] file").write_text("no folder")
    async with dashboard(config(store=f"sqlite:{tmp_path}/[b] file/own.db")) as stage:
        await stage.until(lambda: toasts(stage))
        (toast,) = toasts(stage)
        assert toast.startswith("the store can't be used: ")
        assert toast.endswith("; benches of other processes are not known here")
        assert stage.engine.store.why in toast
        (notification,) = stage.app._notifications
        assert (notification.severity, notification.timeout) == ("warning", 15.0)


async def test_a_damaged_file_that_was_set_aside_is_a_toast(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    path.write_bytes(b"no database at all" * 1000)
    async with dashboard(config(store=f"sqlite:{path}")) as stage:
        await stage.until(lambda: toasts(stage))
        (toast,) = toasts(stage)
        assert toast.startswith(f"{path} was damaged. It was set aside as {path}.damaged-")


async def test_what_a_name_or_a_reason_holds_is_made_safe() -> None:
    async with dashboard() as stage:
        stage.engine._bus.emit(told(StoreDegraded, store="x", why=""))
        stage.engine._bus.emit(told(StoreRestored, store="x", why="it is [/b] \x1b[31m there"))
        await stage.until(lambda: toasts(stage))
        assert toasts(stage) == ["the store x: it is [/b] ␛[31m there"]


def test_a_store_is_named_once() -> None:
    why = "/x.db can't be read: gone"
    assert unusable("/x.db", why) == f"the store can't be used: {why}"
    assert unusable("/x.db", "gone") == "the store /x.db can't be used: gone"
    assert unusable("/x.db", "") == "the store /x.db can't be used"


def status_line(stage: Stage) -> str:
    return stage.lines[-2].strip()


@pytest.mark.parametrize(
    ("width", "says"),
    [
        (140, "▲ store degraded: standby.db can't be opened: permission denied; see to it that the folder"),
        (80, "▲ store degraded: standby.db can't be opened: permission denied; see to it"),
        (50, "▲ store degraded: standby.db can't be open"),
        (34, "▲ store down"),
    ],
)
async def test_the_reason_goes_before_what_is_less_important(
    monkeypatch: pytest.MonkeyPatch, width: int, says: str
) -> None:
    state = StoreState("/state/standby.db", shared=True, ok=False, why=WHY)
    async with dashboard(size=(width, 24)) as stage:
        monkeypatch.setattr(type(stage.engine), "store", property(lambda _: state))
        await stage.beat()
        assert status_line(stage).startswith(says)


async def test_what_must_be_said_beside_the_reason_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    state = StoreState("/state/standby.db", shared=True, ok=False, why=WHY)
    async with dashboard(size=(80, 24), read_only=True) as stage:
        monkeypatch.setattr(type(stage.engine), "store", property(lambda _: state))
        await stage.beat()
        assert status_line(stage).startswith("▲ store degraded: standby.db can't be opened: permission")
        assert status_line(stage).endswith("· read-only")
