"""The one thread that talks to a store: takes steps, watches, writes the journal, gives signs of life."""

from __future__ import annotations

import atexit
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from engine.bus import Observers, log
from engine.identity import Identity
from engine.store.base import Store, StoreError, StoreRefused
from engine.store.chores import Chores
from engine.store.journal import JournalWriter
from engine.store.listener import Job, Listener
from engine.store.waiting import readable
from engine.store.watch import Watch

_WRITE_EVERY_S: Final = 0.15
_RETRY_S: Final = (0.25, 0.5, 1.0, 2.0)
_RETRY_REFUSED_S: Final = 5.0
_LEAVES_WITHIN_S: Final = 1.0
_LONG_AGO: Final = -float("inf")
_ENDED: Final = "the engine is closed"


class Clerk:
    """Works for one engine at one store, in a daemon thread.

    The thread ends with `stop`, and once nobody listens any more: the engine is garbage, or its event loop
    was closed. In the latter case it starts anew when it is needed again. It also ends with the program: what
    an engine that nobody closed has told is written then, as far as that goes within a moment.

    Args:
        store: The store; nobody else touches it.
        identity: Who the engine is.
        journal: Takes the engine's events, and has them written.
        listener: Hears of what happens.
        clock: The engine's clock, seconds.
        wall: Seconds since the epoch.
        visible: True to give signs of life, and to prune the journal.
    """

    def __init__(
        self,
        store: Store,
        identity: Identity,
        journal: JournalWriter,
        listener: Listener,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float] = time.time,
        visible: bool = True,
    ) -> None:
        self._store = store
        self._identity = identity
        self._journal = journal
        self._listener = weakref.ref(listener)
        self._watch = Watch(store, identity, clock=clock, wall=wall, tell=self._tell, post=self._post)
        self._chores = Chores(store, identity, journal, self._tell, visible=visible)
        self._jobs: deque[Job[Any]] = deque()
        self._lock = threading.Lock()  # over the thread's coming and going
        self._thread: threading.Thread | None = None
        self._before: threading.Thread | None = None  # the one before it
        self._woken: socket.socket | None = None
        self._wake: socket.socket | None = None
        self._is_open = False
        self._failures = 0
        self._retry_at = self._write_at = _LONG_AGO
        self._leave_by: float | None = None
        self._on_end: list[Callable[[], object]] = []
        self._is_stopping = False
        self._has_ended = False
        self._has_faulted = False
        self._untold: list[Callable[[Listener], object]] | None = None  # until the store is sure to work

    # From the engine's thread

    def start(self) -> bool:
        """Starts the thread; False if it runs, has ended, or is in the process this one was forked off."""
        if self._identity.is_elsewhere:
            return False
        with self._lock:
            if self._thread is not None or self._has_ended:
                return False
            self._identity.settle()
            self._woken, self._wake = socket.socketpair()
            self._woken.setblocking(False)
            self._wake.setblocking(False)
            self._leave_by = None
            self._failures, self._retry_at = 0, _LONG_AGO
            self._thread = threading.Thread(target=self._main, name="standby: store", daemon=True)
            self._thread.start()
        _AT_WORK.add(self)
        return True

    def submit(self, job: Job[Any]) -> None:
        """Has a job done, after those before it; starts the thread unless it runs."""
        self._jobs.append(job)
        if not self.start():
            self.wake()
        if self._has_ended:
            self._refuse_jobs(StoreError(_ENDED))

    def follow(self, observers: Observers, since_s: float) -> None:
        """Has observers told of the events of others, from so many seconds back, as long as one is left."""
        self._watch.follow(observers, since_s)
        self.wake()

    def asked(self) -> None:
        """Somebody wants to know who is there: for a while they are counted more often."""
        self._chores.asked()

    def stop(self, ended: Callable[[], object]) -> None:
        """Ends the thread, soon: what waits to be written is, if the store takes it within a second.

        Args:
            ended: Called at the end, in the clerk's thread if there is one.
        """
        if self._identity.is_elsewhere:
            self._has_ended = True
            ended()
            return
        with self._lock:
            self._is_stopping = True
            is_running = self._thread is not None
            if is_running:
                self._on_end.append(ended)
                self._leave_by = self._leave_by or time.monotonic() + _LEAVES_WITHIN_S
        if is_running:
            self.wake()
            return
        self._has_ended = True
        self._journal.clear()
        ended()

    def wake(self) -> None:
        """Has the thread look at once for what there is to do."""
        if self._wake is not None and not self._identity.is_elsewhere:
            with suppress(OSError):  # full: it is being woken already; closed: it has left
                self._wake.send(b"\0")

    # In the clerk's thread

    def _main(self) -> None:
        if self._before is not None:
            self._before.join()
        while True:
            while not self._is_over():
                try:
                    self._round()
                    self._rest()
                except StoreError as error:
                    self._lose(error)
                except Exception as error:  # noqa: BLE001  (the bench goes on here; the store is tried again)
                    self._falter(error)
            self._go()
            with self._lock:
                if self._is_stopping or not self._is_wanted:
                    self._end()
                    return
                self._leave_by = None

    def _falter(self, error: Exception) -> None:
        """Something is wrong here, not at the store: said once, until all goes well again."""
        if not self._has_faulted:
            log.error("the thread that talks to the store has met a fault", exc_info=error)
        self._has_faulted = True
        self._lose(StoreError(f"a fault of standby's own ({type(error).__name__}); the log tells more"))
        time.sleep(_WRITE_EVERY_S)

    def _end(self) -> None:
        """The thread's last words."""
        self._before, self._thread = threading.current_thread(), None
        self._has_ended = self._is_stopping
        self._refuse_jobs(StoreError(_ENDED))
        for each in (self._woken, self._wake):
            if each is not None:
                each.close()
        if self._has_ended:
            self._journal.clear()
        for ended in self._on_end:
            ended()
        self._on_end.clear()

    def _is_over(self) -> bool:
        if self._leave_by is None:
            if self._is_heard:
                return False
            self._leave_by = time.monotonic() + _LEAVES_WITHIN_S
        idle = not self._jobs and not self._journal.waiting
        return idle or bool(self._failures) or time.monotonic() >= self._leave_by

    @property
    def _is_heard(self) -> bool:
        listener = self._listener()
        return listener is not None and listener.is_listening

    @property
    def _is_wanted(self) -> bool:
        """True if there is something to do after all."""
        return self._is_heard or (bool(self._jobs) and not self._failures)

    def _tell(self, what: Callable[[Listener], object]) -> None:
        """Tells the listener how the store is, in the engine's thread."""
        if self._untold is None:
            self._post(what)
        else:
            self._untold.append(what)

    def _post(self, what: Callable[[Listener], object]) -> None:
        listener = self._listener()
        if listener is not None:
            listener.post(what, listener)

    def _round(self) -> None:
        now = time.monotonic()
        if not self._is_open:
            if now < self._retry_at:
                self._refuse_jobs(StoreError("it is not there"))
                self._journal.encode()
                return
            self._connect()
        self._do_jobs()
        self._watch.look_if_due(now)
        if now >= self._write_at or self._leave_by is not None:
            self._write_at = now + _WRITE_EVERY_S
            self._write()
        self._chores.do_those_due(now, is_followed=self._watch.tail.is_followed)
        self._note_success()

    def _note_success(self) -> None:
        """The store works: what was to be told then is told now."""
        self._failures, self._has_faulted = 0, False
        told, self._untold = self._untold or (), None
        for each in told:
            self._post(each)

    def _connect(self) -> None:
        notices = self._store.open()
        changes, shift = self._watch.begin()
        self._is_open = True
        if self._failures:
            self._untold = []
        self._chores.beat()  # whoever comes is seen, and sees the others, from the first
        self._tell(lambda listener: listener.opened(notices, changes, shift))

    def _do_jobs(self) -> None:
        while self._jobs:
            self._watch.tail.admit(self._store)  # whoever came before a job hears of all that follows it
            job = self._jobs.popleft()
            try:
                result = job.run(self._store)
            except StoreError as error:
                self._fail(job, error)
                raise
            except Exception as error:  # noqa: BLE001  (whoever asked for it gets it; the thread goes on)
                self._fail(job, error)
                continue
            self._post(partial(_done, job, result))

    def _refuse_jobs(self, error: StoreError) -> None:
        with suppress(IndexError):
            while True:
                self._fail(self._jobs.popleft(), error)

    def _fail(self, job: Job[Any], error: Exception) -> None:
        self._post(lambda _: job.failed(error))

    def _write(self) -> None:
        """Writes the journal; steps of the bench, and what others do, don't wait behind it."""
        for _ in self._journal.write(self._store):
            self._note_success()
            self._do_jobs()
            self._watch.look_if_due(time.monotonic())

    def _lose(self, error: StoreError) -> None:
        self._is_open, self._untold = False, None
        with suppress(Exception):  # a store of somebody else's may raise all the same
            self._store.close()
        self._refuse_jobs(error)
        waits = _RETRY_REFUSED_S if isinstance(error, StoreRefused) else _RETRY_S[min(self._failures, 3)]
        self._failures += 1
        self._retry_at = time.monotonic() + waits
        self._see_all_anew()
        self._tell(lambda listener: listener.lost(error))

    def _go(self) -> None:
        """Says goodbye."""
        if self._is_open:
            self._chores.leave()
        with suppress(Exception):
            self._store.close()
        self._is_open = False
        self._see_all_anew()

    def _see_all_anew(self) -> None:
        self._watch.look_soon()
        self._chores.beat_soon()

    def _rest(self) -> None:
        """Waits until there is something to do."""
        if self._jobs or self._leave_by is not None or (self._is_open and self._watch.tail.is_waiting):
            return
        now = time.monotonic()
        due, hint = self._retry_at, None
        if self._is_open:
            look_at, hint = self._watch.until_due(now)
            due = min(look_at, self._write_at, self._chores.prune_at)
        wait_s = min(_WRITE_EVERY_S, due - now)
        if wait_s <= 0:
            return
        woken = self._woken
        own = None if woken is None else woken.fileno()
        ready = readable([each for each in (own, hint) if each is not None], wait_s)
        if woken is not None and own in ready:
            with suppress(BlockingIOError):
                while woken.recv(4096):
                    pass


_AT_WORK: Final[weakref.WeakSet[Clerk]] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """The program ends: engines that nobody closed write what they have, all at the same time."""
    ends = []
    for clerk in tuple(_AT_WORK):
        ended = threading.Event()
        clerk.stop(ended.set)
        ends.append(ended)
    till = time.monotonic() + _LEAVES_WITHIN_S
    for ended in ends:
        ended.wait(max(0.0, till - time.monotonic()))


def _done(job: Job[Any], result: Any, _: Listener) -> None:
    job.done(result)
