"""The engine's side of the store: its life, its journal, and who else is there."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar

from engine.bus import Bus, Observation, Observer, Observers, iso
from engine.config.model import Journal
from engine.events import Event, StoreDegraded, StoreRestored
from engine.recorded import Recorded
from engine.shared_bench import WAITS_S, SharedBench, resolve
from engine.sideline import Sideline
from engine.store.base import Changes, Presence, Store, StoreError
from engine.store.clerk import BEAT_EVERY_S, Clerk, Job
from engine.store.journal import JournalWriter
from engine.store.tail import decoded

T = TypeVar("T")

_OPENS_WITHIN_S: Final = 2.0
_CLOSES_WITHIN_S: Final = 2.0
_SILENT_AFTER_S: Final = 3 * BEAT_EVERY_S


class StoreState(NamedTuple):
    """Where benches live, and whether that works.

    Attributes:
        store: As it is shown to people: `memory`, a path, or a URL without its password.
        shared: True if other processes see them, too.
        ok: False while the store can't be used; this process's own bench holds then.
        why: Why it can't, in words; empty if it can.
    """

    store: str
    shared: bool
    ok: bool
    why: str


class EngineSeen(NamedTuple):
    """An engine that uses the same store.

    Attributes:
        name: What its events call it.
        run: Tells engines of one name apart.
        host: Its machine.
        pid: Its process.
        started: Since when it is there, ISO 8601 in UTC.
        seen_s: Seconds since its last sign of life.
        silent: True if that is longer ago than it should be.
        own: True for the engine that was asked.
    """

    name: str
    run: str
    host: str
    pid: int
    started: str
    seen_s: float
    silent: bool
    own: bool


class Fleet:
    """The engine's side of the store.

    Args:
        store: The store.
        bus: Where this engine's events come from, and those about the store go.
        sideline: The engine's bench.
        name: The engine's name.
        run: Its unique id.
        journal: How long events are kept.
        clock: The engine's clock, seconds.
        wall: Seconds since the epoch.
        visible: True to be seen by others.

    Attributes:
        bench: The bench that it shares.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        sideline: Sideline,
        *,
        name: str,
        run: str,
        journal: Journal,
        clock: Callable[[], float],
        wall: Callable[[], float] = time.time,
        visible: bool = True,
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._wall = wall
        self._run = run
        self._why = ""  # why the store can't be used; empty if it can
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inbox: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._begun = asyncio.Event()
        self._engines: tuple[Sequence[Presence], float, float] = ((), 0.0, 0.0)
        self._others = Observers()
        presence = Presence(run, name, socket.gethostname(), os.getpid())
        self._journal = JournalWriter(presence, journal.keep, journal.rows, wall)
        self._clerk = Clerk(
            store, presence, self._journal, self, self._post, clock=clock, wall=wall, visible=visible
        )
        self.bench = SharedBench(sideline, clock, self._send)
        sideline.join(self.bench, self)
        self._recording = bus.observe(self._journal.record)

    # Life

    async def ready(self, within_s: float = WAITS_S) -> None:
        """Starts, if it has not; waits, not long, until the store's benches are known here."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._clerk.start()
            self._collect()
        if not self._begun.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._begun.wait()
            self._begun.set()  # nobody waits a second time

    async def open(self) -> None:
        """As `ready`, with more patience: nobody waits for an answer yet."""
        await self.ready(_OPENS_WITHIN_S)

    async def aclose(self) -> None:
        """Has what waits written, as far as that is possible within a moment, and ends."""
        self._recording.close()
        ended = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._clerk.stop(lambda: self._post(resolve, ended, None))
        await asyncio.wait((ended,), timeout=_CLOSES_WITHIN_S)

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
        self.bench.match(changes, shift_s)
        if was_away or notice:
            self._bus.emit(StoreRestored(store=self._store.name, why=notice or "it is there again"))
        self._begun.set()

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
        self._begun.set()

    def heard(self, events: Sequence[Event]) -> None:
        """Events of other engines."""
        for event in events:
            self._others.hand(event)

    def present(self, engines: Sequence[Presence], now: float) -> None:
        """Who is there."""
        self._engines = (engines, now, self._clock())

    def _tell_degraded(self, why: str) -> None:
        self._bus.emit(StoreDegraded(store=self._store.name, why=why))

    # The journal, and who is there

    @property
    def state(self) -> StoreState:
        """Whether the store works."""
        return StoreState(self._store.name, shared=True, ok=not self._why, why=self._why)

    @property
    def engines(self) -> list[EngineSeen]:
        """Who uses the store."""
        engines, now, got_at = self._engines
        passed = self._clock() - got_at
        return [self._seen(each, now + passed) for each in engines]

    def _seen(self, engine: Presence, now: float) -> EngineSeen:
        own = engine.run == self._run
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
        self._clerk.follow(since_s)
        return self._others.observe(callback)

    async def history(self, since_s: float | None, after: str, limit: int) -> list[Recorded]:
        """See `Engine.history`."""

        def read(store: Store) -> list[Recorded]:
            since = 0.0 if since_s is None else self._wall() - since_s
            return decoded(store.read(after, since, limit))

        return await self._ask(read)

    async def flush(self, within_s: float) -> None:
        """See `Engine.flush`."""
        try:
            async with asyncio.timeout(within_s):
                await self.open()
                await self.bench.idle.wait()
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
        self._clerk.start()
        self._clerk.submit(job)

    def _post(self, what: Callable[..., object], *args: Any) -> None:
        """Has something called in the engine's thread; from the clerk's."""
        self._inbox.append((what, args))
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed; whoever comes next collects it
                self._loop.call_soon_threadsafe(self._collect)

    def _collect(self) -> None:
        while self._inbox:
            what, args = self._inbox.popleft()
            what(*args)
