"""A crash tells what happened, where the log is, and no secrets."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from rich.traceback import Traceback
from textual.app import App

from tui.careful import CarefulApp

SECRET = "sk-canary-0123456789abcdef"


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


class Log:
    """The log of crashes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def text(self) -> str:
        return self.path.read_text()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "standby" / "standby.log")


class Breaks(CarefulApp):
    def on_key(self) -> None:
        local = SECRET
        raise ValueError(f"broke with {local} [/]")


async def test_an_exception_ends_the_app_with_one_redacted_message(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    app = Breaks()
    with pytest.raises(ValueError, match="broke"):
        async with app.run_test() as pilot:
            await pilot.press("x")
    assert app.return_code == 1
    assert app.crash.startswith("the dashboard crashed: ValueError: broke with [redacted] [/]\n")
    assert str(log.path) in app.crash
    assert SECRET not in app.crash
    assert SECRET not in log.text
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""


async def test_what_textual_panics_with_is_logged_not_printed(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    app = CarefulApp()
    async with app.run_test():
        try:
            int(f"the input thread died with {SECRET}")
        except ValueError:
            app.panic(Traceback(show_locals=True))
    assert "the dashboard crashed" in app.crash
    assert "the input thread died" in log.text
    assert SECRET not in app.crash + log.text
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""


async def test_only_the_first_crash_is_told(log: Log) -> None:
    app = CarefulApp()
    async with app.run_test():
        app.panic("first")
        app.panic("second")
    assert "first" in app.crash
    assert "second" not in log.text


async def test_a_log_that_cannot_be_written_does_not_hide_the_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file" / "below"))
    (tmp_path / "file").write_text("in the way")
    app = CarefulApp()
    async with app.run_test():
        app.panic("first")
    assert app.crash.endswith("the log could not be written")


async def test_what_goes_wrong_on_the_side_is_logged_and_ends_nothing(log: Log) -> None:
    app = CarefulApp()
    async with app.run_test() as pilot:
        loop = asyncio.get_running_loop()
        app.report_stray(loop, {"message": "x", "exception": ValueError(f"stray {SECRET}")})
        app.report_stray(loop, {"message": "Task was destroyed"})
        await pilot.pause()
        assert app.crash == ""
    assert "stray [redacted]" in log.text
    assert "Task was destroyed" in log.text


def test_the_methods_that_are_overridden_still_exist_in_textual() -> None:
    for name in (
        "_handle_exception",
        "_fatal_error",
        "panic",
        "_close_messages_no_wait",
        "_print_error_renderables",
    ):
        assert hasattr(App, name)
