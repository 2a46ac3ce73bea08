"""The one thread that talks to a store: takes steps, watches, writes the journal, gives signs of life."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from engine.bus import log
from engine.events import Event
from engine.store.base import Changes, Presence, Store, StoreError, StoreRefused
from engine.store.journal import JournalWriter
from engine.store.rows import is_forgettable
from engine.store.shift import Shift
from engine.store.tail import Tail
from engine.store.waiting import readable

T = TypeVar("T")

BEAT_EVERY_S: Final = 5.0
_WRITE_EVERY_S: Final = 0.1
_PRUNE_EVERY_S: Final = 5.0
_PRUNE_AGAIN_S: Final = 0.05
_FORGET_EVERY_S: Final = 600.0
_RETRY_S: Final = (0.25, 0.5, 1.0, 2.0)
_RETRY_REFUSED_S: Final = 30.0
_CLOCK_JUMP_S: Final = 0.5
_LEAVES_WITHIN_S: Final = 1.0
_ENDED: Final = "the engine is closed"


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """Something to do with the store once.

    Attributes:
        run: Does it, in the clerk's thread.
        done: Gets what came of it, in the engine's thread.
        failed: Gets the error instead; one that is no `StoreError` is the fault of what was to be done.
    """

    run: Callable[[Store], T]
    done: Callable[[T], object]
    failed: Callable[[Exception], object]


class Listener(Protocol):
    """Who hears of what the clerk sees. Called in the engine's thread."""

    def opened(self, notices: Sequence[str], changes: Changes, shift_s: float) -> None:
        """The store is there, for the first time or again; all of its rows.

        Args:
            notices: What somebody should be told.
            changes: Every row.
            shift_s: Seconds to add to the store's time for the engine's.
        """

    def changed(self, changes: Changes, shift_s: float) -> None:
        """Somebody changed rows."""

    def replaced(self, changes: Changes, shift_s: float) -> None:
        """The store lost what it had; all of the rows it has now."""

    def lost(self, error: StoreError) -> None:
        """The store can't be used. Told at each try that fails."""

    def heard(self, events: Sequence[Event]) -> None:
        """Events of other engines."""

    def present(self, engines: Sequence[Presence], now: float) -> None:
        """Who is there, by the store's time."""


