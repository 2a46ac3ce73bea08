"""The prompts typed in the dashboard: one JSON object a line, readable by their owner only."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

LONGEST_PROMPT = 64_000
"""Characters; a longer prompt is kept for the session and not written."""

_MOST = 500
_LARGEST_FILE = 32 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One prompt that was sent.

    Attributes:
        prompt: What was typed.
        target: Who was asked.
        at: When, ISO 8601 in UTC.
    """

    prompt: str
    target: str
    at: str = ""


class History:
    """Prompts, oldest first, and a place among them that moves with up and down.

    A file that can't be read or written costs nothing but the history: `trouble` says so.

    Args:
        path: The file; need not exist yet.
        most: Most entries that are kept.

    Attributes:
        trouble: What is wrong with the file, empty if nothing.
    """

    def __init__(self, path: Path, *, most: int = _MOST) -> None:
        self._path = path
        self._most = most
        self.trouble = ""
        self._entries = self._load()
        self._place = len(self._entries)
        self._draft = ""

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def last(self) -> Entry | None:
        """The newest entry."""
        return self._entries[-1] if self._entries else None

    def add(self, prompt: str, target: str) -> None:
        """Keeps a prompt, and starts again from the newest. The same one twice in a row counts once."""
        entry = Entry(prompt, target, datetime.now(UTC).isoformat(timespec="seconds"))
        last = self.last
        if last is None or (last.prompt, last.target) != (prompt, target):
            self._entries = [*self._entries, entry][-self._most :]
            if len(prompt) <= LONGEST_PROMPT:
                self._try(_append, [entry])
        self._place = len(self._entries)
        self._draft = ""

    def older(self, typed: str) -> str | None:
        """The entry before, None at the oldest one.

        Args:
            typed: What stands in the input now; on leaving the newest place it is kept as a draft.
        """
        if self._place == 0:
            return None
        if self._place == len(self._entries):
            self._draft = typed
        self._place -= 1
        return self._entries[self._place].prompt

    def newer(self) -> str | None:
        """The entry after, at last the draft; None beyond it."""
        if self._place >= len(self._entries):
            return None
        self._place += 1
        return self._draft if self._place == len(self._entries) else self._entries[self._place].prompt

    def _load(self) -> list[Entry]:
        try:
            lines = _lines(self._path)
        except FileNotFoundError:
            return []
        except OSError as error:
            self.trouble = f"the history {self._path} can't be read: {error.strerror}"
            return []
        entries = [entry for entry in map(_entry, lines) if entry is not None]
        if len(entries) < len(lines):
            self._set_aside(entries[-self._most :])
        elif len(entries) > 2 * self._most:
            self._try(_rewrite, entries[-self._most :])
        return entries[-self._most :]

    def _set_aside(self, readable: list[Entry]) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        aside = self._path.with_name(f"{self._path.name}.damaged-{stamp}")
        try:
            self._path.replace(aside)
        except OSError as error:
            self.trouble = f"the history {self._path} is damaged: {error.strerror}"
            return
        self.trouble = f"the history was damaged: it is now {aside}, and what could be read was kept"
        self._try(_rewrite, readable)

    def _try(self, write: Callable[[Path, list[Entry]], None], entries: list[Entry]) -> None:
        try:
            write(self._path, entries)
        except OSError as error:
            self.trouble = f"the history {self._path} can't be written: {error.strerror}"


def _lines(path: Path) -> list[bytes]:
    """The file's lines; for a file too large to be a history, one line that is none."""
    if path.is_char_device():
        return []  # `/dev/null` for no history at all; another might never end
    with path.open("rb") as file:
        read = file.read(_LARGEST_FILE + 1)
    return [b""] if len(read) > _LARGEST_FILE else read.splitlines()


def _entry(line: bytes) -> Entry | None:
    try:
        read = json.loads(line)
        fields = [read[name] for name in ("prompt", "target", "at")]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Entry(*fields) if all(isinstance(field, str) for field in fields) else None


def _bytes(entries: list[Entry]) -> bytes:
    return b"".join(json.dumps(asdict(entry)).encode() + b"\n" for entry in entries)


def _append(path: Path, entries: list[Entry]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        content = _bytes(entries)
        if os.write(descriptor, content) < len(content):
            os.ftruncate(descriptor, before)  # half a line would spoil the next one
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def _rewrite(path: Path, entries: list[Entry]) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    _append(fresh, entries)
    fresh.replace(path)
