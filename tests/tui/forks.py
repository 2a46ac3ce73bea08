"""A program that has loaded the command already, and forks a process for each call of it.

Such a process lacks nothing but the time that its imports would take: its arguments, environment, folder,
standard streams, signals and exit code are its own.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any

import engine
from tui.cli.parser import COMMANDS

_MOST_AT_ONCE = 1 << 16
_LATER = ("tui.cli.entry", "platformdirs", "httpx_aiohttp")
"""What the command loads when it needs it, apart from its own modules."""
STATUS_BYTES = 4


def serve(descriptor: int) -> bool:
    """Serves whoever has the other end of a socket.

    Args:
        descriptor: The socket. Each call comes as a line of JSON with four descriptors: standard input,
            output and error, and where the exit code goes. The process id is the answer.

    Returns:
        True in a process that was forked for a call, False when there are no more calls.
    """
    _load()
    running: dict[int, int] = {}

    def reap(_number: int, _frame: FrameType | None) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                code = os.waitstatus_to_exitcode(ended[1])
                tells = running.pop(ended[0])
                with suppress(BrokenPipeError):  # nobody waits for it any more
                    os.write(tells, code.to_bytes(STATUS_BYTES, "big", signed=True))
                os.close(tells)

    signal.signal(signal.SIGCHLD, reap)
    with socket.socket(fileno=descriptor) as asks:
        while call := _next(asks):
            request, (*streams, tells) = call
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
            child = os.fork()
            if not child:
                asks.close()
                for inherited in (tells, *running.values()):
                    os.close(inherited)
                _become(request, streams)
                return True
            running[child] = tells
            for given in streams:
                os.close(given)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            asks.sendall(b"%d\n" % child)
    return False


def _load() -> None:
    commands = (module for module, _ in COMMANDS.values())
    inside = (each.name for each in pkgutil.walk_packages(engine.__path__, "engine."))
    for name in (*commands, *inside, *_LATER):
        with suppress(ImportError):  # what an extra brings may not be there
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _next(asks: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    said, descriptors, _, _ = socket.recv_fds(asks, _MOST_AT_ONCE, 4)
    while said and not said.endswith(b"\n"):
        said += asks.recv(_MOST_AT_ONCE)
    return (json.loads(said), descriptors) if said else None


def _become(request: dict[str, Any], streams: list[int]) -> None:
    """Makes a forked process what a shell would have started."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    for place, given in enumerate(streams):
        os.dup2(given, place)
        os.close(given)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.argv[1:] = request["arguments"]


if __name__ == "__main__" and serve(int(sys.argv[1])):
    runpy.run_module("tui", run_name="__main__", alter_sys=True)