class Clerk:
    """Works for one engine at one store, in a daemon thread.

    Args:
        store: The store; nobody else touches it.
        presence: The engine.
        journal: Takes the engine's events, and has them written.
        listener: Hears of what happens.
        post: Has a function called soon in the engine's thread.
        clock: The engine's clock, seconds.
        wall: Seconds since the epoch.
        visible: True to give signs of life.
    """

    def __init__(
        self,
        store: Store,
        presence: Presence,
        journal: JournalWriter,
        listener: Listener,
        post: Callable[..., None],
        *,
        clock: Callable[[], float],
        wall: Callable[[], float] = time.time,
        visible: bool = True,
    ) -> None:
        self._store = store
        self._presence = presence
        self._journal = journal
        self._listener = listener
        self._post = post
        self._clock = clock
        self._wall = wall
        self._visible = visible
        self._tail = Tail(presence.run)
        self._shift = Shift(clock)
        self._jobs: deque[Job[Any]] = deque()
        self._thread: threading.Thread | None = None
        self._woken: socket.socket | None = None
        self._wake: socket.socket | None = None
        self._is_open = False
        self._failures = 0
        self._version = 0
        self._incarnation = ""
        self._offset = 0.0
        self._retry_at = self._look_at = self._write_at = self._beat_at = self._prune_at = -float("inf")
        self._forget_at = time.monotonic() + _FORGET_EVERY_S
        self._leave_by: float | None = None
        self._on_end: Callable[[], object] = _nothing
        self._has_ended = False

    # From the engine's thread

    def start(self) -> None:
        """Starts the thread; nothing if it runs, or has ended."""
        if self._thread is None and not self._has_ended:
            self._woken, self._wake = socket.socketpair()
            self._woken.setblocking(False)
            self._wake.setblocking(False)
            self._thread = threading.Thread(target=self._main, name="standby: store", daemon=True)
            self._thread.start()

    def submit(self, job: Job[Any]) -> None:
        """Has a job done, after those before it."""
        self._jobs.append(job)
        self.wake()
        if self._has_ended:
            self._refuse_jobs(StoreError(_ENDED))

    def follow(self, since_s: float) -> None:
        """Begins to listen to the events of others, from so many seconds back."""
        self._tail.begin(since_s)
        self.wake()

    def stop(self, ended: Callable[[], object]) -> None:
        """Ends the thread, soon: what waits to be written is, if the store takes it within a second.

        Args:
            ended: Called at the end, in the clerk's thread if there is one.
        """
        if self._thread is None:
            self._has_ended = True
            ended()
            return
        self._on_end = ended
        self._leave_by = time.monotonic() + _LEAVES_WITHIN_S
        self.wake()

    def wake(self) -> None:
        """Has the thread look at once for what there is to do."""
        if self._wake is not None:
            with suppress(OSError):  # full: it is being woken already; closed: it has left
                self._wake.send(b"\0")

    # In the clerk's thread

    def _main(self) -> None:
        try:
            while not self._is_over():
                try:
                    self._round()
                except StoreError as error:
                    self._lose(error)
                self._rest()
            self._go()
        except Exception as error:  # noqa: BLE001 - the thread's last line of defence: the bench goes on here
            log.exception("the thread that talks to the store has ended")
            self._lose(StoreError(f"a fault of standby's own ({type(error).__name__}); the log tells more"))
        finally:
            self._has_ended = True
            self._refuse_jobs(StoreError(_ENDED))
            self._on_end()
            for each in (self._woken, self._wake):
                if each is not None:
                    each.close()

    def _is_over(self) -> bool:
        if self._leave_by is None:
            return False
        idle = not self._jobs and not self._journal.waiting
        return idle or not self._is_open or time.monotonic() >= self._leave_by

    def _round(self) -> None:
        now = time.monotonic()
        if not self._is_open:
            if now < self._retry_at:
                self._refuse_jobs(StoreError("it is not there"))
                self._journal.encode()
                return
            self._connect()
        self._do_jobs()
        if now >= self._look_at or self._tail.is_waiting or self._is_hinted():
            self._look()
        if now >= self._write_at or self._leave_by is not None:
            self._write_at = now + _WRITE_EVERY_S
            self._write()
        if now >= self._beat_at:
            self._beat_at = now + BEAT_EVERY_S
            self._beat()
        if now >= self._prune_at:
            more = self._journal.prune(self._store)
            self._prune_at = now + (_PRUNE_AGAIN_S if more else _PRUNE_EVERY_S)
        if now >= self._forget_at:
            self._forget_at = now + _FORGET_EVERY_S
            self._forget()

    def _connect(self) -> None:
        notices = self._store.open()
        asked = self._clock()
        changes = self._store.rows()
        shift = self._shift.seen(asked, changes.now)
        self._is_open, self._failures = True, 0
        self._offset = self._wall() - self._clock()
        self._tail.again(anew=changes.incarnation != self._incarnation)
        self._version, self._incarnation = changes.version, changes.incarnation
        self._post(self._listener.opened, notices, changes, shift)

    def _do_jobs(self) -> None:
        while self._jobs:
            job = self._jobs.popleft()
            try:
                result = job.run(self._store)
            except StoreError as error:
                self._post(job.failed, error)
                raise
            except Exception as error:  # noqa: BLE001  (whoever asked for it gets it; the thread goes on)
                self._post(job.failed, error)
                continue
            self._post(job.done, result)

    def _refuse_jobs(self, error: StoreError) -> None:
        while self._jobs:
            self._post(self._jobs.popleft().failed, error)

    def _look(self) -> None:
        """Takes in what others did."""
        self._look_at = time.monotonic() + self._store.poll_s
        offset = self._wall() - self._clock()
        jumped = abs(offset - self._offset) > _CLOCK_JUMP_S  # somebody set it, or the machine slept
        changed = self._store.changed()
        if changed or jumped:
            self._offset = offset
            self._read_rows(0 if jumped else self._version)
        events = self._tail.read(self._store, self._wall(), changed=changed)
        if events:
            self._post(self._listener.heard, events)

    def _read_rows(self, after: int) -> None:
        asked = self._clock()
        changes = self._store.rows(after)
        if changes.incarnation != self._incarnation:
            changes = self._store.rows()
            self._tail.again(anew=True)
            self._version, self._incarnation = changes.version, changes.incarnation
            self._post(self._listener.replaced, changes, self._shift.seen(asked, changes.now))
            return
        self._version = changes.version
        shift = self._shift.seen(asked, changes.now)
        if changes.rows:
            self._post(self._listener.changed, changes, shift)

    def _write(self) -> None:
        """Writes the journal, a part at a time: steps of the bench don't wait behind it."""
        while not self._journal.encode(lambda: bool(self._jobs)):
            self._do_jobs()
        while self._journal.write(self._store):
            self._do_jobs()

    def _beat(self) -> None:
        if self._visible:
            self._store.beat(self._presence)
        engines, now = self._store.engines()
        self._post(self._listener.present, engines, now)

    def _forget(self) -> None:
        """Removes the rows that say nothing any more."""
        changes = self._store.rows()
        self._store.forget(
            {
                row.name: row.version
                for row in changes.rows
                if is_forgettable(row.name, row.state, changes.now)
            }
        )

    def _lose(self, error: StoreError) -> None:
        self._is_open = False
        self._store.close()
        self._refuse_jobs(error)
        waits = _RETRY_REFUSED_S if isinstance(error, StoreRefused) else _RETRY_S[min(self._failures, 3)]
        self._failures += 1
        self._retry_at = time.monotonic() + waits
        self._look_at = self._beat_at = -float("inf")
        self._post(self._listener.lost, error)

    def _go(self) -> None:
        """Says goodbye."""
        if self._is_open and self._visible:
            with suppress(StoreError):
                self._store.leave(self._presence.run)
        self._store.close()
        self._is_open = False

    def _is_hinted(self) -> bool:
        hint = self._store.hint()
        return hint is not None and bool(readable([hint], 0.0))

    def _rest(self) -> None:
        """Waits until there is something to do."""
        if self._jobs or self._leave_by is not None or (self._is_open and self._tail.is_waiting):
            return
        now = time.monotonic()
        due = min(self._look_at, self._write_at, self._prune_at) if self._is_open else self._retry_at
        wait_s = min(_WRITE_EVERY_S, due - now)
        if wait_s <= 0:
            return
        hint = self._store.hint() if self._is_open else None
        woken = self._woken
        own = None if woken is None else woken.fileno()
        ready = readable([each for each in (own, hint) if each is not None], wait_s)
        if woken is not None and own in ready:
            with suppress(BlockingIOError):
                while woken.recv(4096):
                    pass


def _nothing() -> None:
    pass
