"""The engine's side of the store: its life, its journal, and who else is there."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

from engine.bus import Bus, Observation, Observer, Observers, iso
from engine.config.model import Journal
from engine.events import Event, StoreDegraded, StoreRestored
from engine.identity import Identity
from engine.recorded import Recorded
from engine.seen import EngineSeen, StoreState
from engine.shared_bench import WAITS_S, SharedBench, resolve
from engine.sideline import Sideline
from engine.store.base import Changes, Journaled, Presence, Store, StoreError
from engine.store.chores import BEAT_EVERY_S
from engine.store.clerk import Clerk
from engine.store.journal import JournalWriter
from engine.store.listener import Job
from engine.store.tail import decoded

T = TypeVar("T")

_PAGE: Final = 1000
_OPENS_WITHIN_S: Final = 2.0
CLOSES_WITHIN_S: Final = 1.5
"""The longest that closing an engine waits for the store."""
_SILENT_AFTER_S: Final = 3 * BEAT_EVERY_S
_MOST_UNHEARD: Final = 10_000
_FORKED: Final = (
    "this process was forked off a running engine; its bench is local only,"
    " and it should make an engine of its own"
)


class Fleet:
    """The engine's side of the store.

    Args:
        store: The store.
        bus: Where this engine's events come from, and those about the store go.
        sideline: The engine's bench.
        identity: Who the engine is.
        journal: How long events are kept.
        clock: The engine's clock, seconds.
        wall: Seconds since the epoch.
        visible: True to be seen by others, and to prune the journal.

    Attributes:
        bench: The bench that it shares.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        sideline: Sideline,
        *,
        identity: Identity,
        journal: Journal,
        clock: Callable[[], float],
        wall: Callable[[], float] = time.time,
        visible: bool = True,
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._wall = wall
        self._identity = identity
        self._why = ""  # why the store can't be used; empty if it can
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inbox: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._has_begun = False
        self._beginning: list[asyncio.Future[None]] = []
        self._engines: tuple[Sequence[Presence], float, float] = ((), 0.0, 0.0)
        self._journal = JournalWriter(identity, journal.keep, journal.rows, wall)
        self._clerk = Clerk(store, identity, self._journal, self, clock=clock, wall=wall, visible=visible)
        self.bench = SharedBench(sideline, clock, self._send)
        sideline.join(self.bench, self)
        self._recording = bus.observe(self._journal.record)

    # Life

    async def ready(self, within_s: float = WAITS_S) -> None:
        """Starts, if it has not; waits, not long, until the store's benches are known here."""
        if self._is_forked():
            return
        loop = asyncio.get_running_loop()
        self._begin(loop)
        if not self._has_begun:
            begun = loop.create_future()
            self._beginning.append(begun)
            await asyncio.wait((begun,), timeout=within_s)
            self._let_begin()  # nobody waits a second time

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:
            self._loop = loop
            self._collect()
        if self._clerk.start():
            self._has_begun = False

    def _let_begin(self) -> None:
        self._has_begun = True
        beginning, self._beginning = self._beginning, []
        for begun in beginning:
            resolve(begun, None)

    def _is_forked(self) -> bool:
        """True in a process forked off the one that runs the engine: the store's thread is not here."""
        if not self._identity.is_elsewhere:
            return False
        if self._why != _FORKED:
            self._recording.close()
            self._journal.clear()
            self._inbox.clear()
            self._loop = None
            self.lost(StoreError(_FORKED))
        return True

    async def open(self) -> None:
        """As `ready`, with more patience: nobody waits for an answer yet."""
        await self.ready(_OPENS_WITHIN_S)

    async def aclose(self) -> None:
        """Has what waits written, as far as that goes within a moment, and ends. May be called again."""
        self._recording.close()
        self._loop = asyncio.get_running_loop()
        ended = self._loop.create_future()
        self._clerk.stop(lambda: self.post(resolve, ended, None))
        await asyncio.wait((ended,), timeout=CLOSES_WITHIN_S)

    def catch_up(self) -> None:
        """Takes in what the clerk has told, where no loop runs that would do it."""
        if self._inbox and (self._loop is None or not self._loop.is_running()):
            self._collect()

    # What comes from the store

    def opened(self, notices: Sequence[str], changes: Changes, shift_s: float) -> None:
        """The store is there: tells so if it was away, and puts back what it does not know."""
        was_away, self._why = self._why, ""
        self.bench.is_there = True
        notice = "; ".join(notices)
        if notice and not was_away:
            self._tell_degraded(notice)
        is_older = self.bench.match(changes, shift_s)
        if is_older and not notice:
            notice = "it has lost what was changed last: what is known here is put back"
        if was_away or notice:
            self._bus.emit(StoreRestored(store=self._store.name, why=notice or "it is there again"))
        self._let_begin()

    def changed(self, changes: Changes, shift_s: float) -> None:
        """Somebody changed rows."""
        self.bench.changed(changes, shift_s)

    def replaced(self, changes: Changes, shift_s: float) -> None:
        """The store lost what it had: it gets back what this engine knows."""
        self._tell_degraded("it has lost what it had")
        self.bench.match(changes, shift_s)
        self._bus.emit(StoreRestored(store=self._store.name, why="what was known here is put back"))

    def lost(self, error: StoreError) -> None:
        """The store can't be used."""
        first, self._why = not self._why, str(error)
        self.bench.is_there = False
        if first:
            self._tell_degraded(self._why)
        self._let_begin()

    def heard(self, observers: Observers, events: Sequence[Event]) -> None:
        """Events of other engines, for those who listen."""
        for event in events:
            observers.hand(event)

    def present(self, engines: Sequence[Presence], now: float) -> None:
        """Who is there."""
        self._engines = (engines, now, self._clock())

    def _tell_degraded(self, why: str) -> None:
        self._bus.emit(StoreDegraded(store=self._store.name, why=why))

    # The journal, and who is there

    @property
    def state(self) -> StoreState:
        """Whether the store works."""
        self._is_forked()
        return StoreState(self._store.name, shared=True, ok=not self._why, why=self._why)

    @property
    def engines(self) -> list[EngineSeen]:
        """Who uses the store."""
        self._clerk.asked()
        engines, now, got_at = self._engines
        passed = self._clock() - got_at
        return [self._seen(each, now + passed) for each in engines]

    def _seen(self, engine: Presence, now: float) -> EngineSeen:
        own = engine.run == self._identity.run
        ago = 0.0 if own else max(0.0, now - engine.seen)
        return EngineSeen(
            name=engine.name,
            run=engine.run,
            host=engine.host,
            pid=engine.pid,
            started=iso(engine.started),
            seen_s=ago,
            silent=ago > _SILENT_AFTER_S,
            own=own,
        )

    def keep(self, journal: Journal) -> None:
        """From now on the journal is kept that long."""
        self._journal.keep_s, self._journal.rows = journal.keep, journal.rows

    def observe_others(self, callback: Observer, since_s: float) -> Observation:
        """See `Engine.observe_others`."""
        observers = Observers()
        observation = observers.observe(callback)
        self._clerk.follow(observers, since_s)
        with suppress(RuntimeError):  # no loop runs: it begins when the engine is used in one
            self._begin(asyncio.get_running_loop())
        return observation

    async def history(self, since_s: float | None, after: str, limit: int) -> list[Recorded]:
        """See `Engine.history`."""
        found: list[Recorded] = []
        began = self._clock()
        while len(found) < limit:  # in parts, so that steps of the bench come in between
            most = min(_PAGE, limit - len(found))
            back_s = None if since_s is None else since_s + self._clock() - began
            page = await self._ask(partial(_read, after=after, since_s=back_s, limit=most))
            found += decoded(page)  # fewer, if some are damaged: then more are read
            if len(page) < most:
                break
            after = page[-1].place
        return found

    async def flush(self, within_s: float) -> None:
        """See `Engine.flush`."""
        try:
            async with asyncio.timeout(within_s):
                await self.open()
                await self.bench.all_taken()
                await self._ask(self._journal.write_all)
        except TimeoutError:
            raise StoreError(f"{self._store.name} did not answer within {within_s:g}s") from None
        if self.bench.missed:
            raise StoreError(self._why)

    async def _ask(self, run: Callable[[Store], T]) -> T:
        """Has something done with the store, and waits for it."""
        await self.open()
        if self._why:
            raise StoreError(self._why)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def failed(error: Exception) -> None:
            if not answer.done():
                answer.set_exception(error)

        self._send(Job(run, lambda result: resolve(answer, result), failed))
        return await answer

    # Between the threads

    def _send(self, job: Job[Any]) -> None:
        """Has the clerk do something."""
        if self._is_forked():
            job.failed(StoreError(_FORKED))
        else:
            self._clerk.submit(job)

    @property
    def is_listening(self) -> bool:
        """False if the loop was closed, or has not run for so long that what waits for it is too much."""
        loop = self._loop
        return (loop is None or not loop.is_closed()) and len(self._inbox) < _MOST_UNHEARD

    def post(self, what: Callable[..., object], *args: Any) -> None:
        """Has something called in the engine's thread; from the clerk's."""
        self._inbox.append((what, args))
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop is closed; whoever comes next collects it
                loop.call_soon_threadsafe(self._collect)

    def _collect(self) -> None:
        while self._inbox:
            what, args = self._inbox.popleft()
            what(*args)


def _read(store: Store, *, after: str, since_s: float | None, limit: int) -> list[Journaled]:
    return store.read(after, since_s, limit)
