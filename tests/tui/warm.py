"""Runs the command in a process of its own that has not to load it first: the other side of `forks`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

ROOT = Path(__file__).parents[2]
LIMIT_S = 30.0
INTERPRETER = {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
"""What Python reads of its environment when it starts, and no call may have otherwise."""


class _Call(NamedTuple):
    """A command under way: its process, and our ends of its pipes."""

    pid: int
    typed: BinaryIO | None
    out: BinaryIO
    err: BinaryIO
    status: BinaryIO


class Warm:
    """The program with the command loaded. It is started for the first call."""

    def __init__(self) -> None:
        self._asks: socket.socket | None = None
        self._program: subprocess.Popen[bytes] | None = None

    async def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, typed: bytes | None
    ) -> tuple[int, bytes, bytes]:
        """Runs the command to its end.

        Returns:
            Its exit code, and what it wrote to standard output and standard error.
        """
        call = self._call(arguments, environment, folder, with_input=typed is not None)
        try:
            out, err, status, _ = await asyncio.gather(
                _read(call.out),
                _read(call.err),
                _read(call.status),
                asyncio.to_thread(_write, call.typed, typed),
            )
        except BaseException:
            with suppress(ProcessLookupError):
                os.kill(call.pid, signal.SIGKILL)
            raise
        return int.from_bytes(status, "big", signed=True), out, err

    def end(self) -> None:
        """Ends the program."""
        if self._asks is not None:
            self._asks.close()
        if self._program is not None:
            self._program.wait(LIMIT_S)

    def _call(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, *, with_input: bool
    ) -> _Call:
        if self._asks is None:
            self._asks = self._start()
        request = {
            "arguments": [os.fsdecode(os.fsencode(each)) for each in arguments],
            "environment": dict(environment),
            "folder": str(folder),
        }
        line = json.dumps(request).encode() + b"\n"
        stdin, types = os.pipe() if with_input else (os.open(os.devnull, os.O_RDONLY), None)
        pipes = [os.pipe() for _ in range(3)]
        theirs = [stdin, *(writes for _, writes in pipes)]
        typed = None if types is None else os.fdopen(types, "wb", 0)
        out, err, status = (os.fdopen(reads, "rb", 0) for reads, _ in pipes)
        sent = socket.send_fds(self._asks, [line], theirs)
        self._asks.sendall(line[sent:])
        for descriptor in theirs:
            os.close(descriptor)
        # The time of a fork, which nobody else has to do anything in.
        answer = self._asks.recv(32)
        assert answer, "it could not load the command"
        return _Call(int(answer), typed, out, err, status)

    def _start(self) -> socket.socket:
        here, there = socket.socketpair()
        here.settimeout(LIMIT_S)
        with there:
            self._program = subprocess.Popen(
                [sys.executable, "-m", "tests.tui.forks", str(there.fileno())],
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
                env=plain_environment(),
                pass_fds=[there.fileno()],
                start_new_session=True,  # Ctrl+C is for pytest
            )
        return here


def plain_environment() -> dict[str, str]:
    """What any program needs of the environment of the tests, and what the interpreter is to have."""
    names = ("PATH", "LANG", "SYSTEMROOT")
    return {name: os.environ[name] for name in names if name in os.environ} | INTERPRETER


def _write(file: BinaryIO | None, data: bytes | None) -> None:
    if file is None or data is None:
        return
    with suppress(BrokenPipeError), file:
        while data:
            data = data[file.write(data) :]


async def _read(file: BinaryIO) -> bytes:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    try:
        return await reader.read()
    finally:
        transport.close()
