"""Two sides measured in turn, so that whatever else the machine does touches both alike."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

Ask = Callable[[], Awaitable[Any]]
Block = Callable[[], Awaitable[float]]


class Figures(NamedTuple):
    """What each side needed, one figure a round."""

    bare: tuple[float, ...]
    standby: tuple[float, ...]


async def alternate(bare: Block, standby: Block, rounds: int) -> Figures:
    """Runs a block of each side in every round; who begins changes from round to round.

    Before each block garbage is collected, so that no side pays for the other's; during it the
    collector works as it always does, for what a side leaves behind is part of its price.

    Args:
        bare: One block of the bare minimum; gives its figure.
        standby: One block of standby.
        rounds: How many; one more goes before them, as a warm-up.
    """
    figures: dict[Block, list[float]] = {bare: [], standby: []}
    for number in range(rounds + 1):
        for block in (bare, standby) if number % 2 else (standby, bare):
            gc.collect()
            figure = await block()
            if number:
                figures[block].append(figure)
    return Figures(tuple(figures[bare]), tuple(figures[standby]))


def one_after_another(ask: Ask, times: int) -> Block:
    """A block whose figure is the median of so many calls, seconds."""

    async def block() -> float:
        needed = []
        for _ in range(times):
            began = perf_counter()
            await ask()
            needed.append(perf_counter() - began)
        return median(needed)

    return block


def median_told(ask: Callable[[], Awaitable[float]], times: int) -> Block:
    """A block whose figure is the median of what so many calls tell."""

    async def block() -> float:
        return median([await ask() for _ in range(times)])

    return block


def at_once(ask: Ask, times: int, callers: int) -> Block:
    """A block whose figure is calls a second, so many callers asking again and again."""

    async def block() -> float:
        left = iter(range(times))

        async def caller() -> None:
            for _ in left:
                await ask()

        began = perf_counter()
        await asyncio.gather(*(caller() for _ in range(callers)))
        return times / (perf_counter() - began)

    return block
