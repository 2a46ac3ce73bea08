"""What is in the file of a SQLite store, and how a file of an older version becomes one of this."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from engine.store.base import StoreRefused

Steps = Sequence[Sequence[str]]
"""Statements that lead from each version to the next; the first ones from an empty file."""

STEPS: Final[Steps] = (
    (
        "CREATE TABLE meta (incarnation TEXT NOT NULL, version INTEGER NOT NULL)",
        "INSERT INTO meta VALUES (lower(hex(randomblob(16))), 0)",
        "CREATE TABLE bench (name TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL)",
        "CREATE INDEX bench_by_version ON bench (version)",
        # A place must never be given twice, not even after the last record went.
        """
        CREATE TABLE journal (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL,
            engine TEXT NOT NULL, run TEXT NOT NULL, data TEXT NOT NULL)
        """,
        "CREATE INDEX journal_by_at ON journal (at)",
        """
        CREATE TABLE engines (
            run TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, host TEXT NOT NULL,
            pid INTEGER NOT NULL, started REAL NOT NULL, seen REAL NOT NULL)
        """,
    ),
    # The number of the last record that each run wrote, and when.
    ("CREATE TABLE written (run TEXT PRIMARY KEY NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL)",),
)

_OURS: Final = 0x73746279
"""SQLite's application id: `stby`."""

_TABLES: Final[tuple[set[str], ...]] = (set(), {"meta", "bench", "journal", "engines"}, {"written"})
"""What each version has that those before it had not."""


@contextmanager
def transaction(db: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """All that is done inside, or nothing of it. At once the only one to write, unless `DEFERRED`."""
    db.execute(f"BEGIN {kind}")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            if db.in_transaction:
                db.execute("ROLLBACK")
        raise


def version_of(db: sqlite3.Connection, path: Path, newest: int) -> int:
    """The version of what is there; 0 for nothing.

    Raises:
        StoreRefused: It is newer than the newest known, or another program's.
    """
    version = number(db, "PRAGMA user_version")
    owner = number(db, "PRAGMA application_id")
    is_empty = not (owner or version or number(db, "SELECT count(*) FROM sqlite_master"))
    if owner != _OURS and not is_empty:
        raise StoreRefused(
            f"{path} is a database of another program; name another file with `store: sqlite:PATH`"
        )
    if version > newest:
        raise StoreRefused(
            f"{path} was written by a newer version of standby (its format is {version}, this one knows "
            f"up to {newest}): upgrade standby here, or name another file with `store: sqlite:PATH`"
        )
    return version


def migrate(db: sqlite3.Connection, path: Path, steps: Steps) -> None:
    """Makes it one of the newest version, all at once or not at all."""
    with transaction(db):
        version = version_of(db, path, len(steps))  # another process may have been faster
        for statement in (each for step in steps[version:] for each in step):
            db.execute(statement)
        if version < len(steps):
            db.execute(f"PRAGMA application_id = {_OURS}")
            db.execute(f"PRAGMA user_version = {len(steps)}")


def is_whole(db: sqlite3.Connection, version: int) -> bool:
    """True unless something is missing, or SQLite finds fault with it. Reads all of the file."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if version and not (
        tables.issuperset(set().union(*_TABLES[: version + 1]))
        and db.execute("SELECT typeof(incarnation), typeof(version) FROM meta").fetchall()
        == [("text", "integer")]
    ):
        return False
    return bool(db.execute("PRAGMA integrity_check(1)").fetchall() == [("ok",)])


def number(db: sqlite3.Connection, query: str) -> int:
    """The one number that a query is for."""
    found: int = db.execute(query).fetchone()[0]
    return found
