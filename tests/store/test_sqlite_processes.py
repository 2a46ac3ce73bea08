"""Many processes at one SQLite file, and processes that are killed."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.store.sqlite import SqliteStore
from tests.store.processes import call, children, together
from tests.store.sqlite_work import come_in, count_up, fork, open_and_close, opened, step_on


def verdict(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return str(db.execute("PRAGMA integrity_check").fetchone()[0])


def test_eight_processes_lose_no_update(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    results = together(8, count_up, path, 300)
    assert sorted(number for result in results for number in result) == list(range(1, 2401))
    store = opened(path)
    assert [row.state for row in store.rows().rows] == ["2400"]
    store.close()


@pytest.mark.parametrize("time", range(5))
def test_twelve_processes_open_a_new_file_at_once(tmp_path: Path, time: int) -> None:
    path = tmp_path / "a" / str(time) / "standby.db"
    outcomes = together(12, come_in, path)
    assert [told for told, _ in outcomes] == [[]] * 12
    assert len({incarnation for _, incarnation in outcomes}) == 1
    store = opened(path)
    assert [row.state for row in store.rows().rows] == ["12"]
    store.close()
    assert [each.name for each in path.parent.iterdir()] == ["standby.db"]


def test_a_killed_process_leaves_a_file_that_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    chance = random.Random(7)
    for time in range(30):
        name = f"process {time}"
        with children(1, step_on, path, name) as (child,):
            last_wanted = chance.randint(1, 60)
            while child.says() < last_wanted:
                pass
            child.kill()
            *_, last = [last_wanted, *child.said()]
        store = SqliteStore(path)
        assert store.open() == []
        counted = {row.name: int(row.state) for row in store.rows().rows}[name]
        written = [int(each.record.data) for each in store.read(limit=100_000) if each.record.run == name]
        store.close()
        # What was said to be done is there, and nothing is there in part.
        assert counted >= last
        assert written == list(range(1, len(written) + 1))
        assert counted - len(written) in {0, 1}
        assert verdict(path) == "ok"


def test_a_process_killed_while_it_opens_is_in_nobodys_way(tmp_path: Path) -> None:
    for time in range(10):
        path = tmp_path / str(time) / "standby.db"
        with children(1, open_and_close, path) as (child,):
            assert child.says() == "now"
            for _ in range(time * 4000):
                pass
            child.kill()
        told, _ = together(1, come_in, path)[0]
        assert told == []
        assert verdict(path) == "ok"


def test_a_forked_process_leaves_the_connection_of_its_parent_alone(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    changed, closed, opened_again, opened_anew, another = call(fork, path)
    assert changed.startswith("error: ")
    assert "forked off" in changed
    assert closed == "done"
    assert opened_again == opened_anew
    assert opened_again.startswith("refused: ")
    assert "spawn" in opened_again
    assert another == "1"
    store = opened(path)
    assert [row.state for row in store.rows().rows] == ["2"]
    store.close()
    assert verdict(path) == "ok"
