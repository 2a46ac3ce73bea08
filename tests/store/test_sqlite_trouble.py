"""What is told when a file can't be used, and what a SQLite store leaves alone."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.store.base import Record, StoreError, StoreRefused
from engine.store.sqlite import SqliteStore
from engine.store.sqlite_schema import STEPS
from tests.store.patience import PATIENCE_S
from tests.store.processes import call
from tests.store.sqlite_work import (
    fill_up,
    names,
    one_more,
    opened,
    outcome_for_nobody,
    write_until_it_ends,
)

DAY_S = 86_400.0


class Newer(SqliteStore):
    steps = (*STEPS, ("ALTER TABLE bench ADD COLUMN note TEXT", "UPDATE meta SET version = version + 100"))


class Broken(SqliteStore):
    steps = (*STEPS, ("ALTER TABLE bench ADD COLUMN note TEXT", "ALTER TABLE missing ADD COLUMN note TEXT"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# The file and its folder


def test_the_file_and_what_lies_beside_it_are_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "standby.db"
    tmp_path.chmod(0o755)
    old = os.umask(0)
    try:
        store = opened(path)
        store.update("n", (), one_more)
    finally:
        os.umask(old)
    assert {each.name: mode(each) for each in path.parent.iterdir()} == {
        "standby.db": 0o600,
        "standby.db-wal": 0o600,
        "standby.db-shm": 0o600,
    }
    assert (mode(path.parent), mode(path.parent.parent), mode(tmp_path)) == (0o700, 0o700, 0o755)
    store.close()


def test_an_existing_folder_and_file_keep_their_rights(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    path.touch()
    path.chmod(0o640)
    tmp_path.chmod(0o750)
    opened(path).close()
    assert (mode(path), mode(tmp_path)) == (0o640, 0o750)


def test_its_name_is_the_plain_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqliteStore(Path("some.db"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.open()
    store.close()
    assert store.name == "some.db"
    assert (tmp_path / "some.db").exists()


@pytest.mark.parametrize("name", [":memory:", "file:x.db?mode=memory", "ä % # ? ü.db", "\udcff.db", "a\nb"])
def test_a_path_is_a_path_whatever_it_looks_like(tmp_path: Path, name: str) -> None:
    store = opened(tmp_path / name)
    store.update("n", (), one_more)
    store.close()
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("kind", ["symlink", "dangling", "folder", "pipe", "device"])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "standby.db"
    target = tmp_path / "target.db"
    words = {"symlink": "symbolic link", "dangling": "symbolic link", "folder": "folder"}
    if kind == "symlink":
        opened(target).close()
        path.symlink_to(target)
    elif kind == "dangling":
        path.symlink_to(target)
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = Path("/dev/null")
    with pytest.raises(StoreRefused, match=words.get(kind, "no plain file")) as told:
        SqliteStore(path).open()
    assert str(path) in str(told.value)
    assert kind == "symlink" or not target.exists()


def test_a_path_that_no_system_knows_is_refused() -> None:
    with pytest.raises(StoreRefused, match="null"):
        SqliteStore(Path("/tmp/a\0b.db")).open()  # noqa: S108 - nothing is made there


@pytest.mark.parametrize("below", ["standby.db", "folder/standby.db", "a/b/standby.db"])
def test_a_folder_that_cant_be_made_is_told(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StoreError, match=r"not a directory; .*name another file") as told:
        SqliteStore(file / below).open()
    assert str(file) in str(told.value)
    assert not isinstance(told.value, StoreRefused)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_file_system_that_makes_no_files_is_told() -> None:
    with pytest.raises(StoreError, match=r"/proc/standby.* can't be created: .*; see to it that the folder"):
        SqliteStore(Path("/proc/standby/standby.db")).open()


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder in one that others reach."""
    with tempfile.TemporaryDirectory() as there:
        Path(there).chmod(0o755)
        folder = Path(there, "state")
        folder.mkdir()
        yield folder
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("rights_of_folder", "rights_of_file", "words"),
    [
        (0o555, None, "can't be created: permission denied; let this user read and write it and its folder"),
        (0o777, 0o000, "can't be opened: permission denied, or read-only: .*standby.db; let this user"),
        (0o777, 0o444, "can't be written: permission denied, or read-only: .*standby.db; let this user"),
        (0o555, 0o666, "can't be (opened|written): permission denied, or read-only: .*state; let this user"),
        (0o000, 0o666, "can't be used as a store: permission denied; let this user"),
        (0o777, 0o666, "^$"),
    ],
)
def test_missing_rights_are_told(
    reachable: Path, rights_of_folder: int, rights_of_file: int | None, words: str
) -> None:
    path = reachable / "standby.db"
    if rights_of_file is not None:
        opened(path).close()
        path.chmod(rights_of_file)
    reachable.chmod(rights_of_folder)
    assert re.search(words, call(outcome_for_nobody, path, "write"))


