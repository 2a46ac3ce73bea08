"""Who carries the next request, and when a shard is closed."""

from __future__ import annotations

import asyncio

from engine.shards import Shards


class Wire:
    """A transport that only knows whether it has been closed."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def aclose(self) -> None:
        self.closed.set()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def made(room: int | None, clock: Clock | None = None) -> tuple[Shards[Wire], list[Wire]]:
    wires: list[Wire] = []

    def make() -> Wire:
        wires.append(Wire())
        return wires[-1]

    return Shards(make, room, clock=clock or Clock()), wires


async def test_the_first_shard_with_room_takes_the_next_request() -> None:
    shards, wires = made(2)
    taken = [shards.take() for _ in range(5)]
    assert [wires.index(shard.transport) for shard in taken] == [0, 0, 1, 1, 2]
    assert shards.in_flight == 5
    taken[1].give_back()
    assert shards.take() is taken[0]
    assert len(wires) == 3


async def test_without_a_bound_one_shard_takes_all() -> None:
    shards, wires = made(None)
    for _ in range(1000):
        shards.take()
    assert len(wires) == 1


async def test_a_retired_shard_finishes_what_it_has_and_closes() -> None:
    shards, wires = made(2)
    first, second = shards.take(), shards.take()
    first.retire()
    first.retire()
    assert shards.take().transport is wires[1]
    first.give_back()
    assert not wires[0].closed.is_set()
    second.give_back()
    await wires[0].closed.wait()
    assert not wires[1].closed.is_set()


async def test_a_single_shard_never_retires() -> None:
    shards, wires = made(None)
    shard = shards.take()
    shard.retire()
    shard.give_back()
    assert shards.take() is shard
    assert len(wires) == 1


async def test_the_last_shard_closes_once_it_has_been_idle_for_a_while() -> None:
    clock = Clock()
    shards, wires = made(1, clock)
    taken = [shards.take() for _ in range(3)]
    for shard in taken:
        shard.give_back()
    clock.now = 14.0
    shards.take().give_back()
    assert not wires[2].closed.is_set()
    clock.now = 16.0
    assert shards.take() is taken[0]
    await wires[2].closed.wait()
    assert not wires[1].closed.is_set()
    shards.take()
    await wires[1].closed.wait()
    assert not wires[0].closed.is_set()


async def test_a_busy_shard_is_not_idle() -> None:
    clock = Clock()
    shards, wires = made(1, clock)
    shards.take()
    shards.take()
    clock.now = 1000.0
    shards.take()
    assert len(wires) == 3
    assert not any(wire.closed.is_set() for wire in wires)


async def test_closing_closes_all_and_waits_for_it() -> None:
    shards, wires = made(1)
    retired, busy = shards.take(), shards.take()
    retired.retire()
    retired.give_back()
    await shards.aclose()
    assert [wire.closed.is_set() for wire in wires] == [True, True]
    assert shards.in_flight == 0
    busy.give_back()
    await shards.aclose()


async def test_a_transport_that_fails_to_close_is_nobodys_trouble() -> None:
    class Broken(Wire):
        async def aclose(self) -> None:
            raise OSError

    shards = Shards(Broken, 1)
    shards.take()
    await shards.aclose()
