"""`standby events`: the journal of every process at a store."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine import Engine, Recorded, StoreError, load_config
from tests.tui.command import LIMIT_S, Shell, ended
from tests.tui.made_up import Diary
from tests.upstream import Upstream, steps
from tui.cli import events as cli_events
from tui.cli.events import line
from tui.cli.journal_pages import about
from tui.moments import now
from tui.output import Notes


def names(lines: list[dict[str, Any]]) -> list[str]:
    return [each["event"] for each in lines]


async def test_one_line_an_event_with_time_engine_event_model_and_what(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(404, message="no such\x1b[2J model"))
    path = shell.config(up)
    await shell.run("run", "main", "hi", "--name", "api-1", "--config", path)
    end = await shell.run("events", "--config", path)
    assert (end.code, end.err) == (0, "")
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    shown = [re.sub(r"\d+ms|\d\.\ds", "N", line) for line in end.out.splitlines()]
    assert all(re.match(f"{time}  api-1 {{13}}[a-z._]+ ", line) for line in shown)
    assert [line[39:].split("  ")[0].split()[0] for line in shown] == [
        "request.started", "attempt.started", "attempt.failed", "model.benched", "attempt.started",
        "attempt.first_token", "attempt.succeeded", "request.succeeded",
    ]  # fmt: skip
    told = [re.sub(" +", " ", line[39:]) for line in shown]
    assert told[0] == "request.started main stream: p/a, p/b"
    assert told[2].startswith("attempt.failed p/a model_not_found (HTTP 404) after N, ")
    assert told[2].endswith(": no such␛[2J model")
    assert told[3] == "model.benched p/a for 5m, level 1: model_not_found"
    assert told[-1] == "request.succeeded p/b answered in N, 2 attempts, not the first of its list"


async def test_json_is_each_event_as_it_was_recorded(shell: Shell, up: Upstream) -> None:
    path = shell.config(up)
    run = await shell.run("run", "main", "hi", "--json", "--name", "api-1", "--config", path)
    end = await shell.run("events", "--json", "--config", path)
    assert (end.code, end.err) == (0, "")
    assert end.lines == run.lines[:-1]


async def test_since_limit_and_model_choose(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(404))
    path = shell.config(up)
    await shell.run("run", "main", "hi", "--config", path)
    every = (await shell.run("events", "--json", "--config", path)).lines
    last = (await shell.run("events", "--json", "--limit", "3", "--config", path)).lines
    assert last == every[-3:]
    of_a = (await shell.run("events", "--json", "--model", "p/a", "--config", path)).lines
    assert names(of_a) == ["attempt.started", "attempt.failed", "model.benched"]
    assert (await shell.run("events", "--since", "0", "--config", path)).out == ""
    gone = await shell.run("events", "--model", "p/gone", "--config", path)
    assert (gone.code, gone.out) == (0, "")
    unknown = await shell.run("events", "--model", "mian", "--config", path)
    assert (unknown.code, unknown.out) == (2, "")
    assert "did you mean 'main'" in unknown.err


def test_about_a_model_are_its_keys_its_provider_and_requests_it_failed() -> None:
    told = Diary()
    told.fail(1, "p/a")
    told.fail(2, "p/b")
    for name in ("p#k", "p#k/a", "p#k/b", "q#k", "p/*", "q/*", "p/a", "p/b"):
        told.bench(3, name)
    facts: dict[str, Any] = {"error": "E", "message": "", "elapsed_s": 1.0}
    told.tell(4, "request.failed", causes=[{"model": "p/b"}, {"model": "p/a"}], **facts)
    told.tell(5, "request.failed", causes=[{"model": "p/b"}], **facts)
    told.tell(6, "model.retired", model="p/a")
    chosen = [each.data for each in told.records if about("p/a")(each)]
    assert [each.get("model", each.get("key", each["event"])) for each in chosen] == [
        "p/a", "p#k", "p#k/a", "p/*", "p/a", "request.failed", "p/a",
    ]  # fmt: skip
    assert "causes" in chosen[5]


def test_an_event_that_nobody_knows_is_shown_with_what_it_holds() -> None:
    told = Diary()
    told.tell(1, "model.retired", model="p/a", why="old\nage", when=None)
    told.raw({"event": "x", "at": "once", "engine": "e"})
    one, other = map(line, told.records)
    assert one[19:].split() == ["api:1", "model.retired", "p/a", 'why="old\\nage"']
    assert other.split() == ["-", "e", "x"]


class Follower:
    """`standby events --follow`, read as it goes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(LIMIT_S):
            return (await self.process.stdout.readline()).decode()

    async def until(self, holds: Callable[[str], bool]) -> str:
        while True:
            got = await self.line()
            assert got, "it ended"
            if holds(got):
                return got


