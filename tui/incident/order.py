"""The journal's events in the order of time. Engines write in batches, so the journal has it only nearly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Final, NamedTuple

from engine import Event

_REACHES: Final = timedelta(seconds=60)
"""An engine whose store was away for a moment writes what happened meanwhile so much later."""

_MOST: Final = 20_000


class Timed(NamedTuple):
    """An event and when it happened; they sort by their turn.

    Attributes:
        turn: When it happened, but never before what the same engine told before.
        number: Counts them as they came: those of one moment stay as they are.
        at: When it happened, by the clock of its engine.
        run: Which engine's it is.
        event: What happened.
    """

    turn: datetime
    number: int
    at: datetime
    run: str
    event: Event


class InOrder:
    """Puts events in the order of their times; each engine's own order is kept. Holds a bounded number.

    What comes later than a minute after its time, or than 20,000 others, comes when it comes.
    """

    def __init__(self) -> None:
        self._held: list[Timed] = []
        self._told: dict[str, datetime] = {}  # run → the turn of its last event
        self._newest: datetime | None = None
        self._count = 0

    def put(self, at: datetime, run: str, event: Event) -> Iterator[Timed]:
        """Takes an event in.

        Returns:
            Those whose turn it is.
        """
        turn = self._told[run] = max(at, self._told.get(run, at))
        self._newest = turn if self._newest is None else max(turn, self._newest)
        self._count += 1
        heappush(self._held, Timed(turn, self._count, at, run, event))
        while self._held and (len(self._held) > _MOST or self._newest - self._held[0].turn > _REACHES):
            yield heappop(self._held)

    def rest(self) -> Iterator[Timed]:
        """All that are held, in their order."""
        while self._held:
            yield heappop(self._held)
