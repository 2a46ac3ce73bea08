"""Every kind of store: for each, an empty storage and as many connections to it as a test asks for."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from engine.store.base import Store
from engine.store.memory import MemoryStore
from engine.store.sqlite import SqliteStore
from tests.store import redis_backend

HOSTILE = (
    "",
    "a b\tc\nd\r\n",
    "nul \0 in the middle",
    "half a pair \ud83d",
    "both halves apart \ud83d\ude00",
    "whole \U0001f600",
    "'; DROP TABLE bench; --",
    "%s {} {0} * ? [a-z] %",
    "\x1b[2J\u202e\u0085\u2028",
    "é",
    "e\u0301",
    "p/m:*",
    "p/m",
    "P/m",
    "x" * 3000,
)
"""Texts that somebody may give as a name."""

MakeStore = Callable[[], Store]
Backend = Callable[[], AbstractContextManager[MakeStore]]


@contextmanager
def memory() -> Iterator[MakeStore]:
    yield MemoryStore().another


@contextmanager
def sqlite() -> Iterator[MakeStore]:
    with tempfile.TemporaryDirectory() as folder:
        yield lambda: SqliteStore(Path(folder, "state", "standby.db"))


@contextmanager
def redis() -> Iterator[MakeStore]:
    with redis_backend.factory() as make:
        yield make


BACKENDS: dict[str, Backend] = {"memory": memory, "sqlite": sqlite, "redis": redis}


@contextmanager
def connections(backend: str) -> Iterator[MakeStore]:
    """Open connections to one new, empty storage; closed at the end."""
    opened: list[Store] = []
    with BACKENDS[backend]() as make:

        def connect() -> Store:
            store = make()
            opened.append(store)
            assert store.open() == []
            return store

        try:
            yield connect
        finally:
            for store in opened:
                store.close()
