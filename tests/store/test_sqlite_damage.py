"""Files that are damaged, removed or replaced: what is done about them, and that nothing good is moved."""

from __future__ import annotations

import os
import random
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine.store.base import Record, StoreError
from engine.store.sqlite import SqliteStore
from engine.store.sqlite_file import set_aside
from tests.store.processes import children, together
from tests.store.sqlite_work import come_in, filled, names, one_more, opened, put, use, write_and_wait

WHEN = 1795285890.0  # 2026-11-21T18:31:30Z
ASIDE = "standby.db.damaged-20261121T183130Z"
PAGE = 4096


def write_at(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)


def garbage_from_page(path: Path, first: int) -> None:
    for page in range(first, path.stat().st_size // PAGE):
        write_at(path, page * PAGE, random.Random(page).randbytes(PAGE))


def random_bytes(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(20_000))


def some_text(path: Path) -> None:
    path.write_text("this is no database\n" * 100)


def two_bytes(path: Path) -> None:
    path.write_bytes(b"SQ")  # one alone SQLite writes itself


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def truncated_in_a_page(path: Path) -> None:
    os.truncate(path, PAGE + 100)


def zeros_for_a_header(path: Path) -> None:
    write_at(path, 0, bytes(100))


def zeros_all_over(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def garbage_for_the_schema(path: Path) -> None:
    write_at(path, 100, random.Random(2).randbytes(PAGE - 100))


def without_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE meta")


def without_what_identifies_it(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DELETE FROM meta")


FOUND_AT_ONCE = [
    random_bytes,
    some_text,
    two_bytes,
    truncated,
    truncated_in_a_page,
    zeros_for_a_header,
    zeros_all_over,
    garbage_for_the_schema,
    without_a_table,
    without_what_identifies_it,
]


@pytest.mark.parametrize("damage", FOUND_AT_ONCE)
def test_a_damaged_file_is_set_aside_and_said_to_be(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = tmp_path / "standby.db"
    old = filled(path)
    damage(path)
    left = path.read_bytes()
    store = SqliteStore(path, wall=lambda: WHEN)
    (told,) = store.open()
    assert str(path) in told
    assert str(tmp_path / ASIDE) in told
    assert (tmp_path / ASIDE).read_bytes() == left
    changes = store.rows()
    assert changes.rows == []
    assert changes.incarnation != old
    store.update("n", (), one_more)
    store.close()
    assert store.open() == []
    assert [row.state for row in store.rows().rows] == ["1"]
    store.close()


def test_damage_found_in_use_is_an_error_and_repaired_by_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    filled(path)
    garbage_from_page(path, 8)
    store = SqliteStore(path, wall=lambda: WHEN)
    assert store.open() == []
    with pytest.raises(
        StoreError, match=r"standby\.db can't be used as it is: .*; when it is opened next it is checked"
    ):
        store.read(limit=100_000)
    (told,) = store.open()
    assert ASIDE in told
    assert store.read() == []
    store.append([Record(1.0, "engine", "run", "{}")])
    store.close()


@pytest.mark.parametrize("seed", range(12))
def test_no_garbage_brings_anything_but_store_errors(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "standby.db"
    filled(path)
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 40)):
        place = chance.randrange(path.stat().st_size)
        write_at(path, place, chance.randbytes(chance.choice([1, 8, 200])))
    store = SqliteStore(path)
    acts: list[Callable[[], object]] = [
        store.changed,
        store.rows,
        lambda: store.update("p/7", ("p/8",), put("new")),
        lambda: store.forget({f"p/{number}": number for number in range(200)}),
        lambda: store.read(limit=2000),
        lambda: store.read(since_s=time.time() - 500),
        lambda: store.append([Record(1.0, "engine", "run", "{}")]),
        lambda: store.prune(time.time() - 500, 10),
        store.engines,
        store.end,
    ]
    told = []
    for act in acts * 2:
        try:
            told += store.open()
            act()
        except StoreError:
            continue
    told += store.open()
    assert len(told) <= 1
    for act in acts:
        if told:
            act()
    store.close()


def test_a_garbled_text_is_handed_on_for_others_to_judge(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    filled(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE bench SET state = CAST(x'41ff42' AS TEXT) WHERE name = 'p/1'")
        db.execute("UPDATE bench SET state = x'41ff42' WHERE name = 'p/2'")
    store = opened(path)
    found = {row.name: row.state for row in store.rows().rows}
    assert (found["p/1"], found["p/2"], found["p/3"]) == ("A\ufffdB", "A\ufffdB", "x" * 200)
    store.close()


def test_what_lies_beside_a_damaged_file_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    ends = ["", "-shm", "-wal"]
    for end in ends:
        (tmp_path / f"standby.db{end}").write_text(end)
    assert set_aside(path, WHEN) == tmp_path / ASIDE
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {
        f"{ASIDE}{end}": end for end in ends
    }


def test_what_is_only_in_the_log_beside_it_keeps_a_file_good(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    with children(1, write_and_wait, path) as (child,):
        assert child.says() == "written"
        child.kill()
    random_bytes(path)  # every page of it is in the log still
    store = SqliteStore(path)
    assert store.open() == []
    assert [row.name for row in store.rows().rows] == ["name"]
    store.close()


def test_two_that_are_set_aside_in_a_second_have_names_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    store = SqliteStore(path, wall=lambda: WHEN)
    for _ in range(3):
        store.close()
        some_text(path)
        assert len(store.open()) == 1
    store.close()
    assert {each.name for each in tmp_path.iterdir()} == {
        "standby.db",
        ASIDE,
        f"{ASIDE}-2",
        f"{ASIDE}-3",
    }


def moved(folder: Path) -> list[str]:
    """The files that were set aside, without what lay beside them; and nothing else is in the folder."""
    known = r"standby\.db(-wal|-shm)?|(standby\.db\.damaged-\d{8}T\d{6}Z)(-wal|-shm)?"
    found = [re.fullmatch(known, name) for name in names(folder)]
    assert all(found)
    return [each[0] for each in found if each and each[2] and not each[3]]


@pytest.mark.parametrize("damage", [random_bytes, truncated, without_a_table])
def test_of_six_processes_that_find_it_one_sets_it_aside(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "standby.db"
    filled(path)
    damage(path)
    outcomes = together(6, come_in, path)
    assert len([told for told, _ in outcomes if told]) == 1
    assert len({incarnation for _, incarnation in outcomes}) == 1
    assert len(moved(tmp_path)) == 1
    store = opened(path)
    assert [row.state for row in store.rows().rows] == ["6"]
    store.close()


def test_of_six_processes_that_come_upon_it_in_use_one_sets_it_aside(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    old = filled(path)
    outcomes = together(6, use, path, before=lambda: garbage_from_page(path, 8))
    assert len([told for told, _ in outcomes if told]) == 1
    assert len({incarnation for _, incarnation in outcomes} - {old}) == 1
    assert len(moved(tmp_path)) == 1
    store = opened(path)
    assert {incarnation for _, incarnation in outcomes} == {store.rows().incarnation}
    assert [row.name for row in store.rows().rows] == ["n"]
    store.close()


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    path.touch()
    store = SqliteStore(path)
    assert store.open() == []
    assert store.rows().rows == []
    store.close()
    assert names(tmp_path) == ["standby.db"]


def test_an_error_that_only_looks_like_damage_moves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    filled(path)
    store = opened(path)
    store._file._is_suspect = True
    assert store.open() == []
    assert len(store.rows().rows) == 200
    store.close()
    assert names(tmp_path) == ["standby.db"]
