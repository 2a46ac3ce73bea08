"""One connection to the file of a SQLite store: opened, looked after, closed."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, TypeVar

from engine.store.base import StoreError, StoreRefused
from engine.store.sqlite_file import (
    FileId,
    alone,
    explained,
    file_id,
    hints_at_damage,
    is_busy,
    make,
    set_aside,
)
from engine.store.sqlite_schema import Steps, is_whole, migrate, number, version_of

T = TypeVar("T")

_PATIENCE_S: Final = 5.0
"""How long somebody else may have the lock. Many writers at once need a part of it on a slow machine."""
_AT_A_STRETCH_S: Final = 0.25
"""How long SQLite waits before it is looked whether the store was closed meanwhile."""
_ATTEMPTS: Final = 3

_SET_UP: Final = (
    "PRAGMA synchronous = NORMAL",  # a crash of the machine may cost the last changes, and nothing else
    "PRAGMA journal_mode = WAL",
    "PRAGMA journal_size_limit = 4194304",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)

_open: dict[sqlite3.Connection, tuple[int, FileId]] = {}
"""Every open connection, the process that opened it, and its file. It keeps those of a parent process from
being closed here."""


class SqliteFile:
    """A SQLite file and the one connection to it.

    The connection is used by one thread at a time. `close` may come from any thread, and cuts short what
    another is waiting for.

    Args:
        path: The file.
        steps: What its schema is made of.
        wall: Seconds since the epoch.
    """

    def __init__(self, path: Path, steps: Steps, wall: Callable[[], float]) -> None:
        self._path = path.absolute()
        self._steps = steps
        self._wall = wall
        self._db: sqlite3.Connection | None = None
        self._file: FileId | None = None
        self._pid = os.getpid()
        self._mutex = threading.Lock()
        self._is_closing = False
        self._data_version = 0
        self._is_suspect = False

    def open(self) -> list[str]:
        """Connects; makes, migrates or replaces the file where that is needed.

        Returns:
            That a damaged file was set aside, and where it is.

        Raises:
            StoreRefused: It is no file, another program's, of a newer version, or came by a fork.
            StoreError: It can't be used now.
        """
        self.close()
        if self._pid != os.getpid():
            self._pid, self._mutex = os.getpid(), threading.Lock()
        with self._mutex:
            self._is_closing = False
            try:
                with alone(self._path, _PATIENCE_S, lambda: self._is_closing):
                    return self._begin()
            except sqlite3.Error as error:
                raise explained(error, self._path, _PATIENCE_S) from error

    def close(self) -> None:
        """Closes the connection. One that came by a fork is left alone, for it is the parent's."""
        if self._pid != os.getpid():
            self._db = None
            return
        self._is_closing = True
        if not self._mutex.acquire(blocking=False):
            at_work = self._db
            if at_work is not None:
                with suppress(sqlite3.Error):  # the other thread may be closing it just now
                    at_work.interrupt()
            self._mutex.acquire()
        try:
            db, self._db = self._db, None
            if db is not None:
                _drop(db)
        finally:
            self._mutex.release()

    def changed(self) -> bool:
        """True if another connection wrote since this was last asked."""
        return self.do(self._look)

    def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Does one thing that is atomic. Waits for others, and does it again, until patience ends."""
        if self._pid != os.getpid():
            raise StoreError(
                f"{self._path} was opened by the process that this one was forked off; open it here"
            )
        with self._mutex:
            db = self._db
            if db is None:
                raise StoreError(f"{self._path} is not open")
            self._check_that_it_is_still(self._file)
            try:
                return self._patiently(lambda: work(db))
            except sqlite3.Error as error:
                self._is_suspect |= hints_at_damage(error)
                raise explained(error, self._path, _PATIENCE_S) from error

    def _look(self, db: sqlite3.Connection) -> bool:
        old, self._data_version = self._data_version, number(db, "PRAGMA data_version")
        if old == self._data_version:
            return False
        if number(db, "PRAGMA user_version") != len(self._steps):
            raise StoreError(f"{self._path} was changed by another version of standby; it is opened anew")
        return True

    def _check_that_it_is_still(self, file: FileId | None) -> None:
        if file_id(self._path) != file:
            raise StoreError(f"{self._path} was removed or replaced while in use; it is opened anew")

    def _patiently(self, work: Callable[[], T]) -> T:
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return work()
            except sqlite3.OperationalError as error:
                if not is_busy(error) or self._is_closing or time.monotonic() >= end:
                    raise

    def _begin(self) -> list[str]:
        """Opens what is there; what turns out to be damaged is set aside, and something new made."""
        told: list[str] = []
        there = file_id(self._path)
        if any(pid != self._pid and file == there for pid, file in list(_open.values())):
            raise StoreRefused(
                f"{self._path} was open in the process that this one was forked off, and SQLite can't "
                "open it here again: start processes by spawn, or fork before an engine is started"
            )
        if self._is_suspect and there is not None:
            told += self._replaced_if_damaged()
        self._is_suspect = False
        for left in reversed(range(_ATTEMPTS)):
            try:
                self._connect()
                break
            except sqlite3.DatabaseError as error:
                if not left or not hints_at_damage(error):
                    raise
                told += self._replaced_if_damaged()
        return told

    def _connect(self) -> None:
        before = make(self._path)
        db = self._connection()
        _open[db] = self._pid, before
        self._db = db
        try:
            self._patiently(lambda: self._prepare(db))
            self._check_that_it_is_still(before)
        except BaseException:
            self._db = None
            _drop(db)
            raise
        self._file = before

    def _connection(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path, timeout=_AT_A_STRETCH_S, isolation_level=None, check_same_thread=False
        )
        db.text_factory = _decoded
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        version = version_of(db, self._path, len(self._steps))
        for pragma in _SET_UP:
            try:
                db.execute(pragma).fetchall()
            except sqlite3.OperationalError as error:
                if is_busy(error):
                    raise  # a file system that has no WAL says something else, and does without
        if version < len(self._steps):
            migrate(db, self._path, self._steps)
        if db.execute("SELECT count(*) FROM meta").fetchone() != (1,):
            lost = sqlite3.DatabaseError("it has lost what identifies it")
            lost.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise lost
        self._data_version = number(db, "PRAGMA data_version")

    def _replaced_if_damaged(self) -> list[str]:
        """Looks at all of the file, and sets it aside if there is something wrong with it."""
        try:
            with closing(self._connection()) as db:
                if is_whole(db, version_of(db, self._path, len(self._steps))):
                    return []
        except sqlite3.DatabaseError as error:
            if not hints_at_damage(error):
                raise
        place = set_aside(self._path, self._wall())
        return [f"{self._path} was damaged. It was set aside as {place}, and an empty one was made."]


def _drop(db: sqlite3.Connection) -> None:
    _open.pop(db, None)
    with suppress(sqlite3.Error):
        db.close()


def _decoded(raw: bytes) -> str:
    """A text, whatever has become of it: what it means is looked at by others."""
    return str(raw, "utf-8", "replace")
