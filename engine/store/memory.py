"""A store in this process's memory: for several engines in one process, and for tests."""

from __future__ import annotations

import math
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Final
from uuid import uuid4

from engine.store.base import Changes, Journaled, Presence, Record, Row, Step, Update
from engine.store.places import number_of

_SILENT_FOR_S: Final = 86_400.0


class _Space:
    """What is stored, and the one lock over it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.incarnation = uuid4().hex
        self.version = 0
        self.rows: dict[str, Row] = {}
        self.journal: list[tuple[int, Record]] = []
        self.last_place = 0
        self.last_numbers: dict[str, int] = {}
        self.engines: dict[str, Presence] = {}
        self.writes = 0


class _Seen(threading.local):
    """How many of all writes a thread knows of: its own, and those it was told of."""

    writes = 0


class MemoryStore:
    """The contract of a store, without a file. What it holds ends with the process.

    Several engines may share one: each asks from a thread of its own, and `changed` answers each for itself.

    Args:
        clock: Seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.name = "memory"
        self.poll_s = 0.1
        self._clock = clock
        self._space = _Space()
        self._seen = _Seen()

    def another(self) -> MemoryStore:
        """One more way into the same space, as a second connection is."""
        store = MemoryStore(self._clock)
        store._space = self._space
        return store

    def open(self) -> list[str]:
        """Nothing can go wrong, and nothing has to be told."""
        self.changed()
        return []

    def close(self) -> None:
        """What is stored stays: another engine may be using it."""

    def hint(self) -> int | None:
        """There is none."""
        return None

    def changed(self) -> bool:
        """True if another thread, or another way in, wrote since this was last asked."""
        with self._space.lock:
            news = self._space.writes != self._seen.writes
            self._seen.writes = self._space.writes
        return news

    def update(self, name: str, beside: Sequence[str], step: Step) -> Update:
        """Changes one row by a pure function; every other change waits for it."""
        space = self._space
        with space.lock:
            rows = space.rows
            now = self._clock()
            state = step({each: rows[each].state for each in (name, *beside) if each in rows}, now)
            if state is not None:
                space.version += 1
                rows[name] = Row(name, space.version, state)
                self._wrote()
            return Update(rows.get(name, Row(name, 0, "")), now)

    def rows(self, after: int = 0) -> Changes:
        """The rows that changed after a version, in the order of their versions."""
        space = self._space
        with space.lock:
            news = sorted((row for row in space.rows.values() if row.version > after), key=_version)
            return Changes(news, space.version, space.incarnation, self._clock())

    def forget(self, names: Mapping[str, int]) -> None:
        """Removes rows whose version is still the one given."""
        space = self._space
        with space.lock:
            gone = [name for name, version in names.items() if _is(space.rows.get(name), version)]
            for name in gone:
                del space.rows[name]
            if gone:
                space.version += 1
                self._wrote()

    def append(self, records: Sequence[Record]) -> None:
        """Writes records at the journal's end, but none that is there."""
        space = self._space
        with space.lock:
            for record in records:
                if record.number:
                    if record.number <= space.last_numbers.get(record.run, 0):
                        continue
                    space.last_numbers[record.run] = record.number
                space.last_place += 1
                space.journal.append((space.last_place, record._replace(number=0)))
            if records:
                self._wrote()

    def end(self) -> str:
        """The place of the last record; empty if there is none."""
        with self._space.lock:
            return str(self._space.journal[-1][0]) if self._space.journal else ""

    def read(self, after: str = "", since_s: float | None = None, limit: int = 1000) -> list[Journaled]:
        """Records in the journal's order. Raises ValueError for what is no place."""
        number = number_of(after)
        since = -math.inf if since_s is None else self._clock() - since_s
        with self._space.lock:
            journal = self._space.journal
            found: list[Journaled] = []
            for index in range(bisect_right(journal, number, key=_place), len(journal)):
                if len(found) >= limit:
                    break
                place, record = journal[index]
                if record.at >= since:
                    found.append(Journaled(str(place), record))
            return found

    def prune(self, keep_s: float, rows: int, limit: int = 1000) -> int:
        """Removes records that are too old, then the first of those that are too many."""
        space = self._space
        before = self._clock() - keep_s
        with space.lock:
            old = [place for place, record in space.journal if record.at < before][:limit]
            too_many = len(space.journal) - len(old) - rows
            gone = set(old)
            if too_many > 0 and len(old) < limit:
                left = (place for place, _ in space.journal if place not in gone)
                gone.update(islice(left, min(too_many, limit - len(old))))
            if gone:
                space.journal = [entry for entry in space.journal if entry[0] not in gone]
                self._wrote()
            return len(gone)

    def beat(self, engine: Presence) -> None:
        """A sign of life; those silent for a day are forgotten."""
        space = self._space
        with space.lock:
            now = self._clock()
            first = space.engines.get(engine.run)
            space.engines[engine.run] = engine._replace(started=first.started if first else now, seen=now)
            space.engines = {run: each for run, each in space.engines.items() if _is_there(each, now)}
            self._wrote()

    def leave(self, run: str) -> None:
        """An engine goes."""
        with self._space.lock:
            self._space.engines.pop(run, None)
            self._wrote()

    def engines(self) -> tuple[list[Presence], float]:
        """Who gave a sign of life within a day, in the order of their names; and the time."""
        with self._space.lock:
            now = self._clock()
            there = [each for each in self._space.engines.values() if _is_there(each, now)]
        return sorted(there, key=_name), now

    def _wrote(self) -> None:
        """Counts a write, which is no news to the thread that made it."""
        self._space.writes += 1
        self._seen.writes += 1


def _version(row: Row) -> int:
    return row.version


def _place(entry: tuple[int, Record]) -> int:
    return entry[0]


def _name(engine: Presence) -> tuple[str, float, str]:
    return engine.name, engine.started, engine.run


def _is(row: Row | None, version: int) -> bool:
    return row is not None and row.version == version


def _is_there(engine: Presence, now: float) -> bool:
    return engine.seen >= now - _SILENT_FOR_S