# No room


def test_a_full_file_is_told_and_what_was_written_stays(tmp_path: Path) -> None:
    store = opened(tmp_path / "standby.db")
    store._file._db.execute("PRAGMA max_page_count = 40")  # type: ignore[union-attr]  # it is open
    why, written = write_until_it_ends(store)
    assert "standby.db can't be written: no space left on device; make room on the disk" in why
    with pytest.raises(StoreError, match="no space left"):
        store.append([Record(1.0, "engine", "run", "x" * 100_000)])
    assert len(store.read()) == written > 0
    store.open()
    store.append([Record(1.0, "engine", "run", "x" * 100_000)])
    store.close()


def test_a_limit_on_the_size_of_files_is_told_and_what_was_written_stays(tmp_path: Path) -> None:
    why, written, last = call(fill_up, tmp_path / "standby.db", 500_000)
    assert "input/output error" in why
    assert "SQLITE_IOERR" in why
    assert "see whether the disk is full" in why
    assert written
    assert last == "last"


FILL_UP = """
import sys
from pathlib import Path
from tests.store.sqlite_work import fill_up
folder = Path(sys.argv[1])
(folder / "ballast").write_bytes(bytes(2_000_000))
print(fill_up(None, folder / "standby.db", None))
"""


def test_a_full_disk_is_told_and_room_is_used_again(tmp_path: Path) -> None:
    mounted = 'mount -t tmpfs -o size=4m tmpfs "$1" && shift && exec "$@"'
    alone = ["unshare", "-rm", "sh", "-c", mounted, "sh", str(tmp_path)]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no file system may be mounted here")
    ran = subprocess.run(
        [*alone, sys.executable, "-c", FILL_UP, str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=Path(__file__).parents[2],
    )
    assert ran.returncode == 0, ran.stderr
    assert "standby.db can't be written: no space left on device; make room" in ran.stdout
    assert "'last')" in ran.stdout


# Other versions, other programs


def test_an_older_file_becomes_one_of_this_version_with_all_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    old = opened(path)
    row = old.update("n", (), one_more).row
    incarnation = old.rows().incarnation
    new = Newer(path)
    assert new.open() == []
    changes = new.rows()
    assert (changes.rows, changes.version, changes.incarnation) == ([row], row.version + 100, incarnation)
    new.close()
    assert new.open() == []
    assert new.rows().version == row.version + 100  # each step is made once
    with pytest.raises(StoreError, match="changed by another version"):
        old.changed()
    with pytest.raises(StoreRefused, match="newer version"):
        old.open()
    new.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    old = opened(path)
    old.update("n", (), one_more)
    old.close()
    with pytest.raises(StoreError, match="no such table: missing"):
        Broken(path).open()
    assert names(tmp_path) == ["standby.db"]
    assert old.open() == []
    assert [row.state for row in old.rows().rows] == ["1"]
    old.close()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    new = Newer(path)
    new.open()
    new.close()
    before = path.read_bytes()
    store = SqliteStore(path)
    for _ in range(2):
        with pytest.raises(
            StoreRefused, match=r"newer version of standby .*: upgrade standby here, or name another"
        ):
            store.open()
    store.close()
    assert path.read_bytes() == before
    assert names(tmp_path) == ["standby.db"]


@pytest.mark.parametrize(
    "made_by", ["CREATE TABLE cookies (name)", "PRAGMA user_version = 1", "PRAGMA application_id = 5"]
)
def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path, made_by: str) -> None:
    path = tmp_path / "cookies.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(made_by)
    before = path.read_bytes()
    with pytest.raises(StoreRefused, match="another program"):
        SqliteStore(path).open()
    assert path.read_bytes() == before
    assert names(tmp_path) == ["cookies.db"]
