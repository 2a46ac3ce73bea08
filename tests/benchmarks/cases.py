"""The cases that ask an upstream, both sides in one process and one event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.benchmarks.alternating import (
    Ask,
    Block,
    Figures,
    alternate,
    at_once,
    median_told,
    one_after_another,
)
from tests.benchmarks.bare import Bare
from tests.benchmarks.ours import ANSWERS, PIECES, Ours
from tests.benchmarks.rows import Limit, Unit
from tests.benchmarks.upstream import CHUNKS

_CALLERS = 100

Run = Callable[[Bare, Ours, int], Awaitable[Figures]]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure.

    Attributes:
        what: What is done, as the table calls it.
        limit: What the ratio is held to.
        run: Measures so many rounds.
        rounds: How many make a calm median.
        unit: Of the figures.
    """

    what: str
    limit: Limit
    run: Run
    rounds: int = 30
    unit: Unit = "s"
    quick_rounds: int = field(default=5)


async def _one_after_another(bare: Bare, ours: Ours, rounds: int) -> Figures:
    return await alternate(one_after_another(bare.ask, 100), one_after_another(ours.ask, 100), rounds)


async def _at_once(bare: Bare, ours: Ours, rounds: int) -> Figures:
    sides = [at_once(ask, 1000, _CALLERS) for ask in (bare.ask, ours.ask)]
    return await alternate(sides[0], sides[1], rounds)


async def _two(bare: Bare, ours: Ours, rounds: int) -> Figures:
    return await alternate(one_after_another(bare.ask_two, 60), one_after_another(ours.ask_two, 60), rounds)


async def _past_bench(_: Bare, ours: Ours, rounds: int) -> Figures:
    return await alternate(
        one_after_another(ours.ask_without_it, 100), one_after_another(ours.ask_past_bench, 100), rounds
    )


async def _stream(bare: Bare, ours: Ours, rounds: int, *, chain: str, model: str) -> Figures:
    sides: tuple[Ask, Ask] = (partial(bare.read_stream, model), partial(ours.read_stream, chain))
    for side in sides:
        if (pieces := await side()) != CHUNKS:
            raise RuntimeError(f"{pieces} pieces of text instead of {CHUNKS}")
    return await alternate(_per_chunk(sides[0]), _per_chunk(sides[1]), rounds)


def _per_chunk(ask: Ask) -> Block:
    whole = one_after_another(ask, 40)

    async def block() -> float:
        return await whole() / CHUNKS

    return block


async def _first_token(bare: Bare, ours: Ours, rounds: int) -> Figures:
    return await alternate(
        median_told(bare.first_token_of_two, 40), median_told(ours.first_token_of_two, 40), rounds
    )


async def _observed(_: Bare, ours: Ours, rounds: int) -> Figures:
    heard: list[Any] = []
    unseen = one_after_another(ours.ask, 100)

    async def seen() -> float:
        with ours.engine.observe(heard.append):
            figure = await unseen()
        if not heard:
            raise RuntimeError("the observer heard nothing")
        heard.clear()
        return figure

    return await alternate(unseen, seen, rounds)


CASES = {
    "sequential": Case("one after another, median", Limit(at_most=1.15), _one_after_another),
    "at-once": Case(
        f"{_CALLERS} at once", Limit(at_least=0.8), _at_once, rounds=7, unit="requests/s", quick_rounds=2
    ),
    "failover": Case("first answers 500, second answers", Limit(at_most=1.15), _two),
    "benched": Case(
        "first on the bench / same chain without it", Limit(at_most=1.02), _past_bench, rounds=60
    ),
    "stream": Case(
        "stream, a chunk, whole body at once",
        Limit(at_most=1.5),
        partial(_stream, chain=ANSWERS, model="good"),
    ),
    "stream-pieces": Case(
        "stream, a chunk, one write of many pieces",
        Limit(at_most=1.5),
        partial(_stream, chain=PIECES, model="pieces"),
    ),
    "first-token": Case("first token, first model fails", Limit(at_most=1.15), _first_token),
    "observed": Case("an observer attached / none", Limit(), _observed),
}
