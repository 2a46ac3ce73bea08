"""What is to be done at a store from time to time: signs of life, a look who is there, tidying up."""

from __future__ import annotations

import math
import socket
import time
from contextlib import suppress
from typing import Final

from engine.identity import Identity
from engine.store.base import Presence, Store
from engine.store.journal import JournalWriter
from engine.store.listener import Tell
from engine.store.rows import is_forgettable

BEAT_EVERY_S: Final = 5.0
_LIST_EVERY_S: Final = 1.0
_LISTED_FOR_S: Final = 10.0
_PRUNE_EVERY_S: Final = 5.0
_PRUNE_AGAIN_S: Final = 0.05
_FORGET_EVERY_S: Final = 600.0
_LONG_AGO: Final = -math.inf


class Chores:
    """Does them when they are due.

    Args:
        store: The store.
        identity: Who the engine is.
        journal: Knows how long events are kept.
        tell: Tells the listener who is there.
        visible: True to give signs of life, and to prune the journal.

    Attributes:
        prune_at: When the journal is to be pruned next, by `time.monotonic`. Never by one that is gone in a
            moment: whoever looks at a journal must not cut it, whatever it would keep itself.
    """

    def __init__(
        self, store: Store, identity: Identity, journal: JournalWriter, tell: Tell, *, visible: bool
    ) -> None:
        self._store = store
        self._identity = identity
        self._journal = journal
        self._tell = tell
        self._visible = visible
        self._beat_at = self._list_at = self._asked_at = _LONG_AGO
        self.prune_at = _LONG_AGO if visible else math.inf
        self._forget_at = time.monotonic() + _FORGET_EVERY_S

    def asked(self) -> None:
        """Somebody wants to know who is there: for a while they are counted more often."""
        self._asked_at = time.monotonic()

    def beat(self) -> None:
        """Gives a sign of life, and looks who is there."""
        self._beat_at = time.monotonic() + BEAT_EVERY_S
        if self._visible:
            own = self._identity
            self._store.beat(Presence(own.run, own.name, socket.gethostname(), own.pid))
        self._list()

    def beat_soon(self) -> None:
        """The last sign of life may be lost."""
        self._beat_at = _LONG_AGO

    def leave(self) -> None:
        """Says goodbye; that it can't is no matter."""
        if self._visible:
            with suppress(Exception):
                self._store.leave(self._identity.run)

    def do_those_due(self, now: float, *, is_followed: bool) -> None:
        """Does what is due.

        Args:
            now: By `time.monotonic`.
            is_followed: True if somebody listens to others, and wants to know at once who comes and goes.
        """
        if now >= self._beat_at:
            self.beat()
        if now >= self._list_at and (is_followed or now < self._asked_at + _LISTED_FOR_S):
            self._list()
        if now >= self.prune_at:
            more = self._journal.prune(self._store)
            self.prune_at = now + (_PRUNE_AGAIN_S if more else _PRUNE_EVERY_S)
        if now >= self._forget_at:
            self._forget_at = now + _FORGET_EVERY_S
            self._forget()

    def _list(self) -> None:
        self._list_at = time.monotonic() + _LIST_EVERY_S
        engines, now = self._store.engines()
        self._tell(lambda listener: listener.present(engines, now))

    def _forget(self) -> None:
        """Removes the rows that say nothing any more."""
        rows, _, _, now = self._store.rows()
        idle = {name: version for name, version, state in rows if is_forgettable(name, state, now)}
        self._store.forget(idle)
