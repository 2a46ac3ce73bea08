"""An engine's events on their way into a store: taken in at once, written in parts by the store's thread."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Final

from engine.bus import iso, log
from engine.events import Event, FeedDropped
from engine.flat import written
from engine.identity import Identity
from engine.store.base import Presence, Record, Store
from engine.store.sendable import sendable

_MOST_WAITING: Final = 50_000
_MOST_CHARACTERS: Final = 50_000_000
_MOST_AT_ONCE: Final = 200
_MOST_CHARACTERS_AT_ONCE: Final = 256_000
_PRUNED_AT_ONCE: Final = 2000
_AT: Final = '"at": "'

# Lets another thread have the interpreter. Sleeping for no time does so, too, and costs many times as much.
_give_way: Final[Callable[[], None]] = getattr(os, "sched_yield", partial(time.sleep, 0))


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
        self._texts: deque[str] = deque()
        self._characters = 0  # of the texts
        self._on_its_way: list[Record] = []  # until it is sure that they are written
        self._number = 0
        self._lost = 0
        self.keep_s = keep_s
        self.rows = rows

    def record(self, event: Event) -> None:
        """Takes an event in, in the engine's thread. Costs next to nothing: the rest is done in bulk."""
        self._events.append(event)

    def clear(self) -> None:
        """Lets go of all that is not written: nobody will write it."""
        self._events.clear()
        self._texts.clear()
        self._characters = 0
        self._on_its_way = []

    @property
    def waiting(self) -> int:
        """Events that are not written yet."""
        return len(self._events) + len(self._texts) + len(self._on_its_way)

    def encode(self, most: int | None = None) -> None:
        """Turns events into texts, and so lets go of their requests. In the store's thread, as all below.

        Args:
            most: How many; by default all.
        """
        events, texts = self._events, self._texts
        for _ in range(len(events) if most is None else min(most, len(events))):
            try:
                text = sendable(events.popleft())
            except Exception as error:  # noqa: BLE001 - a caller's own objects in a recorded prompt may do anything
                log.warning("an event can't be journaled, and is counted as lost: %s", type(error).__name__)
                self._lost += 1
                continue
            texts.append(text)
            self._characters += len(text)
        while self._characters > _MOST_CHARACTERS or (texts and len(texts) + len(events) > _MOST_WAITING):
            self._characters -= len(texts.popleft())
            self._lost += 1
        while len(events) > _MOST_WAITING:
            events.popleft()
            self._lost += 1

    def write(self, store: Store) -> Iterator[None]:
        """Writes all that waits now; what comes meanwhile may wait on.

        In parts, so that steps of the bench need not wait behind it.
        """
        last = self._number + len(self._texts) + len(self._events)
        while self._on_its_way or (self._number < last and (self._texts or self._events or self._lost)):
            _give_way()  # the engine's thread comes first
            self._on_its_way = self._on_its_way or self._next()
            store.append(self._on_its_way)
            self._on_its_way = []
            yield

    def write_all(self, store: Store) -> None:
        """Writes all that waits now, at once."""
        for _ in self.write(store):
            pass

    def _next(self) -> list[Record]:
        """The next records, few enough to be sent in time, each with its number.

        Given to the store again, they are not written again.
        """
        self.encode(_MOST_AT_ONCE - len(self._texts))
        texts, size = [], 0
        if self._lost:
            told = FeedDropped(at=iso(self._wall()), engine=self._engine.name, count=self._lost)
            texts.append(written(told))
            self._lost = 0
        while self._texts and len(texts) < _MOST_AT_ONCE:
            size += len(self._texts[0])
            if texts and size > _MOST_CHARACTERS_AT_ONCE:
                break
            texts.append(self._texts.popleft())
            self._characters -= len(texts[-1])
        name, run, first = self._engine.name, self._engine.run, self._number + 1
        self._number += len(texts)
        return [Record(_moment(text), name, run, text, number) for number, text in enumerate(texts, first)]

    def prune(self, store: Store) -> bool:
        """Removes some of what is too old or too much; True if there may be more."""
        gone = store.prune(self.keep_s, self.rows, _PRUNED_AT_ONCE)
        return gone >= _PRUNED_AT_ONCE


def _moment(text: str) -> float:
    """When a written event happened, seconds since the epoch."""
    start = text.index(_AT) + len(_AT)
    return _second(text[start : start + 19]) + int(text[start + 20 : start + 23]) / 1000


@lru_cache(8)
def _second(at: str) -> float:
    """Seconds since the epoch of an event's time without its milliseconds."""
    return datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
