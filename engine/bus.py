"""From the engine to whoever listens: callbacks at once, queues bounded, the logger always."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from math import floor
from types import TracebackType
from typing import Any, Final, Self

from engine.events import Event, FeedDropped

log: Final = logging.getLogger("standby")
log.addHandler(logging.NullHandler())

Observer = Callable[[Event], object]


_FIRST_S: Final = -62_135_596_800.0
_LAST_S: Final = 253_402_300_799.0
_HALF_A_MICROSECOND: Final = 0.0005  # in ms: what a float lacks to the whole microsecond that is meant
_THOUSANDTHS: Final = tuple(f".{ms:03d}Z" for ms in range(1000))


def iso(epoch_s: float) -> str:
    """A time as ISO 8601 in UTC with milliseconds; what no calendar holds is its first or last second."""
    if not _FIRST_S <= epoch_s <= _LAST_S:
        epoch_s = _FIRST_S if epoch_s < _FIRST_S else _LAST_S
    second, ms = divmod(floor(epoch_s * 1000 + _HALF_A_MICROSECOND), 1000)
    return _second(second) + _THOUSANDTHS[ms]


@lru_cache(4)
def _second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="seconds").removesuffix("+00:00")


class Observation:
    """A callback that listens until it is closed; also a context manager."""

    def __init__(self, drop: Callable[[Observation], None], callback: Observer) -> None:
        self._drop = drop
        self.callback = callback

    def close(self) -> None:
        """Stops listening. Closing twice does nothing."""
        self._drop(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Observers:
    """Callbacks that hear of events. One that raises is logged and hears no more."""

    def __init__(self) -> None:
        self._all: tuple[Observation, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._all)

    def observe(self, callback: Observer) -> Observation:
        """Calls the callback with every event that is handed on.

        Raises:
            TypeError: The callback is a coroutine function, whose coroutines nobody would await.
        """
        if asyncio.iscoroutinefunction(callback):
            raise TypeError("an observer must be a plain function; `events()` is for coroutines")
        observation = Observation(self._drop, callback)
        self._all = (*self._all, observation)
        return observation

    def hand(self, event: Event) -> None:
        """Hands one event on."""
        for observation in self._all:
            try:
                observation.callback(event)
            except Exception:
                self._drop(observation)
                log.exception("an observer failed and hears no more: %r", observation.callback)

    def _drop(self, observation: Observation) -> None:
        self._all = tuple(each for each in self._all if each is not observation)


class Bus:
    """Stamps events and hands them on.

    Args:
        engine: The engine's name, goes into each event; or what gives it when there is the first one.
        wall: Seconds since the epoch.
    """

    def __init__(self, engine: str | Callable[[], str], wall: Callable[[], float] = time.time) -> None:
        self._name_of: Callable[[], str] = engine if callable(engine) else lambda: engine
        self._engine = ""
        self._wall = wall
        self._seq = 0
        self._observers = Observers()
        self._waiting: deque[Event] = deque()
        self._is_handing_out = False
        self._is_closed = False
        self._queues: weakref.WeakSet[EventQueue] = weakref.WeakSet()

    def wants(self, kind: type[Event]) -> bool:
        """True if an event of this class would reach anybody: ask before building one."""
        return bool(self._observers) or log.isEnabledFor(kind.log_level)

    def observe(self, callback: Observer) -> Observation:
        """Calls the callback with every event, in the engine's own thread, as soon as it happened.

        A callback that raises is logged and hears no more.

        Raises:
            TypeError: The callback is a coroutine function, whose coroutines nobody would await.
        """
        return self._observers.observe(callback)

    def emit(self, event: Event) -> None:
        """Stamps an event and hands it to every observer and to the logger.

        What an observer brings about while it hears of an event is told after that event.
        """
        self._seq += 1
        facts = event.__dict__  # before anybody has seen it
        facts["at"] = iso(self._wall())
        facts["seq"] = self._seq
        facts["engine"] = self._engine or self._settle_name()
        self._waiting.append(event)
        if not self._is_handing_out:
            self._hand_out()

    def _settle_name(self) -> str:
        self._engine = self._name_of()
        return self._engine

    @contextmanager
    def together(self) -> Iterator[None]:
        """Events of one step: all of them are stamped before any observer hears of the first."""
        if self._is_handing_out:
            yield
            return
        self._is_handing_out = True
        try:
            yield
        finally:
            self._is_handing_out = False
            self._hand_out()

    def _hand_out(self) -> None:
        """Hands on the events that wait, and those that come meanwhile."""
        self._is_handing_out = True
        waiting, observers = self._waiting, self._observers
        try:
            while waiting:
                event = waiting.popleft()
                observers.hand(event)
                if log.isEnabledFor(event.log_level) or log.isEnabledFor(event.severity):
                    log.log(event.severity, "%s", as_line(event))
        finally:
            self._is_handing_out = False

    def events(self, maxsize: int = 10_000) -> EventQueue:
        """Every event from now on, as an asynchronous iterator.

        Args:
            maxsize: Events that wait for a slow reader; beyond it the oldest are lost, and a
                `feed.dropped` says how many.

        Returns:
            Once the bus is closed, one that ends at once.
        """
        queue = EventQueue(self, maxsize)
        self._queues.add(queue)
        if self._is_closed:
            queue.end()
        return queue

    def close(self) -> None:
        """Ends every queue once it has been read out. Observers stay until they leave."""
        self._is_closed = True
        for queue in tuple(self._queues):
            queue.end()


class Backlog:
    """Events that wait for a reader; of too many the oldest are lost, and the reader is told how many.

    Args:
        maxsize: Most that wait.
    """

    def __init__(self, maxsize: int) -> None:
        self._events: deque[Event] = deque(maxlen=max(1, maxsize))
        self._lost = 0

    def __bool__(self) -> bool:
        return bool(self._events)

    def push(self, event: Event) -> None:
        """Takes one event in."""
        self._lost += len(self._events) == self._events.maxlen
        self._events.append(event)

    def pop(self) -> Event:
        """The next one, or how many are missing before it. There must be one."""
        if self._lost:
            first, lost, self._lost = self._events[0], self._lost, 0
            return FeedDropped(at=first.at, seq=first.seq, engine=first.engine, count=lost)
        return self._events.popleft()


class EventQueue:
    """A bounded queue of events; whoever reads too slowly loses the oldest and is told how many.

    Listening ends with the engine, with `close`, or when nobody holds the queue any more.
    """

    def __init__(self, bus: Bus, maxsize: int) -> None:
        self._events = Backlog(maxsize)
        self._ended = False
        self._arrived = asyncio.Event()
        # The bus must not keep a queue alive that nobody reads any more.
        push = weakref.WeakMethod(self.push)

        def hear(event: Event) -> None:
            if (alive := push()) is not None:
                alive(event)

        self.close = weakref.finalize(self, bus.observe(hear).close)

    def push(self, event: Event) -> None:
        """Takes one event in."""
        self._events.push(event)
        self._arrived.set()

    def end(self) -> None:
        """No more events: the iterator stops when it has handed out what waits."""
        self.close()
        self._ended = True
        self._arrived.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._ended:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._events.pop()


def as_line(event: Event) -> str:
    """An event as one line of `name=value`, for logs; values from outside can't break the line."""
    flat: dict[str, Any] = event.to_json()
    words = [flat.pop("event")]
    for name, value in flat.items():
        if name not in ("at", "seq", "engine") and value is not None:
            words.append(f"{name}={json.dumps(value)}")
    return " ".join(words)
