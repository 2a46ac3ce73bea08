"""Many small pools instead of a large one: who carries the next request, and when a shard has had its day."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

_IDLE_S: Final = 15.0


class Closable(Protocol):
    """A transport with connections of its own."""

    async def aclose(self) -> None:
        """Closes them."""
        ...


T = TypeVar("T", bound=Closable)


class Shard(Generic[T]):
    """One transport, and the requests it carries.

    Attributes:
        transport: The transport.
        in_flight: How many requests are under way.
        idle_since: Monotonic seconds when the last of them ended.
    """

    __slots__ = ("_owner", "idle_since", "in_flight", "transport")

    def __init__(self, owner: Shards[T], transport: T) -> None:
        self._owner = owner
        self.transport = transport
        self.in_flight = 0
        self.idle_since = 0.0

    def give_back(self) -> None:
        """One of its requests has ended, one way or another."""
        self.in_flight -= 1
        if not self.in_flight:
            self._owner.fell_idle(self)

    def retire(self) -> None:
        """One of its requests was cancelled: it gets no more, and closes after the last it has."""
        self._owner.retire(self)


class Shards(Generic[T]):
    """Transports with a bounded number of requests each, made when they are needed.

    The first with room takes the next request. So few connections do the work of quiet times, and the
    shards that a rush brought fall idle, the last first, and are closed.

    Args:
        make: Makes a transport.
        room: Most requests of one shard; None for a single shard that takes all, and never retires.
        clock: Monotonic seconds.
    """

    def __init__(
        self, make: Callable[[], T], room: int | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self._room = sys.maxsize if room is None else room
        self._retires = room is not None
        self._clock = clock
        self._shards: list[Shard[T]] = []
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """Requests under way, those of retired shards aside."""
        return sum(shard.in_flight for shard in self._shards)

    def take(self) -> Shard[T]:
        """A shard with room, one more request counted; `Shard.give_back` ends the request."""
        if len(self._shards) > 1:
            self._drop_idle()
        for shard in self._shards:
            if shard.in_flight < self._room:
                break
        else:
            shard = Shard(self, self._make())
            self._shards.append(shard)
        shard.in_flight += 1
        return shard

    def fell_idle(self, shard: Shard[T]) -> None:
        """Notes when a shard's last request ended; closes the shard if it was retired."""
        shard.idle_since = self._clock()
        if shard not in self._shards:
            self._close(shard)

    def retire(self, shard: Shard[T]) -> None:
        """Gives a shard no more requests; it closes when it falls idle."""
        if self._retires and shard in self._shards:
            self._shards.remove(shard)

    async def aclose(self) -> None:
        """Closes all; requests under way fail."""
        while self._shards:
            self._close(self._shards.pop())
        while self._closing:
            await asyncio.wait(self._closing)

    def _drop_idle(self) -> None:
        last = self._shards[-1]
        if not last.in_flight and self._clock() - last.idle_since > _IDLE_S:
            self._close(self._shards.pop())

    def _close(self, shard: Shard[T]) -> None:
        # In the background: whoever is here has no part in that shard, and may be cancelled.
        task = asyncio.get_running_loop().create_task(_aclose(shard.transport))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _aclose(transport: Closable) -> None:
    with contextlib.suppress(Exception):  # nobody needs it any more, however it ends
        await transport.aclose()
