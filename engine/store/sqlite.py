"""A store in a SQLite file: for all processes of one machine."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engine.store.base import Changes, Journaled, Presence, Record, Row, Step, Update
from engine.store.places import number_of
from engine.store.sqlite_connection import SqliteFile
from engine.store.sqlite_schema import STEPS, Steps, number, transaction

_MOST: Final = 2**31
_SILENT_FOR_S: Final = 86_400.0

# The plus: in the order of ids, not by the index of times; and by that index, not in the order of ids.
_READ: Final = "SELECT id, at, engine, run, data FROM journal WHERE id > ? AND +at >= ? ORDER BY id LIMIT ?"
_FIRST_SINCE: Final = "SELECT min(+id) FROM journal WHERE at >= ?"
_PRUNE_OLD: Final = (
    "DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE at < ? ORDER BY at LIMIT ?)"
)
_PRUNE_FIRST: Final = "DELETE FROM journal WHERE id IN (SELECT id FROM journal ORDER BY id LIMIT ?)"
_FIRST_AND_LAST: Final = "SELECT (SELECT min(id) FROM journal), (SELECT max(id) FROM journal)"
_WRITTEN: Final = "SELECT number FROM written WHERE run = ?"
_INSERT: Final = "INSERT INTO journal (at, engine, run, data) VALUES "
_ROWS_AT_ONCE: Final = 40  # of four values each; SQLite takes 999 of them
_BEAT: Final = (
    "INSERT INTO engines VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (run) DO UPDATE"
    " SET name = excluded.name, host = excluded.host, pid = excluded.pid, seen = excluded.seen"
)


class SqliteStore:
    """The contract of a store, in a SQLite file.

    `close` may come from any thread, and cuts short what another is waiting for.

    Args:
        path: The file; made when it is opened, with its folder, for this user alone.
        wall: Seconds since the epoch.
    """

    steps: Steps = STEPS

    def __init__(self, path: Path, *, wall: Callable[[], float] = time.time) -> None:
        self.name = str(path)
        self.poll_s = 0.15
        self._wall = wall
        self._file = SqliteFile(path, self.steps, wall)

    def open(self) -> list[str]:
        """Connects; makes, migrates or replaces the file where that is needed.

        Returns:
            That a damaged file was set aside, and where it is.

        Raises:
            StoreRefused: It is no file, another program's, of a newer version, or came by a fork.
            StoreError: It can't be used now.
        """
        return self._file.open()

    def close(self) -> None:
        """Closes the connection. One that came by a fork is left alone, for it is the parent's."""
        self._file.close()

    def hint(self) -> int | None:
        """There is none: asking is cheap."""
        return None

    def changed(self) -> bool:
        """True if another connection wrote since this was last asked."""
        return self._file.changed()

    def update(self, name: str, beside: Sequence[str], step: Step) -> Update:
        """Changes one row by a pure function; every other writer waits for it."""

        def change(db: sqlite3.Connection) -> Update:
            with transaction(db):
                rows = {each: row for each in (name, *beside) if (row := _row(db, each)) is not None}
                now = self._wall()
                state = step({each: row.state for each, row in rows.items()}, now)
                if state is None:
                    return Update(rows.get(name, Row(name, 0, "")), now)
                version = _next_version(db)
                db.execute("REPLACE INTO bench VALUES (?, ?, ?)", (_bound(name), version, _bound(state)))
                return Update(Row(name, version, state), now)

        return self._file.do(change)

    def rows(self, after: int = 0) -> Changes:
        """The rows that changed after a version, in the order of their versions."""

        def look(db: sqlite3.Connection) -> Changes:
            with transaction(db, "DEFERRED"):
                query = "SELECT name, version, state FROM bench WHERE version > ? ORDER BY version"
                rows = [Row(*map(_read, row)) for row in db.execute(query, (after,))]
                incarnation, version = db.execute("SELECT incarnation, version FROM meta").fetchone()
            return Changes(rows, version, incarnation, self._wall())

        return self._file.do(look)

    def forget(self, names: Mapping[str, int]) -> None:
        """Removes rows whose version is still the one given."""

        def remove(db: sqlite3.Connection) -> None:
            with transaction(db):
                gone = db.executemany(
                    "DELETE FROM bench WHERE name = ? AND version = ?",
                    [(_bound(name), version) for name, version in names.items()],
                )
                if gone.rowcount > 0:
                    _next_version(db)

        if names:
            self._file.do(remove)

    def append(self, records: Sequence[Record]) -> None:
        """Writes records at the journal's end, all or none, but none that is there."""

        def write(db: sqlite3.Connection) -> None:
            with transaction(db):
                _insert(db, _new(db, records, self._wall()))

        if records:
            self._file.do(write)

    def end(self) -> str:
        """The place of the last record; empty if there is none."""
        return self._file.do(lambda db: str(db.execute("SELECT max(id) FROM journal").fetchone()[0] or ""))

    def read(self, after: str = "", since_s: float | None = None, limit: int = 1000) -> list[Journaled]:
        """Records in the journal's order. Raises ValueError for what is no place."""
        start = number_of(after)

        def look(db: sqlite3.Connection) -> list[Journaled]:
            first = start
            since = -math.inf if since_s is None else self._wall() - since_s
            if since_s is not None and not start:  # those before are many, and need not be read
                first = db.execute(_FIRST_SINCE, (since,)).fetchone()[0]
                if first is None:
                    return []
                first -= 1
            found = db.execute(_READ, (first, since, max(0, min(limit, _MOST))))
            return [Journaled(str(place), Record(at, *map(_read, texts))) for place, at, *texts in found]

        return self._file.do(look)

    def prune(self, keep_s: float, rows: int, limit: int = 1000) -> int:
        """Removes records that are too old, then the first of those that are too many."""

        def remove(db: sqlite3.Connection) -> int:
            with transaction(db):
                gone = db.execute(_PRUNE_OLD, (self._wall() - keep_s, max(0, limit))).rowcount
                first, last = db.execute(_FIRST_AND_LAST).fetchone()
                if gone < limit and first is not None and last - first >= rows:  # counting takes a while
                    too_many = number(db, "SELECT count(*) FROM journal") - rows
                    gone += db.execute(_PRUNE_FIRST, (max(0, min(too_many, limit - gone)),)).rowcount
                return gone

        return self._file.do(remove)

    def beat(self, engine: Presence) -> None:
        """A sign of life; those silent for a day are removed."""

        def write(db: sqlite3.Connection) -> None:
            now = self._wall()
            with transaction(db):
                db.execute("DELETE FROM engines WHERE seen < ?", (now - _SILENT_FOR_S,))
                texts = map(_bound, (engine.run, engine.name, engine.host))
                db.execute(_BEAT, (*texts, engine.pid, now, now))

        self._file.do(write)

    def leave(self, run: str) -> None:
        """An engine goes."""

        def remove(db: sqlite3.Connection) -> None:
            with transaction(db):
                db.execute("DELETE FROM engines WHERE run = ?", (_bound(run),))

        self._file.do(remove)

    def engines(self) -> tuple[list[Presence], float]:
        """Who gave a sign of life within a day, in the order of their names; and the time."""

        def look(db: sqlite3.Connection) -> tuple[list[Presence], float]:
            now = self._wall()
            found = db.execute("SELECT * FROM engines WHERE seen >= ?", (now - _SILENT_FOR_S,))
            there = [Presence(*map(_read, row)) for row in found]
            return sorted(there, key=lambda each: (each.name, each.started, each.run)), now

        return self._file.do(look)


