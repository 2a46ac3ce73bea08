"""What an engine says of its store, and of the others there."""

from __future__ import annotations

from typing import NamedTuple


class StoreState(NamedTuple):
    """Where benches live, and whether that works.

    Attributes:
        store: As it is shown to people: `memory`, a path, or a URL without its password.
        shared: True if other processes see them, too.
        ok: False while the store can't be used; this process's own bench holds then.
        why: Why it can't, in words; empty if it can.
    """

    store: str
    shared: bool
    ok: bool
    why: str


class EngineSeen(NamedTuple):
    """An engine that uses the same store.

    Attributes:
        name: What its events call it.
        run: Tells engines of one name apart.
        host: Its machine.
        pid: Its process.
        started: Since when it is there, ISO 8601 in UTC.
        seen_s: Seconds since its last sign of life.
        silent: True if that is longer ago than it should be.
        own: True for the engine that was asked.
    """

    name: str
    run: str
    host: str
    pid: int
    started: str
    seen_s: float
    silent: bool
    own: bool
