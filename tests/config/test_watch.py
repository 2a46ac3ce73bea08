from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import replace as replaced
from pathlib import Path

import pytest

from engine.config import watch
from engine.config.load import load_config
from engine.config.model import Config
from engine.config.watch import Watched
from engine.errors import ConfigError

FIRST = "providers: {o: {kind: openai}}\n"
SECOND = "providers: {o: {kind: ollama}}\n"
BROKEN = "providers: {o: {kind: nobody}}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(FIRST)
    return path


@pytest.fixture
async def watched(file: Path) -> Watched:
    watched = Watched(load_config(file))
    assert await watched.check() is None
    return watched


def write(file: Path, text: str) -> None:
    """As some editors write: into the file itself. The time differs, also where it goes in coarse steps."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text)
    stat = file.stat()
    os.utime(file, ns=(stat.st_atime_ns, max(stat.st_mtime_ns, before + 1)))


def replace(file: Path, text: str, *, same_time: bool = False) -> None:
    """As most editors write: a new file beside it, then renamed over it."""
    beside = file.with_suffix(".tmp")
    beside.write_text(text)
    if same_time:
        stat = file.stat()
        os.utime(beside, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    beside.replace(file)


def move(file: Path, to: Path) -> None:
    file.rename(to)


def make_folder(path: Path) -> None:
    path.mkdir()


def away(file: Path) -> Path:
    return file.with_suffix(".away")


def kind(found: Config | ConfigError | None) -> str:
    assert isinstance(found, Config)
    return found.providers["o"].kind


async def test_a_file_that_stays_as_it_is_is_read_once(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: object) -> Config:
        raise AssertionError("read again")

    monkeypatch.setattr(watch, "load_config", read)
    assert await watched.check() is None
    assert await watched.check() is None


async def test_an_edit_in_place_is_taken_over_once(file: Path, watched: Watched) -> None:
    write(file, SECOND)
    assert kind(await watched.check()) == "ollama"
    assert await watched.check() is None


async def test_an_edit_by_renaming_another_file_over_it_is_taken_over(file: Path, watched: Watched) -> None:
    replace(file, SECOND)
    assert kind(await watched.check()) == "ollama"
    assert await watched.check() is None


async def test_an_edit_that_keeps_size_and_time_of_writing_is_seen(file: Path, watched: Watched) -> None:
    assert len(SECOND) == len(FIRST)
    replace(file, SECOND, same_time=True)
    assert kind(await watched.check()) == "ollama"


async def test_a_link_that_points_elsewhere_is_an_edit(tmp_path: Path) -> None:
    for name, text in (("one", FIRST), ("two", SECOND)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(text)
    link = tmp_path / "current"
    link.symlink_to("one")
    watched = Watched(load_config(link / "config.yaml"))
    assert await watched.check() is None
    link.unlink()
    link.symlink_to("two")
    assert kind(await watched.check()) == "ollama"


async def test_an_edit_between_loading_and_the_first_look_is_seen(file: Path) -> None:
    watched = Watched(load_config(file))
    write(file, SECOND)
    assert kind(await watched.check()) == "ollama"


async def test_writing_the_same_again_changes_nothing(file: Path, watched: Watched) -> None:
    replace(file, "# a comment\n" + FIRST)
    assert await watched.check() is None


async def test_a_bad_edit_is_refused_once_and_the_next_good_one_taken(file: Path, watched: Watched) -> None:
    write(file, BROKEN)
    found = await watched.check()
    assert isinstance(found, ConfigError)
    assert [(fault.line, fault.where) for fault in found.faults] == [(1, "providers.o.kind")]
    assert await watched.check() is None
    write(file, SECOND)
    assert kind(await watched.check()) == "ollama"


async def test_taking_a_bad_edit_back_is_told_although_it_changes_nothing(
    file: Path, watched: Watched
) -> None:
    write(file, BROKEN)
    assert isinstance(await watched.check(), ConfigError)
    write(file, FIRST)
    assert kind(await watched.check()) == "openai"
    assert await watched.check() is None


async def test_half_a_file_is_refused_as_a_whole_and_the_whole_one_taken(
    file: Path, watched: Watched
) -> None:
    write(file, "")
    assert isinstance(await watched.check(), ConfigError)
    write(file, SECOND[:-5])
    assert isinstance(await watched.check(), ConfigError)
    write(file, SECOND)
    assert kind(await watched.check()) == "ollama"


async def test_a_file_that_is_missing_for_a_moment_is_not_changed(file: Path, watched: Watched) -> None:
    move(file, away(file))
    assert await watched.check() is None
    write(file, FIRST)
    assert await watched.check() is None
    move(file, away(file))
    assert await watched.check() is None


async def test_a_file_that_stays_away_is_one_fault_and_welcome_when_it_comes_back(
    file: Path, watched: Watched
) -> None:
    move(file, away(file))
    assert await watched.check() is None
    found = await watched.check()
    assert isinstance(found, ConfigError)
    assert str(found) == f"{file}: no such file any more; the configuration read before stays in force"
    assert await watched.check() is None
    assert await watched.check() is None
    move(away(file), file)
    assert kind(await watched.check()) == "openai"
    assert await watched.check() is None


async def test_an_edit_while_the_file_is_being_read_is_seen_at_the_next_look(
    file: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(file, SECOND)

    def load_and_edit(path: Path) -> Config:
        config = load_config(path)
        replace(file, FIRST)
        return config

    monkeypatch.setattr(watch, "load_config", load_and_edit)
    assert kind(await watched.check()) == "ollama"
    monkeypatch.undo()
    assert kind(await watched.check()) == "openai"


async def test_the_file_is_read_in_another_thread(
    file: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def load(path: Path) -> Config:
        threads.append(threading.current_thread())
        return load_config(path)

    monkeypatch.setattr(watch, "load_config", load)
    write(file, SECOND)
    await watched.check()
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


async def test_a_look_that_is_cancelled_loses_no_edit(
    file: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def load(path: Path) -> Config:
        loop.call_soon_threadsafe(reading.set)
        go_on.wait(30)
        return load_config(path)

    monkeypatch.setattr(watch, "load_config", load)
    write(file, SECOND)
    look = asyncio.create_task(watched.check())
    await reading.wait()
    look.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await look
    assert kind(await watched.check()) == "ollama"


async def test_two_looks_at_once_give_an_edit_to_one_of_them(file: Path, watched: Watched) -> None:
    write(file, SECOND)
    found = await asyncio.gather(watched.check(), watched.check())
    assert [isinstance(one, Config) for one in found] == [True, False]


async def test_a_pipe_is_not_read_a_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_: object) -> Config:
        raise AssertionError("read again")

    monkeypatch.setattr(watch, "load_config", read)
    os.mkfifo(tmp_path / "pipe")
    watched = Watched(Config(path=tmp_path / "pipe"))
    assert await watched.check() is None
    assert await watched.check() is None


async def test_a_directory_in_the_file_s_place_is_a_fault(file: Path, watched: Watched) -> None:
    move(file, away(file))
    make_folder(file)
    found = await watched.check()
    assert isinstance(found, ConfigError)
    assert "is a directory" in str(found)


async def test_a_configuration_built_in_code_has_no_file_to_look_at() -> None:
    assert await Watched(Config()).check() is None


async def test_a_store_that_was_put_in_the_place_of_the_files_stays_and_is_no_change(file: Path) -> None:
    watched = Watched(replaced(load_config(file), store="memory"))
    assert await watched.check() is None
    write(file, f"store: redis://other\n{FIRST}")
    assert await watched.check() is None
    write(file, f"store: redis://other\n{SECOND}")
    found = await watched.check()
    assert isinstance(found, Config)
    assert (found.store, found.providers["o"].kind) == ("memory", "ollama")
