"""A program on a terminal of its own, as a shell starts it: in its own session, the terminal its own."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyte

ROOT = Path(__file__).parents[2]
LIMIT_S = 30.0


class Terminal:
    """The program, its terminal, and what it wrote."""

    def __init__(
        self, process: subprocess.Popen[bytes], master: int, slave: int, size: tuple[int, int]
    ) -> None:
        self.process = process
        self.written = b""
        self._master = master
        self._slave = slave
        self._before = self._settings()
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(self._screen.display)

    @property
    def is_sane(self) -> bool:
        """True if the terminal is as the program found it."""
        modes = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l")
        return self._settings() == self._before and all(
            self.written.rfind(mode) > self.written.rfind(mode[:-1] + _OTHER[mode[-1:]]) for mode in modes
        )

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def hang_up(self) -> None:
        """The connection drops."""
        for descriptor in (self._slave, self._master):
            os.close(descriptor)
        self._master = self._slave = -1

    def until(self, holds: Callable[[], object], limit_s: float = LIMIT_S) -> None:
        """Reads what is written until something comes true."""
        end = time.monotonic() + limit_s
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"never came true; the screen:\n{self.text}")
            self._read(0.02)

    def ends(self, limit_s: float) -> int:
        """The exit code; the program must be gone in time."""
        if self._master < 0:
            return self.process.wait(limit_s)
        self.until(lambda: self.process.poll() is not None, limit_s)
        while self._read(0):
            pass
        assert self.process.returncode is not None
        return self.process.returncode

    def close(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        if self._master >= 0:
            self.hang_up()

    def _read(self, wait_s: float) -> bool:
        if not select.select([self._master], [], [], wait_s)[0]:
            return False
        got = os.read(self._master, 1 << 16)
        self.written += got
        self._stream.feed(got)
        return True

    def _settings(self) -> list[Any]:
        return termios.tcgetattr(self._slave)


_OTHER = {b"l": b"h", b"h": b"l"}


@contextmanager
def on_terminal(
    arguments: list[str], home: Path, *, size: tuple[int, int] = (100, 30), ignore: tuple[int, ...] = ()
) -> Iterator[Terminal]:
    """Starts a Python program on a terminal; it is gone when the context is left.

    Args:
        arguments: What the interpreter is given.
        home: Where the user's folders are.
        size: Columns and lines.
        ignore: Signals that the program is started to ignore.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "SOME_API_KEY": "canary-0123456789",
    }

    def own_the_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        for number in ignore:
            signal.signal(number, signal.SIG_IGN)

    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
        preexec_fn=own_the_terminal,  # noqa: PLW1509  (there are no threads here)
    )
    terminal = Terminal(process, master, slave, size)
    try:
        yield terminal
    finally:
        terminal.close()
