"""What the tests of the Redis store share: servers, scripted answers, and a line that can be cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from engine.store.base import Presence, Record, StoreError, Update
from engine.store.redis import RedisStore
from tests.store.patience import PATIENCE_S

WHO: Final = Presence("run-1", "api", "host", 4711)
WHAT: Final = Record(1.0, "api", "run-1", "{}")


def put(store: RedisStore, name: str, text: str) -> Update:
    """Sets a row, whatever was there."""
    return store.update(name, (), lambda _texts, _now: text)


METHODS: Final[dict[str, Callable[[RedisStore], object]]] = {
    "open": RedisStore.open,
    "changed": RedisStore.changed,
    "update": lambda store: put(store, "a/b", "text"),
    "rows": RedisStore.rows,
    "forget": lambda store: store.forget({"a/b": 1}),
    "append": lambda store: store.append([WHAT]),
    "end": RedisStore.end,
    "read": RedisStore.read,
    "prune": lambda store: store.prune(1e9, 1),
    "beat": lambda store: store.beat(WHO),
    "leave": lambda store: store.leave("run-1"),
    "engines": RedisStore.engines,
}
"""Every method that asks the server."""


def patient(url: str) -> RedisStore:
    """A store for which no answer of a busy machine comes too late."""
    return RedisStore(url, answer_within_s=PATIENCE_S)


@contextmanager
def opened(url: str) -> Iterator[RedisStore]:
    """A patient store that is open, and closed at the end."""
    store = patient(url)
    try:
        store.open()
        yield store
    finally:
        store.close()


def trouble(act: Callable[[], object]) -> StoreError:
    """The error that something ends in."""
    try:
        act()
    except StoreError as error:
        return error
    raise AssertionError("no error")


class _Listener:
    """Takes connections, each in a thread of its own."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lines = [self._listener]
        self._shut: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._begin(self._accept)

    def close(self) -> None:
        """Ends everything, also what is being accepted meanwhile: a thread may open lines until it ends."""
        while self._lines or self._threads:
            while self._lines:
                line = self._lines.pop()
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
                self._shut.append(line)
            if self._threads:
                self._threads.pop(0).join(10)
        for line in self._shut:
            line.close()

    def _begin(self, act: Callable[..., None], *lines: socket.socket) -> None:
        self._lines += lines
        thread = threading.Thread(target=act, args=lines, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._begin(self._serve, self._listener.accept()[0])

    def _serve(self, line: socket.socket) -> None:
        raise NotImplementedError


class Impostor(_Listener):
    """Answers every command with the same bytes.

    Args:
        answer: The bytes; none at all means that it never answers.
        hangs_up: Whether it closes the line after its answer.
    """

    def __init__(self, answer: bytes, *, hangs_up: bool) -> None:
        self.heard: list[bytes] = []
        self._answer, self._hangs_up = answer, hangs_up
        super().__init__()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError):
            while said := line.recv(65_536):
                self.heard.append(said)
                line.sendall(self._answer)
                if self._hangs_up:
                    line.shutdown(socket.SHUT_RDWR)


class Line(_Listener):
    """A line to a server, that can be cut.

    Args:
        port: The server's.

    Attributes:
        left: How many bytes of the next answer get through before it is cut; None for all.
        taken: How many connections were made to it.
    """

    def __init__(self, port: int) -> None:
        self.left: int | None = None
        self.taken = 0
        self._target = port
        super().__init__()

    def has_taken(self, number: int) -> bool:
        """Whether so many connections were made to it, or more."""
        return self.taken >= number

    def _serve(self, line: socket.socket) -> None:
        self.taken += 1
        server = socket.create_connection(("127.0.0.1", self._target))
        self._begin(self._answer, line, server)
        with suppress(OSError):
            while said := line.recv(65_536):
                server.sendall(said)
            server.shutdown(socket.SHUT_RDWR)

    def _answer(self, line: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while (said := server.recv(65_536)) and self.left is None:
                line.sendall(said)
            line.sendall(said[: self.left])
            line.shutdown(socket.SHUT_RDWR)


L = TypeVar("L", bound=_Listener)


@contextmanager
def listening(listener: L) -> Iterator[L]:
    """Ends it in the end."""
    try:
        yield listener
    finally:
        listener.close()
