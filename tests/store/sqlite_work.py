"""What processes of their own do to a SQLite store."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from engine.store.base import Record, Step, StoreError, StoreRefused
from engine.store.sqlite import SqliteStore
from tests.store.processes import wait_for_all

NOBODY = 65534


def one_more(rows: Mapping[str, str], _now: float) -> str:
    return str(int(rows.get("n", "0")) + 1)


def put(text: str | None) -> Step:
    """A step to a text, whatever is there."""
    return lambda _rows, _now: text


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def opened(path: Path) -> SqliteStore:
    store = SqliteStore(path)
    store.open()
    return store


def count_up(pipe: Connection, path: Path, times: int) -> list[int]:
    """Counts; returns every number it made."""
    store = opened(path)
    wait_for_all(pipe)
    numbers = [int(store.update("n", (), one_more).row.state) for _ in range(times)]
    store.close()
    return numbers


def come_in(pipe: Connection, path: Path) -> tuple[list[str], str]:
    """Opens, writes, closes; returns what was told, and the incarnation."""
    store = SqliteStore(path)
    wait_for_all(pipe)
    told = store.open()
    store.update("n", (), one_more)
    incarnation = store.rows().incarnation
    store.close()
    return told, incarnation


def use(pipe: Connection, path: Path) -> tuple[list[str], str]:
    """Reads and writes, and opens it again after an error; returns what was told, and the incarnation."""
    store = opened(path)
    wait_for_all(pipe)
    told: list[str] = []
    for _ in range(10):
        try:
            store.update("n", (), one_more)
            store.read(limit=100_000)
        except StoreError:
            told += store.open()
    incarnation = store.rows().incarnation
    store.close()
    return told, incarnation


def step_on(pipe: Connection, path: Path, name: str) -> None:
    """Counts and writes down each number, and says when both are done, until it is killed."""
    store = opened(path)
    for number in count(1):
        store.update(name, (), put(str(number)))
        store.append([Record(float(number), "engine", name, str(number))])
        pipe.send(number)


def write_and_wait(pipe: Connection, path: Path) -> None:
    """Writes a row, says so, and waits with the file open."""
    store = opened(path)
    store.update("name", (), put("text"))
    pipe.send("written")
    pipe.recv()


def open_and_close(pipe: Connection, path: Path) -> None:
    """Says that it is about to open, and opens."""
    pipe.send("now")
    opened(path).close()


def outcome_for_nobody(_pipe: Connection, path: Path, act: str) -> str:
    """What a user without rights is told; root becomes one."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    store = SqliteStore(path)
    try:
        store.open()
        if act == "write":
            store.update("n", (), one_more)
    except StoreError as error:
        return str(error)
    return ""


def write_until_it_ends(store: SqliteStore) -> tuple[str, int]:
    """Why it ended, and how many records came in."""
    for written in count(0, 10):
        try:
            store.append([Record(1.0, "engine", "run", "x" * 1000)] * 10)
        except StoreError as error:
            return str(error), written
    raise AssertionError


def fill_up(_pipe: Connection, path: Path, limit: int | None) -> tuple[str, int, str]:
    """Writes until something gives: what it says, how many records came in; and whether it goes on after."""
    store = opened(path)
    if limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    why, written = write_until_it_ends(store)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:
        path.with_name("ballast").unlink()
    store.open()
    found = len(store.read(limit=1_000_000))
    store.append([Record(1.0, "engine", "run", "last")])
    assert found == written, (found, written)
    return why, written, store.read(limit=1_000_000)[-1].record.data


def fork(_pipe: Connection, path: Path) -> list[str]:
    """What a forked child was told; the parent goes on as if nothing had been."""
    store = opened(path)
    store.update("n", (), one_more)
    there, here = os.pipe()
    child = os.fork()
    if not child:
        words: list[str] = []
        with suppress(BaseException):
            for act in (store.changed, store.close, store.open, SqliteStore(path).open):
                try:
                    act()
                    words.append("done")
                except StoreRefused as error:
                    words.append(f"refused: {error}")
                except StoreError as error:
                    words.append(f"error: {error}")
            another = SqliteStore(path.with_name("another.db"))
            another.open()
            words.append(another.update("n", (), one_more).row.state)
            another.close()
        os.write(here, "\n".join(words).encode())
        os._exit(0)
    os.close(here)
    with os.fdopen(there) as pipe:
        told = pipe.read().split("\n")
    os.waitpid(child, 0)
    store.update("n", (), one_more)
    assert not store.changed()
    store.close()
    return told


def filled(path: Path) -> str:
    """A file of many pages, with nothing beside it. Returns its incarnation."""
    store = opened(path)
    for number in range(200):
        store.update(f"p/{number}", (), put("x" * 200))
    store.append([Record(float(number), "engine", "run", "y" * 300) for number in range(1000)])
    incarnation = store.rows().incarnation
    store.close()
    assert names(path.parent) == [path.name]
    return incarnation