def _row(db: sqlite3.Connection, name: str) -> Row | None:
    found = db.execute("SELECT version, state FROM bench WHERE name = ?", (_bound(name),)).fetchone()
    return None if found is None else Row(name, found[0], _read(found[1]))


def _new(db: sqlite3.Connection, records: Sequence[Record], now: float) -> list[Record]:
    """Those of some records that are not in the journal; from now on they count as being there."""
    before: dict[str, int] = {}
    last: dict[str, int] = {}
    new = []
    for record in records:
        run = record.run
        if record.number:
            if run not in last:
                found = db.execute(_WRITTEN, (_bound(run),)).fetchone()
                before[run] = last[run] = found[0] if found else 0
            if record.number <= last[run]:
                continue
            last[run] = record.number
        new.append(record)
    if any(not number for number in before.values()):  # one that is new sweeps out those of long ago
        db.execute("DELETE FROM written WHERE at < ?", (now - _SILENT_FOR_S,))
    written = [(_bound(run), number, now) for run, number in last.items() if number > before[run]]
    db.executemany("REPLACE INTO written VALUES (?, ?, ?)", written)
    return new


def _insert(db: sqlite3.Connection, records: Sequence[Record]) -> None:
    """Puts records at the journal's end, many with one statement: a statement costs as much as some rows."""
    values: list[float | str | bytes] = []
    for at, engine, run, data, _ in records:
        values += (at, _bound(engine), _bound(run), data if data.isascii() else _bound(data))
    width = 4 * _ROWS_AT_ONCE
    whole = len(values) - len(values) % width
    for start in range(0, whole, width):
        db.execute(_insert_of(_ROWS_AT_ONCE), values[start : start + width])
    rest = values[whole:]
    if rest:
        db.execute(_insert_of(len(rest) // 4), rest)


def _insert_of(rows: int) -> str:
    return _INSERT + ", ".join(["(?, ?, ?, ?)"] * rows)


def _next_version(db: sqlite3.Connection) -> int:
    db.execute("UPDATE meta SET version = version + 1")
    return number(db, "SELECT version FROM meta")


def _bound(text: str) -> str | bytes:
    """A text as SQLite takes it: as bytes if it holds half a surrogate pair, which no text there can."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-8", "surrogatepass")
    return text


def _read(value: Any) -> Any:
    """What was bound."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return value.decode("utf-8", "replace")
