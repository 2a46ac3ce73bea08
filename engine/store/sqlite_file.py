"""The file of a SQLite store: where it lies, who may be at it, and what is wrong with it.

A process that closes any descriptor of a database file loses all locks it has on it. So nothing here
opens a database file but SQLite itself: it is looked at by `stat`, made under another name and moved.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.store.base import StoreError, StoreRefused

if sys.platform != "win32":
    import fcntl

FileId = tuple[int, int]
"""Device and inode: tells a file from another that came into its place."""

_BESIDE: Final = ("-wal", "-shm", "-journal")
_LOOK_AGAIN_S: Final = 0.01
_ANOTHER: Final = "or name another file with `store: sqlite:PATH`"
_NO_FILES: Final = (
    (stat.S_ISLNK, "a symbolic link: name the file that it points to"),
    (stat.S_ISDIR, "a folder: name a file in it"),
)
_REMEDIES: Final = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room on the disk",
    errno.EROFS: "its file system is mounted read-only: make it writable",
    errno.EACCES: "let this user read and write it and its folder",
    errno.EPERM: "let this user read and write it and its folder",
}


def cannot(what: str, path: Path, error: OSError | ValueError) -> StoreError:
    """The error for what the operating system refuses.

    Args:
        what: As `can't be opened`.
        path: Of the file or folder.
        error: What it said.
    """
    if not isinstance(error, OSError):
        return StoreRefused(f"{path} {what}: {error}; name another file with `store: sqlite:PATH`")
    why = (error.strerror or type(error).__name__).lower()
    remedy = _REMEDIES.get(error.errno or 0, "see to it that the folder is there and can be written")
    return StoreError(f"{path} {what}: {why}; {remedy}, {_ANOTHER}")


def file_id(path: Path) -> FileId | None:
    """Which file is at a path; None if there is none.

    Raises:
        StoreError: It can't be looked at, or it is no plain file.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise cannot("can't be used as a store", path, error) from error
    if not stat.S_ISREG(found.st_mode):
        what = next((text for is_it, text in _NO_FILES if is_it(found.st_mode)), "no plain file")
        raise StoreRefused(f"{path} can't be used as a store: it is {what}")
    return found.st_dev, found.st_ino


def make(path: Path) -> FileId:
    """Makes the file, empty and for this user alone, and its folder, unless they are there."""
    there = file_id(path)
    if there is None:
        _make_folder(path.parent)
        try:
            for end in _BESIDE:  # of a file that was removed: others may be at them still
                path.with_name(path.name + end).unlink(missing_ok=True)
            descriptor, new = tempfile.mkstemp(prefix=f"{path.name}.new-", dir=path.parent)  # 0600
            os.close(descriptor)
            _move(Path(new), path)
        except OSError as error:
            raise cannot("can't be created", path, error) from error
        there = file_id(path)
    if there is None:
        raise StoreError(f"{path} was removed as soon as it was created; let it be, {_ANOTHER}")
    return there


def _move(new: Path, path: Path) -> None:
    """Gives a new file its name, unless there is one of that name by now."""
    try:
        with suppress(FileExistsError):
            path.hardlink_to(new)
    except OSError:  # a file system without such links
        new.rename(path)
    finally:
        new.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    missing: list[Path] = []
    with suppress(OSError):
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
    try:
        for each in reversed(missing):
            with suppress(FileExistsError):
                each.mkdir(mode=0o700)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    except OSError as error:
        raise cannot("can't be created", missing[0] if missing else folder, error) from error


@contextmanager
def alone(path: Path, patience_s: float, is_over: Callable[[], bool]) -> Iterator[None]:
    """While one store is inside, others that want to go in to the same folder wait.

    It is a lock on the folder: it leaves no file behind, and a process that is killed lets go of it. Where
    there are no such locks, nobody waits.

    Args:
        path: Of the file; its folder is made.
        patience_s: How many seconds to wait.
        is_over: Says that nobody cares any more.

    Raises:
        StoreError: Somebody else has been inside for all that time.
    """
    if file_id(path) is None:
        _make_folder(path.parent)
    descriptor = _locked(path, patience_s, is_over)
    try:
        yield
    finally:
        if descriptor is not None:
            _unlock(descriptor)


def _locked(path: Path, patience_s: float, is_over: Callable[[], bool]) -> int | None:
    if sys.platform == "win32":
        return None
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    end = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < end and not is_over():
                time.sleep(_LOOK_AGAIN_S)
                continue
            os.close(descriptor)
            raise StoreError(
                f"{path} can't be opened: another process has been opening it for {patience_s:g} seconds; "
                "let it end its check, or end the process"
            ) from None
        except OSError:
            os.close(descriptor)
            return None
        return descriptor


def _unlock(descriptor: int) -> None:
    if sys.platform != "win32":
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a process forked off meanwhile has it as well
    os.close(descriptor)


def set_aside(path: Path, now: float) -> Path:
    """Moves a damaged file, and what SQLite keeps beside it, out of the way. Returns where it went."""
    name = f"{path.name}.damaged-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"
    names = (name if number == 1 else f"{name}-{number}" for number in range(1, sys.maxsize))
    place = next(each for each in map(path.with_name, names) if not each.exists())
    try:
        path.rename(place)
        for end in _BESIDE:
            with suppress(FileNotFoundError):
                path.with_name(path.name + end).rename(place.with_name(place.name + end))
    except OSError as error:
        raise cannot("is damaged and can't be moved aside", path, error) from error
    return place


def is_busy(error: sqlite3.Error) -> bool:
    """True if somebody else has the lock."""
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def hints_at_damage(error: sqlite3.Error) -> bool:
    """True if the file should be checked: it is no database, malformed, or lacks a table."""
    return _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


def explained(error: sqlite3.Error, path: Path, patience_s: float) -> StoreError:
    """An error of SQLite's in words that say what to do."""
    code = _code(error)
    if is_busy(error):
        return StoreError(
            f"{path} is locked: another process has been writing for {patience_s:g} seconds; "
            "end that process, or what it is doing"
        )
    if hints_at_damage(error):
        return StoreError(
            f"{path} can't be used as it is: {error}; when it is opened next it is checked, "
            "and set aside if it is damaged"
        )
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
        return StoreError(f"{path} can't be {_denied(code, path)}")
    if code == sqlite3.SQLITE_FULL:
        return StoreError(
            f"{path} can't be written: no space left on device; make room on the disk, {_ANOTHER}"
        )
    if code == sqlite3.SQLITE_IOERR:
        name = getattr(error, "sqlite_errorname", "SQLITE_IOERR")
        return StoreError(
            f"{path} can't be read or written: input/output error ({name}); "
            f"see whether the disk is full or failing, or a limit on the size of files is reached, {_ANOTHER}"
        )
    return StoreError(f"{path} can't be used now: {error}")


def _denied(code: int, path: Path) -> str:
    what = "written" if code == sqlite3.SQLITE_READONLY else "opened"
    for place, rights in ((path, os.R_OK | os.W_OK), (path.parent, os.W_OK | os.X_OK)):
        if not os.access(place, rights):
            remedy = f"let this user read and write it, {_ANOTHER}"
            return f"{what}: permission denied, or read-only: {place}; {remedy}"
    return (
        f"{what} by SQLite ({path.parent} holds files of its own beside it); see whether they can be created"
    )


def _code(error: sqlite3.Error) -> int:
    """The kind of an error; 0 if it is not SQLite's own but its Python module's."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
