"""What an engine's store is asked for: its state, its journal, and who else is there."""

from __future__ import annotations

from engine.bus import Observation, Observer, Observers
from engine.fleet import Fleet
from engine.recorded import Recorded
from engine.seen import EngineSeen, StoreState
from engine.store.base import StoreError


class AtStore:
    """The part of an engine that is about its store."""

    _fleet: Fleet | None

    @property
    def store(self) -> StoreState:
        """Where benches live, and whether that works."""
        if self._fleet is None:
            return StoreState("memory", shared=False, ok=True, why="")
        return self._fleet.state

    async def flush(self, within_s: float = 5.0) -> None:
        """Waits until every change and every event so far is in the store.

        Args:
            within_s: Seconds.

        Raises:
            StoreError: The store can't be used, or takes longer.
        """
        if self._fleet is not None:
            await self._fleet.flush(within_s)

    async def history(
        self, since_s: float | None = None, *, after: str = "", limit: int = 1000
    ) -> list[Recorded]:
        """A page of the journal: events of all engines at this store, the oldest first.

        Fewer than the limit mean that this is all there is so far.

        Args:
            since_s: Seconds back from now; None for as far as the journal goes.
            after: The place of an event: the page begins behind it.
            limit: Most events.

        Raises:
            StoreError: The store can't be used, or is this process's memory, which keeps no journal.
        """
        if self._fleet is None:
            raise StoreError("there is no journal: `store: memory` keeps nothing of what happens")
        return await self._fleet.history(since_s, after, limit)

    def observe_others(self, callback: Observer, *, since_s: float = 0.0) -> Observation:
        """Calls a function with every event that other engines at the same store tell of.

        Args:
            callback: As for `observe`; nobody else's events come in a memory store.
            since_s: Seconds back from now: what happened since then comes first.

        Returns:
            A context manager; `close` ends it, too.
        """
        return (
            Observers().observe(callback)
            if self._fleet is None
            else (self._fleet.observe_others(callback, since_s))
        )

    def engines(self) -> list[EngineSeen]:
        """The engines at this store that gave a sign of life within a day; none in a memory store."""
        return [] if self._fleet is None else self._fleet.engines
