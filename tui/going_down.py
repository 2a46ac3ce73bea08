"""Ending when told to: signals, and a terminal that is no longer there."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from tui.exits import SIGNALLED

if sys.platform != "win32":  # there Textual restores the console by other means
    import termios

_SIGNALS: Final = ("SIGTERM", "SIGHUP", "SIGINT")
_LOOK_EVERY_S: Final = 1.0
_PATIENCE_S: Final = 1.5
_HANG_UP: Final = 1  # SIGHUP, also where the platform has no such signal

# Mouse, paste, focus and keyboard reports off, line wrap and cursor on, the main screen back.
_RESTORE: Final = (
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h"
)


class Exitway:
    """Listens for the end from outside, and sees to it that it comes.

    Signals are taken by Python's own handlers, not the event loop's: the loop may stand still in a
    write to a terminal that no longer reads. What has not ended after a second and a half ends the
    hard way.

    Args:
        leave: Called once, in the main thread or in a thread of its own, with the exit code to end
            with; it must only ask for the end, not wait for it.

    Attributes:
        code: The exit code that was asked for, 0 as long as nothing came.
        terminal_gone: Whether there is nobody left to write to.
    """

    def __init__(self, leave: Callable[[int], None]) -> None:
        self.code = 0
        self.terminal_gone = False
        self._leave = leave
        self._settings: list[Any] | None = None
        self._over = threading.Event()
        self._before: dict[int, Callable[[int, FrameType | None], object] | int] = {}

    def open(self) -> None:
        """Begins to listen. Only in the main thread.

        Signals that the process was started to ignore, as under nohup, stay ignored.
        """
        self._settings = _settings()
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is None:
                continue
            before = signal.getsignal(number)
            if before is not None and before != signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._on_signal)
        watch = threading.Thread(target=self._watch_terminal, name="standby-terminal", daemon=True)
        watch.start()

    def close(self) -> None:
        """Listens no more: the end has come, one way or another."""
        self._over.set()
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before = {}

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._go(SIGNALLED + number)

    def _go(self, code: int) -> None:
        if self.code:
            return
        self.code = code
        threading.Thread(target=self._insist, name="standby-insist", daemon=True).start()
        self._leave(code)

    def _insist(self) -> None:
        if self._over.wait(_PATIENCE_S):
            return
        with suppress(OSError):
            os.set_blocking(2, False)
            os.write(2, _RESTORE)
        if sys.platform != "win32" and self._settings is not None:
            with suppress(termios.error):
                termios.tcsetattr(0, termios.TCSANOW, self._settings)
        os._exit(self.code)

    def _watch_terminal(self) -> None:
        """Waits until the terminal hangs up.

        Without this a dropped connection leaves a process that reads an endless end of file at
        full speed (Textual's pull request 6690), if SIGHUP is ignored or goes to somebody else.
        """
        descriptor = _descriptor()
        if descriptor is None:
            return
        while not self._over.is_set():
            if _has_hung_up(descriptor, self._over):
                self.terminal_gone = True
                self._go(SIGNALLED + _HANG_UP)
                return


def abandon_terminal() -> None:
    """Points the standard streams to nowhere, so that what they still hold can't fail at exit."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _settings() -> list[Any] | None:
    if sys.platform == "win32":
        return None
    try:
        return termios.tcgetattr(0)
    except termios.error:
        return None


def _descriptor() -> int | None:
    try:
        descriptor = sys.__stdin__.fileno() if sys.__stdin__ else None
    except (OSError, ValueError):
        return None
    return descriptor if descriptor is not None and os.isatty(descriptor) else None


def _has_hung_up(descriptor: int, over: threading.Event) -> bool:
    """Waits a while for a hang-up; True if there is one."""
    if not hasattr(select, "poll"):
        over.wait(_LOOK_EVERY_S)
        return not os.isatty(descriptor)
    poll = select.poll()
    poll.register(descriptor, 0)  # hang-up and error are reported all the same
    found = poll.poll(_LOOK_EVERY_S * 1000)
    if any(event & select.POLLHUP for _, event in found):
        return True
    if found:  # macOS can't poll every terminal, and says so at once
        over.wait(_LOOK_EVERY_S)
    return not os.isatty(descriptor)
