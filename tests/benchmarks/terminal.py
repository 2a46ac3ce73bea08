"""Runs a full-screen program on a terminal of its own, and remembers when it painted what."""

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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import NamedTuple

import pyte

from tests.benchmarks.machine import ROOT, Cores, spawned_on

COLUMNS, LINES = 120, 40
_ENVIRONMENT = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
_GONE_WITHIN_S = 5.0


class Painted(NamedTuple):
    """Bytes that reached the terminal.

    Attributes:
        after_s: Seconds since the program was started.
        what: The bytes.
    """

    after_s: float
    what: bytes


class Terminal:
    """A program on a terminal of 120 columns and 40 lines.

    Args:
        process: The program.
        master: The terminal's other end.
        began: When the program was started, as `perf_counter` counts.
    """

    def __init__(self, process: subprocess.Popen[bytes], master: int, began: float) -> None:
        self.pid = process.pid
        self._process = process
        self._master = master
        self._began = began

    def watch(self, seconds: float) -> list[Painted]:
        """Reads what the program paints until so long after its start."""
        painted = []
        end = self._began + seconds
        while (left := end - perf_counter()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                break
            try:
                what = os.read(self._master, 1 << 16)
            except OSError:  # how Linux says that nobody holds the other end any more
                break
            painted.append(Painted(perf_counter() - self._began, what))
        if self._process.poll() is not None:
            raise RuntimeError(f"the program ended with {self._process.returncode}: {painted[-1:]}")
        return painted


@contextmanager
def on_terminal(cores: Cores, arguments: list[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Starts a Python program on a terminal, on the client's core; ends it when the context is left.

    Args:
        cores: Where it runs.
        arguments: What the interpreter is given.
        environment: Variables that it gets besides those of this process.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    with spawned_on(cores.client):
        began = perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, **_ENVIRONMENT, **environment},
            start_new_session=True,
        )
    os.close(slave)
    terminal = Terminal(process, master, began)
    try:
        yield terminal
    finally:
        process.send_signal(signal.SIGTERM)
        _read_out(master, process)
        os.close(master)


def _read_out(master: int, process: subprocess.Popen[bytes]) -> None:
    """Takes what a program still writes while it ends: a full terminal would hold it up."""
    end = perf_counter() + _GONE_WITHIN_S
    while process.poll() is None and perf_counter() < end:
        try:
            if select.select([master], [], [], 0.05)[0]:
                os.read(master, 1 << 16)
        except OSError:
            break
    if process.poll() is None:
        process.kill()
    process.wait()


def shown_at(painted: list[Painted], is_whole: Callable[[list[str]], bool]) -> float:
    """Seconds from start to the first moment at which the screen was whole.

    Args:
        painted: What the program painted.
        is_whole: Tells of the screen's lines whether everything is there.

    Raises:
        RuntimeError: It never was.
    """
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    for after_s, what in painted:
        stream.feed(what)
        if is_whole(screen.display):
            return after_s
    shown = "\n".join(line.rstrip() for line in screen.display)
    raise RuntimeError(f"the screen never was whole:\n{shown}")
