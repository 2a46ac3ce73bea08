"""Signals that end a command: what is under way is cancelled, so that connections are closed."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP")
_AGAIN_S: Final = 0.5

_Handler = signal.Handlers | int | Callable[[int, FrameType | None], Any] | None


@dataclass(slots=True)
class Interrupted:
    """Which signal came, if one did.

    Attributes:
        task: What a signal cancels.
        number: The signal, 0 while none came.
    """

    task: asyncio.Task[Any]
    number: int = 0
    _at: float = 0.0
    _before: dict[int, _Handler] = field(default_factory=dict)

    def stop(self) -> None:
        """Cancels the task as a signal does."""
        self.task.cancel()

    def catch(self) -> None:
        """From now on signals come here."""
        for name in _NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._before[number] = signal.signal(number, self._on_signal)

    def let_go(self) -> None:
        """They go where they went before, if none came; else the same one again must not disturb the end."""
        if not self.number:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self.number:
            if time.monotonic() - self._at > _AGAIN_S:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            return
        self.number, self._at = number, time.monotonic()
        for caught in self._before:
            if caught != number:
                signal.signal(caught, signal.SIG_DFL)
        # Not add_signal_handler: it would wait for the loop, which may stand still in a blocked write.
        self.task.get_loop().call_soon_threadsafe(self.task.cancel)


@contextmanager
def interrupts() -> Iterator[Interrupted]:
    """Lets the first signal cancel the task that enters this; a later one ends the process the hard way.

    One that comes at nearly the same time is the first one again: `timeout`, for one, signals a process and
    then the group that it is in. Signals that the process was started to ignore, as under nohup, stay
    ignored. Only in the main thread.

    Raises:
        RuntimeError: This is entered outside of a task.
    """
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("only a task can be interrupted")
    came = Interrupted(task)
    came.catch()
    try:
        yield came
    finally:
        came.let_go()
