"""Listening to an engine from a thread without an event loop."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from engine.bus import Backlog, Observation, Observer
from engine.events import Event
from engine.loop_thread import LoopThread, at_a_stretch


class BlockingObservation:
    """A callback that listens until it is closed; also a context manager."""

    def __init__(self, thread: LoopThread, observation: Observation) -> None:
        self._thread = thread
        self._observation = observation

    @property
    def callback(self) -> Observer:
        """What is called."""
        return self._observation.callback

    def close(self) -> None:
        """Stops listening: once it returns, nothing is called any more. Closing twice does nothing."""
        with suppress(RuntimeError):  # closed or forked: nobody calls it any more
            self._thread.do(self._observation.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class BlockingEvents:
    """A bounded queue of events; whoever reads too slowly loses the oldest and is told how many.

    An iterator that waits for each event. It ends, once it has handed out what waits, with the engine or
    with `close`; when nobody holds it any more, it no longer listens.
    """

    def __init__(self, thread: LoopThread, maxsize: int) -> None:
        self._thread = thread
        self._events = Backlog(maxsize)
        self._ended = False
        self._turn = threading.Condition()

    def listen(self, observe: Callable[[Observer], Observation]) -> None:
        """Begins to listen, in the engine's thread."""
        push = weakref.WeakMethod(self.push)

        def hear(event: Event) -> None:
            alive = push()
            if alive is None or not alive(event):
                observation.close()

        observation = observe(hear)

    def push(self, event: Event) -> bool:
        """Takes one event in; False once it takes no more."""
        with self._turn:
            if self._ended:
                return False
            self._events.push(event)
            self._turn.notify()
            return True

    def close(self) -> None:
        """No more events: the iterator stops when it has handed out what waits."""
        with self._turn:
            self._ended = True
            self._turn.notify_all()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        with self._turn:
            while not self._events:
                if self._ended:
                    raise StopIteration
                self._thread.check()
                self._turn.wait(at_a_stretch())
            return self._events.pop()
