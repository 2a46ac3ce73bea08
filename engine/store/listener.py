"""What the clerk is given to do, and whom it tells of what it sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from engine.bus import Observers
from engine.events import Event
from engine.store.base import Changes, Presence, Store, StoreError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """Something to do with the store once.

    Attributes:
        run: Does it, in the clerk's thread.
        done: Gets what came of it, in the engine's thread.
        failed: Gets the error instead; one that is no `StoreError` is the fault of what was to be done.
    """

    run: Callable[[Store], T]
    done: Callable[[T], object]
    failed: Callable[[Exception], object]


class Listener(Protocol):
    """Who hears of what the clerk sees. The clerk keeps it alive no longer than others do."""

    @property
    def is_listening(self) -> bool:
        """False once nobody takes in what is posted. Asked in the clerk's thread."""

    def post(self, what: Callable[..., object], *args: Any) -> None:
        """Has something called soon in the engine's thread. Called in the clerk's."""

    # All of these are called in the engine's thread.

    def opened(self, notices: Sequence[str], changes: Changes, shift_s: float) -> None:
        """The store is there, for the first time or again; all of its rows.

        Args:
            notices: What somebody should be told.
            changes: Every row.
            shift_s: Seconds to add to the store's time for the engine's.
        """

    def changed(self, changes: Changes, shift_s: float) -> None:
        """Somebody changed rows."""

    def replaced(self, changes: Changes, shift_s: float) -> None:
        """The store lost what it had; all of the rows it has now."""

    def lost(self, error: StoreError) -> None:
        """The store can't be used. Told at each try that fails."""

    def heard(self, observers: Observers, events: Sequence[Event]) -> None:
        """Events of other engines, for those who listen."""

    def present(self, engines: Sequence[Presence], now: float) -> None:
        """Who is there, by the store's time."""


Tell = Callable[[Callable[[Listener], object]], None]
"""Has something said to the listener, in the engine's thread."""
