"""What other engines write into a store's journal, as it comes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from typing import Final

from engine.events import Event
from engine.recorded import Recorded, event_from_json
from engine.store.base import Journaled, Store

_PAGE: Final = 1000
_MOST_BACKLOG_PAGES: Final = 20


class Tail:
    """Reads on in a journal, page by page, in the store's thread.

    Args:
        run: The engine whose own events are left out.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._since_s: float | None = None
        self._is_begun = False
        self._place = ""
        self._backlog: deque[list[Journaled]] | None = None
        self.has_more = False

    @property
    def is_waiting(self) -> bool:
        """True if there is something to read, also if nobody wrote just now."""
        return self._since_s is not None and (self.has_more or not self._is_begun)

    def again(self, *, anew: bool) -> None:
        """The store was away: something may have come meanwhile.

        Args:
            anew: True if all it had is lost, so that its journal begins anew.
        """
        if self._is_begun:
            self.has_more = True
            self._place = "" if anew else self._place

    def begin(self, since_s: float) -> None:
        """Listens from so many seconds back. May be called in any thread."""
        self._since_s = since_s

    def read(self, store: Store, now: float, *, changed: bool) -> list[Event]:
        """The next events of others, in the journal's order.

        Args:
            store: The store.
            now: Seconds since the epoch.
            changed: True if there may be any.
        """
        if self._since_s is None:
            return []
        since = 0.0
        if not self._is_begun:
            self._place = store.end() if self._since_s <= 0 else ""
            self._is_begun = True
            if self._since_s <= 0:
                return []
            self._backlog = deque(maxlen=_MOST_BACKLOG_PAGES)
        elif not changed and not self.has_more:
            return []
        if self._backlog is not None:
            since = now - self._since_s
        page = store.read(self._place, since, _PAGE)
        self.has_more = len(page) == _PAGE
        if page:
            self._place = page[-1].place
        if self._backlog is None:
            return self._events(page)
        self._backlog.append(page)
        if self.has_more:
            return []
        # A long time back may be more than anybody wants to read: the last of it will do.
        pages, self._backlog = self._backlog, None
        return [event for each in pages for event in self._events(each)]

    def _events(self, page: list[Journaled]) -> list[Event]:
        return [each.event for each in decoded(page) if each.run != self._run]


def decoded(page: Iterable[Journaled]) -> list[Recorded]:
    """Records as the events they are; those that are damaged are left out."""
    found = []
    for place, record in page:
        try:
            data = json.loads(record.data)
            found.append(Recorded(place, record.run, event_from_json(data), data))
        except (ValueError, RecursionError):  # the latter for JSON that is nested without end
            continue
    return found
