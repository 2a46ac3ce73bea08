"""An engine's events on their way into a store: taken in at once, written in parts by the store's thread."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Final

from engine.bus import iso, log
from engine.events import Event, FeedDropped
from engine.flat import written
from engine.identity import Identity
from engine.store.base import Presence, Record, Store

_MOST_WAITING: Final = 50_000
_MOST_AT_ONCE: Final = 200
_AT_A_STRETCH: Final = 8
_PRUNED_AT_ONCE: Final = 2000

# Lets another thread have the interpreter. Sleeping for no time does so, too, and costs many times as much.
give_way: Final[Callable[[], None]] = getattr(os, "sched_yield", partial(time.sleep, 0))


class JournalWriter:
    """Keeps an engine's events until they are written; of too many it loses the oldest, and counts them.

    Args:
        engine: Whose events.
        keep_s: Seconds that records are kept in the journal.
        rows: Most records there.
        wall: Seconds since the epoch.
    """

    def __init__(
        self, engine: Presence | Identity, keep_s: float, rows: int, wall: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._wall = wall
        self._events: deque[Event] = deque()
        self._records: deque[Record] = deque()
        self._on_its_way: list[Record] = []  # until it is sure that they are written
        self._number = 0
        self._lost = 0
        self.keep_s = keep_s
        self.rows = rows

    def record(self, event: Event) -> None:
        """Takes an event in, in the engine's thread. Costs next to nothing."""
        self._events.append(event)

    def clear(self) -> None:
        """Lets go of all that is not written: nobody will write it."""
        self._events.clear()
        self._records.clear()
        self._on_its_way = []

    @property
    def waiting(self) -> int:
        """Events that are not written yet."""
        return len(self._events) + len(self._records) + len(self._on_its_way)

    def encode(self, has_to_stop: Callable[[], bool] = lambda: False) -> bool:
        """Turns events into records, and lets go of their requests. In the store's thread, as all below.

        Args:
            has_to_stop: Asked before each event; where many threads want to run, a few take long.

        Returns:
            False if it stopped before the last.
        """
        events, records, engine = self._events, self._records, self._engine
        for taken in range(len(events)):
            if has_to_stop():
                return False
            event = events.popleft()
            if not taken % _AT_A_STRETCH:
                give_way()  # the engine's thread comes first
            try:
                data = written(event)
            except Exception as error:  # noqa: BLE001 - a caller's own objects in a recorded prompt may do anything
                log.warning("an event can't be journaled, and is counted as lost: %s", type(error).__name__)
                self._lost += 1
                continue
            at = _second(event.at[:19]) + int(event.at[20:23]) / 1000
            records.append(Record(at, engine.name, engine.run, data))
        while len(records) > _MOST_WAITING:
            records.popleft()
            self._lost += 1
        return True

    def write(self, store: Store) -> bool:
        """Writes some of what waits; True if there is more."""
        self.encode()
        if not self._on_its_way:
            self._on_its_way = self._next()
        if self._on_its_way:
            store.append(self._on_its_way)
            self._on_its_way = []
        return bool(self._records)

    def _next(self) -> list[Record]:
        """The next records, each with its number: given to the store again, they are not written again."""
        some = []
        if self._lost:
            at = self._wall()
            told = FeedDropped(at=iso(at), engine=self._engine.name, count=self._lost)
            some.append(Record(at, self._engine.name, self._engine.run, written(told)))
            self._lost = 0
        records = self._records
        some += [records.popleft() for _ in range(min(len(records), _MOST_AT_ONCE))]
        first = self._number + 1
        self._number += len(some)
        return [record._replace(number=number) for number, record in enumerate(some, first)]

    def write_all(self, store: Store) -> None:
        """Writes all that waits."""
        while self.write(store):
            pass

    def prune(self, store: Store) -> bool:
        """Removes some of what is too old or too much; True if there may be more."""
        gone = store.prune(self.keep_s, self.rows, _PRUNED_AT_ONCE)
        return gone >= _PRUNED_AT_ONCE


@lru_cache(8)
def _second(at: str) -> float:
    """Seconds since the epoch of an event's time without its milliseconds."""
    return datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
