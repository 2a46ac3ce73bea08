"""Who waits for whom at a SQLite file, and for how long; what is asked of a store that is not open."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest import mock

import pytest

from engine.store import sqlite_connection, sqlite_file
from engine.store.base import Presence, Record, Store, StoreError
from engine.store.memory import MemoryStore
from engine.store.sqlite import SqliteStore
from tests.store.patience import PATIENCE_S, soon
from tests.store.sqlite_work import (
    names,
    one_more,
    opened,
)

DAY_S = 86_400.0


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    with mock.patch.object(sqlite_connection, "_PATIENCE_S", seconds):
        yield


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield db


def test_a_file_that_somebody_keeps_locked_is_told(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    store = opened(path)
    with writing(path), patience(0.0):
        with pytest.raises(StoreError, match="is locked: another process has been writing for 0 seconds"):
            store.update("n", (), one_more)
        assert store.rows().rows == []  # who reads does not wait
    assert store.update("n", (), one_more).row.state == "1"
    store.close()


def test_a_step_is_not_called_before_it_has_the_lock(tmp_path: Path) -> None:
    store = opened(tmp_path / "standby.db")
    seen: list[float] = []
    with writing(tmp_path / "standby.db"), patience(0.0), pytest.raises(StoreError, match="is locked"):
        store.update("n", (), lambda _rows, now: seen.append(now))
    assert not seen
    store.close()


def test_a_lock_longer_than_one_stretch_is_waited_out(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    store = opened(path)
    refused: list[bool] = []
    with writing(path) as db:

        def is_busy(error: sqlite3.Error) -> bool:
            refused.append(sqlite_file.is_busy(error))
            db.execute("COMMIT")
            return refused[-1]

        with mock.patch.object(sqlite_connection, "is_busy", is_busy):
            assert store.update("n", (), one_more).row.state == "1"
    assert refused == [True]
    store.close()


def test_closing_cuts_the_wait_for_a_lock_short(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    store = opened(path)
    told: list[StoreError] = []

    def work() -> None:
        try:
            store.update("n", (), one_more)
        except StoreError as error:
            told.append(error)

    thread = threading.Thread(target=work)
    with writing(path), patience(PATIENCE_S):
        thread.start()
        assert soon(store._file._mutex.locked)
        begun = time.monotonic()
        store.close()
        assert time.monotonic() < begun + PATIENCE_S / 2
        thread.join(PATIENCE_S)
    assert told


def test_one_who_opens_waits_for_another_who_does(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    store = SqliteStore(path)
    with sqlite_file.alone(path, 0.0, lambda: False):
        with (
            patience(0.0),
            pytest.raises(StoreError, match="another process has been opening it for 0 seconds"),
        ):
            store.open()
        with pytest.raises(StoreError, match="another process has been opening it"):
            with sqlite_file.alone(path, PATIENCE_S, lambda: True):
                pass
        thread = threading.Thread(target=store.open)
        thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert store.rows().rows == []
    store.close()


def test_without_locks_on_folders_it_opens_all_the_same(tmp_path: Path) -> None:
    with mock.patch("fcntl.flock", side_effect=OSError(95, "not supported")):
        store = opened(tmp_path / "standby.db")
    store.close()


def test_a_file_system_without_links_will_do(tmp_path: Path) -> None:
    with mock.patch.object(Path, "hardlink_to", side_effect=PermissionError(1, "not permitted")):
        store = opened(tmp_path / "standby.db")
    store.close()
    assert names(tmp_path) == ["standby.db"]


def test_a_file_system_without_shared_memory_will_do(tmp_path: Path) -> None:
    setup = tuple(
        "PRAGMA journal_mode = DELETE" if "WAL" in each else each for each in sqlite_connection._SET_UP
    )
    with mock.patch.object(sqlite_connection, "_SET_UP", setup):
        store, other = opened(tmp_path / "standby.db"), opened(tmp_path / "standby.db")
    store.update("n", (), one_more)
    assert other.changed()
    assert other.update("n", (), one_more).row.state == "2"
    assert names(tmp_path) == ["standby.db"]
    store.close()
    other.close()


def test_several_stores_of_one_process_use_a_file_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    barrier = threading.Barrier(6, timeout=PATIENCE_S)

    def work() -> None:
        for _ in range(20):
            barrier.wait()
            store = opened(path)
            store.update("n", (), one_more)
            store.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    store = opened(path)
    assert [row.state for row in store.rows().rows] == ["120"]
    store.close()


def test_a_store_that_is_not_open_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "standby.db")
    store.close()
    acts: list[Callable[[], object]] = [store.changed, store.rows, store.end, store.engines]
    for act in acts:
        with pytest.raises(StoreError, match="is not open"):
            act()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_what_is_no_place_is_no_place(tmp_path: Path, kind: str) -> None:
    store: Store = MemoryStore() if kind == "memory" else SqliteStore(tmp_path / "standby.db")
    store.open()
    store.append([Record(1.0, "engine", "run", "{}")])
    for odd in ("-1", "1-0", "x", "²", " 1"):
        with pytest.raises(ValueError, match="is no place"):
            store.read(after=odd)
    assert store.read(after="9" * 50) == []
    store.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_an_engine_that_is_silent_for_a_day_is_forgotten(tmp_path: Path, kind: str) -> None:
    now = 1_000_000.0

    def clock() -> float:
        return now

    path = tmp_path / "standby.db"
    store: Store = MemoryStore(clock) if kind == "memory" else SqliteStore(path, wall=clock)
    store.open()
    store.beat(Presence("old", "a", "host", 1))
    now += DAY_S
    store.beat(Presence("new", "b", "host", 1))
    assert [each.run for each in store.engines()[0]] == ["old", "new"]
    now += 1
    assert [each.run for each in store.engines()[0]] == ["new"]
    store.beat(Presence("new", "b", "host", 1))
    now -= 1  # it is not only left out, but gone
    assert store.engines() == ([Presence("new", "b", "host", 1, now, now + 1)], now)
    store.beat(Presence("old", "a", "host", 1))
    assert [each.started for each in store.engines()[0]] == [now, now]
    store.close()


def test_engines_that_share_one_memory_hear_of_each_other() -> None:
    store = MemoryStore()
    heard: dict[str, list[bool]] = {"a": [], "b": []}
    turn = {"a": threading.Semaphore(1), "b": threading.Semaphore(0)}

    def work(name: str, other: str) -> None:
        store.open()
        for _ in range(3):
            assert turn[name].acquire(timeout=PATIENCE_S)
            heard[name].append(store.changed())
            store.update(name, (), one_more)
            heard[name].append(store.changed())
            turn[other].release()

    threads = [threading.Thread(target=work, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert heard["a"][1:] == [False, True, False, True, False]
    assert heard["b"][1:] == [False, True, False, True, False]
