"""The cases that ask an upstream, both sides in one process and one event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.benchmarks.alternating import Ask, Figures, Measure, alternate, at_once, seconds
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
    rounds: int = 20
    unit: Unit = "s"
    quick_rounds: int = field(default=5)


async def _one_after_another(bare: Bare, ours: Ours, rounds: int) -> Figures:
    return await alternate(seconds(bare.ask), seconds(ours.ask), times=100, rounds=rounds)


async def _at_once(bare: Bare, ours: Ours, rounds: int) -> Figures:
    sides = [at_once(ask, callers=_CALLERS, calls=5 * _CALLERS) for ask in (bare.ask, ours.ask)]
    return await alternate(*sides, times=1, rounds=rounds)


async def _two(bare: Bare, ours: Ours, rounds: int) -> Figures:
    return await alternate(seconds(bare.ask_two), seconds(ours.ask_two), times=60, rounds=rounds)


async def _past_bench(_: Bare, ours: Ours, rounds: int) -> Figures:
    sides = seconds(ours.ask_without_it), seconds(ours.ask_past_bench)
    return await alternate(*sides, times=200, rounds=rounds)


async def _stream(bare: Bare, ours: Ours, rounds: int, *, chain: str, model: str) -> Figures:
    sides: tuple[Ask, Ask] = (partial(bare.read_stream, model), partial(ours.read_stream, chain))
    for side in sides:
        if (pieces := await side()) != CHUNKS:
            raise RuntimeError(f"{pieces} pieces of text instead of {CHUNKS}")
    return await alternate(_per_chunk(sides[0]), _per_chunk(sides[1]), times=60, rounds=rounds)


def _per_chunk(ask: Ask) -> Measure:
    whole = seconds(ask)

    async def measure() -> float:
        return await whole() / CHUNKS

    return measure


async def _first_token(bare: Bare, ours: Ours, rounds: int) -> Figures:
    sides = bare.first_token_of_two, ours.first_token_of_two
    return await alternate(*sides, times=60, rounds=rounds)


async def _observed(_: Bare, ours: Ours, rounds: int) -> Figures:
    heard: list[Any] = []
    unseen = seconds(ours.ask)

    async def seen() -> float:
        heard.clear()
        with ours.engine.observe(heard.append):
            needed = await unseen()
        if not heard:
            raise RuntimeError("the observer heard nothing")
        return needed

    return await alternate(unseen, seen, times=100, rounds=rounds)


CASES = {
    "sequential": Case("one after another", Limit(at_most=1.15), _one_after_another),
    "at-once": Case(
        f"{_CALLERS} at once", Limit(at_least=0.8), _at_once, rounds=10, unit="requests/s", quick_rounds=3
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
