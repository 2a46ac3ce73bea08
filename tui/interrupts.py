"""Signals that end a command: what is under way is cancelled, so that connections are closed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@dataclass(slots=True)
class Interrupted:
    """Which signal came, if one did.

    Attributes:
        number: The signal, 0 while none came.
    """

    number: int = 0


@contextmanager
def interrupts(task: asyncio.Task[object]) -> Iterator[Interrupted]:
    """Lets the first signal cancel a task; a second one ends the process the hard way.

    Signals that the process was started to ignore, as under nohup, stay ignored. Only in the main thread.

    Args:
        task: What to cancel.
    """
    loop = asyncio.get_running_loop()
    came = Interrupted()
    before: dict[int, signal.Handlers | int | Callable[[int, FrameType | None], Any] | None] = {}

    def on_signal(number: int, _: FrameType | None) -> None:
        came.number = number
        for caught in before:
            signal.signal(caught, signal.default_int_handler if caught == signal.SIGINT else signal.SIG_DFL)
        # Not add_signal_handler: it would wait for the loop, which may stand still in a blocked write.
        loop.call_soon_threadsafe(task.cancel)

    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
            before[number] = signal.signal(number, on_signal)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
