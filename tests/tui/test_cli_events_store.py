"""`standby events` and a store that is away from the first, or fails while it is read for the first time."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from engine import Config, Recorded, StoreError
from tests.tui.command import LIMIT_S, Shell, ended
from tests.tui.made_up import BEGIN, Diary
from tests.upstream import Upstream
from tui.cli import entry as cli, events as cli_events, journal_pages
from tui.output import Notes

GONE = StoreError("the disk is full")
WARNED = "warning: the store is away: the disk is full; waiting"
BACK = "note: the store is there again"


class Flaky:
    """An engine whose store is away now and then. At the end of the script it stops what reads it."""

    def __init__(self, *pages: list[Recorded] | StoreError) -> None:
        self.pages = list(pages)
        self.asked: list[tuple[float | None, str]] = []

    async def history(self, since_s: float | None, *, after: str, **_: object) -> list[Recorded]:
        self.asked.append((since_s, after))
        page = self.pages.pop(0)
        if isinstance(page, StoreError):
            raise page
        return page


def onlooker_of(journal: Flaky) -> Callable[..., Any]:
    @asynccontextmanager
    async def onlooker(*_: object, **__: object) -> AsyncIterator[Flaky]:
        yield journal

    return onlooker


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Reads a journal one event a page, in no time; gives what it has shown."""
    monkeypatch.setattr(cli_events, "_LOOK_EVERY_S", 0)
    monkeypatch.setattr(cli_events, "_LOOK_AGAIN_S", 0)
    monkeypatch.setattr(journal_pages, "_PAGE", 1)

    async def read(journal: Flaky, *, limit: int | None = None) -> list[Recorded]:
        monkeypatch.setattr(cli_events, "onlooker", onlooker_of(journal))
        shown: list[Recorded] = []
        asked = argparse.Namespace(follow=True, since=BEGIN, model=None, limit=limit)
        show: Any = shown.extend
        with pytest.raises(IndexError):  # it goes on for ever
            await cli_events._read(Config(), asked, show, Notes())
        return shown

    return read


def told() -> list[Recorded]:
    diary = Diary()
    for number in range(4):
        diary.fail(number, "p/a")
    return diary.records


async def test_follow_waits_when_the_very_first_read_fails_and_says_so_once(
    read: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, *_ = told()
    assert await read(Flaky(GONE, GONE, [one], [], [two])) == [one, two]
    assert capsys.readouterr().err.splitlines() == [WARNED, BACK]


async def test_follow_goes_on_where_the_first_read_was_broken_off(
    read: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, three, four = told()
    journal = Flaky([one], [two], GONE, [three], [], [four])
    assert await read(journal) == [one, two, three, four]
    assert [after for _, after in journal.asked] == ["", "1", "2", "2", "3", "3", "4"]
    assert capsys.readouterr().err.splitlines() == [WARNED, BACK]


async def test_what_is_waited_for_is_read_from_the_same_time_on(
    read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = count()
    for module in (cli_events, journal_pages):
        monkeypatch.setattr(module, "now", lambda: BEGIN + timedelta(minutes=next(minutes)))
    journal = Flaky(GONE, GONE, [])
    await read(journal)
    assert [since for since, _ in journal.asked] == [0, 60, 120, 180]


async def test_the_limit_holds_for_what_there_was_also_when_that_was_waited_for(
    read: Callable[..., Any],
) -> None:
    one, two, three, four = told()
    assert await read(Flaky([one], GONE, [two], [three], [], [four]), limit=1) == [three, four]


@pytest.fixture
def a_config(shell: Shell) -> str:
    return shell.config("http://127.0.0.1:9/v1")


def test_without_follow_a_first_read_that_fails_is_one_line_and_exit_1(
    a_config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli_events, "onlooker", onlooker_of(Flaky(GONE)))
    assert cli.main(["events", "--config", a_config]) == 1
    assert capsys.readouterr() == ("", "standby: the disk is full\n")


async def test_follow_waits_for_a_store_that_is_away_from_the_first(shell: Shell, up: Upstream) -> None:
    folder = shell.home / "folder"
    folder.write_text("a file where the folder should be")
    store = ("--store", f"sqlite:{folder}/own.db", "--config", shell.config(up))
    end = await shell.run("events", *store)
    assert (end.code, end.out, len(end.err.splitlines())) == (1, "", 1)
    assert end.err.startswith(f"standby: the store can't be used: {folder}/own.db ")
    process = await shell.start("events", "--follow", *store)
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(LIMIT_S):
        warning = (await process.stderr.readline()).decode()
        assert warning.startswith(f"warning: the store is away: {folder}/own.db ")
        assert warning.endswith("; waiting\n")
        folder.unlink()
        await shell.run("bench", "p/a", *store)
        while b" p/a " not in await process.stdout.readline():
            pass
    process.terminate()
    end = await ended(process)
    assert (end.code, end.err) == (143, f"{BACK}\nstandby: interrupted\n")