async def test_follow_goes_on_with_what_other_processes_do_until_ctrl_c(shell: Shell, up: Upstream) -> None:
    path = shell.config(up)
    await shell.run("bench", "p/b", "--config", path)
    follower = Follower(await shell.start("events", "--follow", "--json", "--config", path))
    assert json.loads(await follower.line())["model"] == "p/b"
    await shell.run("run", "main", "hi", "--name", "api-1", "--config", path)
    got = await follower.until(lambda line: json.loads(line)["event"] == "request.succeeded")
    assert json.loads(got)["engine"] == "api-1"
    await shell.run("unbench", "p/b", "--config", path)
    assert json.loads(await follower.line())["event"] == "model.unbenched"
    follower.process.send_signal(signal.SIGINT)
    end = await ended(follower.process)
    assert (end.code, end.err) == (130, "standby: interrupted\n")


async def test_follow_of_an_empty_journal_sees_the_first_event(shell: Shell, up: Upstream) -> None:
    path = shell.config(up)
    assert (await shell.run("events", "--config", path)).out == ""
    follower = Follower(await shell.start("events", "-f", "--model", "p/a", "--config", path))
    await shell.run("bench", "p/b", "--config", path)
    await shell.run("bench", "p/a", "--config", path)
    assert " p/a " in await follower.line()
    follower.process.terminate()
    assert (await ended(follower.process)).code == 143


async def test_more_than_a_page_is_read_whole_and_in_order(shell: Shell, up: Upstream) -> None:
    path = shell.config(up)
    store = f"sqlite:{shell.home}/state/standby/standby.db"
    async with Engine(replace(load_config(path), store=store), watch=False) as engine:
        for number in range(1300):
            engine.bench("p/a", for_=3600, reason=str(number))
        await engine.flush()
    every = (await shell.run("events", "--json", "--config", path)).lines
    assert [each["reason"] for each in every] == [str(number) for number in range(1300)]
    last = (await shell.run("events", "--json", "--limit", "1100", "--config", path)).lines
    assert last == every[200:]


async def test_a_reader_that_goes_away_ends_it_quietly(shell: Shell, up: Upstream) -> None:
    path = shell.config(up)
    await shell.run("run", "main", "hi", "--config", path)
    reads, writes = os.pipe()
    os.close(reads)
    process = await shell.start("events", "--config", path, stdout=writes)
    os.close(writes)
    end = await ended(process)
    assert end.code == 141
    assert end.err == ""


class Flaky:
    """A journal that is away for a while."""

    def __init__(self, *pages: list[Recorded] | StoreError) -> None:
        self.pages = list(pages)
        self.asked: list[tuple[bool, str]] = []

    async def history(self, since_s: float | None, *, after: str) -> list[Recorded]:
        self.asked.append((since_s is None, after))
        page = self.pages.pop(0)
        if isinstance(page, StoreError):
            raise page
        return page


async def test_follow_waits_for_a_store_that_is_away_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli_events, "_LOOK_EVERY_S", 0)
    monkeypatch.setattr(cli_events, "_LOOK_AGAIN_S", 0)
    told = Diary()
    for number in range(3):
        told.fail(number, "p/a")
    one, two, three = told.records
    gone = StoreError("the disk is full")
    journal: Any = Flaky([], [one], [two], gone, gone, [], [three], gone)
    shown: list[Recorded] = []
    with pytest.raises(IndexError):  # it goes on for ever
        await cli_events._follow(journal, now(), "", shown.extend, Notes())
    assert shown == told.records
    assert journal.asked[:4] == [(False, ""), (False, ""), (True, "1"), (True, "2")]
    assert capsys.readouterr().err.splitlines() == [
        "warning: the store is away: the disk is full; waiting",
        "note: the store is there again",
        "warning: the store is away: the disk is full; waiting",
    ]


@pytest.mark.parametrize("flags", [[], ["--json"]])
async def test_a_terminal_gets_nothing_of_it_raw(shell: Shell, up: Upstream, flags: list[str]) -> None:
    path = shell.config(up)
    await shell.run("bench", "p/a", "--reason", "\x1b]52;c;eA==\x07\x9b\u202e", "--config", path)
    end = await shell.run("events", *flags, "--config", path)
    assert end.code == 0
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(end.out)
