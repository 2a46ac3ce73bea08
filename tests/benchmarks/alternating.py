"""Two sides measured in turn, so that whatever else the machine does touches both alike."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

Ask = Callable[[], Awaitable[Any]]
Measure = Callable[[], Awaitable[float]]


class Figures(NamedTuple):
    """What each side needed, one figure a round."""

    bare: tuple[float, ...]
    standby: tuple[float, ...]


async def alternate(bare: Measure, standby: Measure, *, times: int, rounds: int) -> Figures:
    """Measures the sides one after the other, again and again; a round's figures are the medians.

    Who begins changes every time. Before each round garbage is collected; during it the collector works
    as it always does, for what a side leaves behind is part of its price.

    Args:
        bare: Measures the bare minimum once.
        standby: Measures standby once.
        times: How often each is measured in a round.
        rounds: How many; one more goes before them, as a warm-up.
    """
    figures: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        gc.collect()
        needed: tuple[list[float], list[float]] = ([], [])
        for turn in range(times):
            for side in (0, 1) if turn % 2 else (1, 0):
                needed[side].append(await (bare, standby)[side]())
        if number:
            for side in (0, 1):
                figures[side].append(median(needed[side]))
    return Figures(tuple(figures[0]), tuple(figures[1]))


def seconds(ask: Ask) -> Measure:
    """Measures how long one call takes."""

    async def measure() -> float:
        began = perf_counter()
        await ask()
        return perf_counter() - began

    return measure


def at_once(ask: Ask, *, callers: int, calls: int) -> Measure:
    """Measures calls a second, with so many callers asking again and again."""

    async def measure() -> float:
        left = iter(range(calls))

        async def caller() -> None:
            for _ in left:
                await ask()

        began = perf_counter()
        await asyncio.gather(*(caller() for _ in range(callers)))
        return calls / (perf_counter() - began)

    return measure
