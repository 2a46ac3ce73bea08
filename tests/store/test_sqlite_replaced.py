"""Files that are removed or replaced while somebody has them open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from engine.store.base import Record, StoreError
from engine.store.sqlite import SqliteStore
from tests.store.sqlite_work import filled, one_more, opened, put


@pytest.mark.parametrize("act", ["changed", "update", "append"])
def test_a_file_that_is_removed_is_noticed_and_made_anew(tmp_path: Path, act: str) -> None:
    path = tmp_path / "state" / "standby.db"
    store = opened(path)
    store.update("n", (), one_more)
    old = store.rows().incarnation
    for each in path.parent.iterdir():
        each.unlink()
    path.parent.rmdir()
    acts: dict[str, Callable[[], object]] = {
        "changed": store.changed,
        "update": lambda: store.update("n", (), one_more),
        "append": lambda: store.append([Record(1.0, "engine", "run", "{}")]),
    }
    with pytest.raises(StoreError, match="removed or replaced"):
        acts[act]()
    assert store.open() == []
    assert store.rows().incarnation != old
    assert store.update("n", (), one_more).row.state == "1"
    store.close()


def test_one_that_comes_into_its_place_is_noticed(tmp_path: Path) -> None:
    path, another = tmp_path / "standby.db", tmp_path / "another" / "standby.db"
    another.parent.mkdir()
    incarnation = filled(another)
    store = opened(path)
    for end in ("-wal", "-shm"):
        (tmp_path / f"standby.db{end}").unlink()
    another.rename(path)
    with pytest.raises(StoreError, match="removed or replaced"):
        store.changed()
    assert store.open() == []
    assert store.rows().incarnation == incarnation
    store.close()


def test_those_who_still_have_a_removed_file_do_no_harm_to_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    stale = opened(path)
    stale.update("old", (), put("0"))
    path.unlink()  # the file alone: what SQLite keeps beside it stays
    new = opened(path)
    assert new.rows().rows == []
    with mock.patch.object(stale._file, "_check_that_it_is_still"):
        for number in range(20):
            for store, name in ((stale, "old"), (new, "new")):
                store.update(name, (), put(str(number)))
    stale.close()
    new.update("newer", (), put("20"))
    new.close()
    store = opened(path)
    assert {row.name: row.state for row in store.rows().rows} == {"new": "19", "newer": "20"}
    store.close()


def test_whoever_opens_it_while_it_is_replaced_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    store = SqliteStore(path)
    prepare = store._file._prepare

    def replace(db: sqlite3.Connection) -> None:
        prepare(db)
        path.unlink()

    with mock.patch.object(store._file, "_prepare", replace):
        with pytest.raises(StoreError, match="removed or replaced"):
            store.open()
    with pytest.raises(StoreError, match="is not open"):
        store.changed()
    assert store.open() == []
    store.close()
