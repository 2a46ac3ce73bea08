"""What other engines write into a store's journal, as it comes."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from engine.bus import Observers
from engine.events import Event
from engine.identity import Identity
from engine.recorded import Recorded, event_from_json
from engine.store.base import Journaled, Store
from engine.store.places import order_of

_PAGE: Final = 1000
_MOST_BACKLOG_PAGES: Final = 20


class Heard(NamedTuple):
    """What somebody is to be told.

    Attributes:
        observers: Who.
        events: In the journal's order.
    """

    observers: Observers
    events: Sequence[Event]


class _Follower:
    """Somebody who reads on in the journal.

    Args:
        observers: Who; nobody reads any more when none of them is left.
        since_s: Seconds back from now: what happened since then comes first.
    """

    def __init__(self, observers: Observers, since_s: float) -> None:
        self.observers = observers
        self.place = ""
        self.backlog: deque[list[Journaled]] | None = None
        self.has_more = False
        self._since_s = since_s
        self._came = time.monotonic()

    def begin(self, store: Store) -> None:
        """Finds the place from which on all is told."""
        if self._since_s > 0:
            self.backlog = deque(maxlen=_MOST_BACKLOG_PAGES)
            self.has_more = True
        else:
            self.place = store.end()

    def read(self, store: Store) -> list[Journaled]:
        """The next page."""
        since_s = None
        if self.backlog is not None:  # still the same point in time
            since_s = self._since_s + time.monotonic() - self._came
        return store.read(self.place, since_s, _PAGE)

    def take(self, page: list[Journaled]) -> list[list[Journaled]]:
        """Takes in the next page. → What is to be told of."""
        self.has_more = len(page) >= _PAGE
        if page:
            self.place = page[-1].place
        if self.backlog is None:
            return [page]
        self.backlog.append(page)
        if self.has_more:
            return []
        # A long time back may be more than anybody wants to read: the last of it will do.
        pages, self.backlog = self.backlog, None
        return list(pages)


class Tail:
    """Reads on in a journal, page by page, in the store's thread, as long as anybody wants to know.

    Args:
        identity: Of the engine whose own events are left out.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._newcomers: deque[_Follower] = deque()
        self._followers: list[_Follower] = []
        self._is_doubtful = False

    @property
    def is_followed(self) -> bool:
        """True if anybody listens."""
        return bool(self._newcomers) or any(each.observers for each in self._followers)

    @property
    def is_waiting(self) -> bool:
        """True if there is something to read, also if nobody wrote just now."""
        return bool(self._newcomers) or any(each.has_more for each in self._followers)

    def follow(self, observers: Observers, since_s: float) -> None:
        """Somebody listens, from so many seconds back. May be called in any thread."""
        self._newcomers.append(_Follower(observers, since_s))

    def admit(self, store: Store) -> None:
        """Whoever came hears of all that is written from here on."""
        while self._newcomers:
            self._newcomers[0].begin(store)
            self._followers.append(self._newcomers.popleft())

    def again(self) -> None:
        """The store was away, or lost what it had: something may have come meanwhile, or all begun anew."""
        self._is_doubtful = True
        for each in self._followers:
            each.has_more = True

    def read(self, store: Store, *, changed: bool) -> list[Heard]:
        """The next events of others.

        Args:
            store: The store.
            changed: True if there may be any.
        """
        self.admit(store)
        self._followers = [each for each in self._followers if each.observers]
        if self._is_doubtful:
            self._look_whether_it_began_anew(store)
        told = []
        pages: dict[str, list[Journaled]] = {}  # mostly all are at the same place
        for each in self._followers:
            if not (changed or each.has_more):
                continue
            page = pages.get(each.place) if each.backlog is None else None
            if page is None:
                place, is_live = each.place, each.backlog is None
                page = each.read(store)
                if is_live:
                    pages[place] = page
            events = [event for one in each.take(page) for event in self._events(one)]
            if events:
                told.append(Heard(each.observers, events))
        return told

    def _look_whether_it_began_anew(self, store: Store) -> None:
        """A journal that ends before a place that it once gave is another one: all of it is new."""
        if not self._followers:
            self._is_doubtful = False
            return
        end = store.end()
        if not end:  # nothing is in it yet
            return
        self._is_doubtful = False
        for each in self._followers:
            if order_of(end) < order_of(each.place):
                each.place = ""
                each.has_more = True

    def _events(self, page: list[Journaled]) -> list[Event]:
        own = self._identity.run
        return [each.event for each in decoded(one for one in page if one.record.run != own)]


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
