"""What happened in order, runs of the same thing folded into one line."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Final

_MOST_AT_EACH_END: Final = 150


@dataclass(slots=True)
class Entry:
    """One line.

    Attributes:
        at: When it happened first.
        text: Markdown.
        count: How often.
        last: When it happened last.
    """

    at: datetime
    text: str
    count: int
    last: datetime


class Timeline:
    """Takes entries in, and keeps the first and the last of them.

    Attributes:
        left_out: How many lines there were in between.
    """

    def __init__(self) -> None:
        self._first: list[Entry] = []
        self._last: deque[Entry] = deque(maxlen=_MOST_AT_EACH_END)
        self._runs: dict[str, dict[str, Entry]] = {}
        self.left_out = 0

    def add(self, at: datetime, about: str, text: str) -> None:
        """Notes something that changes the state of play: runs of what it is about end here.

        Args:
            at: When.
            about: A model, a key or an engine.
            text: Markdown.
        """
        self._runs.pop(about, None)
        self._runs.pop("", None)
        self._put(Entry(at, text, 1, at))

    def run(self, at: datetime, about: str, kind: str, text: str) -> None:
        """Notes something that may happen many times; with those like it, it is one line.

        Args:
            at: When.
            about: A model; empty for what is about none.
            kind: What is alike has the same.
            text: Markdown, of the first one.
        """
        runs = self._runs.setdefault(about, {})
        entry = runs.get(kind)
        if entry is None:
            entry = runs[kind] = Entry(at, text, 0, at)
            self._put(entry)
        entry.count += 1
        entry.last = at

    def first(self) -> list[Entry]:
        """The first lines; all of them unless some were left out."""
        kept = self._first if self.left_out else [*self._first, *self._last]
        return sorted(kept, key=_at)

    def last(self) -> list[Entry]:
        """The last lines; none unless some were left out."""
        return sorted(self._last, key=_at) if self.left_out else []

    def _put(self, entry: Entry) -> None:
        if len(self._first) < _MOST_AT_EACH_END:
            self._first.append(entry)
            return
        self.left_out += len(self._last) == _MOST_AT_EACH_END
        self._last.append(entry)


def _at(entry: Entry) -> datetime:
    return entry.at
