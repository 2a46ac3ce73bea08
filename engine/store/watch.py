"""What others do at a store, seen by the thread that talks to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from engine.bus import Observers
from engine.events import Event
from engine.identity import Identity
from engine.store.base import Changes, Store
from engine.store.listener import Listener, Tell
from engine.store.shift import Shift
from engine.store.tail import Tail
from engine.store.waiting import readable

_FOLLOW_EVERY_S: Final = 0.2
_HINTED_EVERY_S: Final = 0.05
_CLOCK_JUMP_S: Final = 0.5
_LONG_AGO: Final = -float("inf")


class Watch:
    """Sees rows that changed and events that were written.

    Args:
        store: The store.
        identity: Who the engine is, whose own events are no news.
        clock: The engine's clock, seconds.
        wall: Seconds since the epoch.
        tell: Tells the listener how the store is.
        post: Tells it anything else.
    """

    def __init__(
        self,
        store: Store,
        identity: Identity,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        tell: Tell,
        post: Tell,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wall = wall
        self._tell = tell
        self._post = post
        self._shift = Shift(clock)
        self._version = 0
        self._incarnation = ""
        self._offset = 0.0
        self._look_at = self._hint_at = _LONG_AGO
        self.tail = Tail(identity)

    def follow(self, observers: Observers, since_s: float) -> None:
        """Has observers told of the events of others. May be called in any thread."""
        self.tail.follow(observers, since_s)

    def begin(self) -> tuple[Changes, float]:
        """The store is open: all of its rows, and the seconds to add to its time for the engine's."""
        asked = self._clock()
        changes = self._store.rows()
        self._offset = self._wall() - self._clock()
        self.tail.again()
        self._note(changes)
        return changes, self._shift.seen(asked, changes.now)

    def look_soon(self) -> None:
        """Nothing of what was seen is sure any more."""
        self._look_at = _LONG_AGO

    def look_if_due(self, now: float) -> None:
        """Looks if it is time, if there is a hint, or if somebody waits for events."""
        if now >= self._look_at or self.tail.is_waiting or (now >= self._hint_at and self._is_hinted()):
            self._look()

    def until_due(self, now: float) -> tuple[float, int | None]:
        """When it is time to look again, and the descriptor of hints that bring that forward."""
        hint = self._store.hint()
        if hint is not None and now < self._hint_at:  # hints may be many; one look takes in all of them
            return min(self._look_at, self._hint_at), None
        return self._look_at, hint

    def _is_hinted(self) -> bool:
        hint = self._store.hint()
        return hint is not None and bool(readable([hint], 0.0))

    def _look(self) -> None:
        now = time.monotonic()
        poll_s = self._store.poll_s
        self._look_at = now + (min(poll_s, _FOLLOW_EVERY_S) if self.tail.is_followed else poll_s)
        self._hint_at = now + _HINTED_EVERY_S
        offset = self._wall() - self._clock()
        jumped = abs(offset - self._offset) > _CLOCK_JUMP_S  # somebody set it, or the machine slept
        changed = self._store.changed()
        if changed or jumped:
            self._offset = offset
            self._read_rows(0 if jumped else self._version)
        for observers, events in self.tail.read(self._store, changed=changed):
            self._post(partial(_heard, observers, events))

    def _read_rows(self, after: int) -> None:
        asked = self._clock()
        changes = self._store.rows(after)
        has_lost = changes.incarnation != self._incarnation or changes.version < self._version
        if has_lost:
            changes = self._store.rows()
            self.tail.again()
        self._note(changes)
        shift = self._shift.seen(asked, changes.now)
        if has_lost:
            self._tell(lambda listener: listener.replaced(changes, shift))
        elif changes.rows:
            self._tell(lambda listener: listener.changed(changes, shift))

    def _note(self, changes: Changes) -> None:
        self._version, self._incarnation = changes.version, changes.incarnation


def _heard(observers: Observers, events: Sequence[Event], listener: Listener) -> None:
    listener.heard(observers, events)
