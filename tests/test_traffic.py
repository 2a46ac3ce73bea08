"""Traffic in the background, against an engine that only takes notes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from itertools import pairwise

import pytest

from engine.config import model as config
from engine.errors import ChainExhausted
from engine.traffic import MOST_AT_ONCE, BackgroundTraffic
from tests.virtual_time import VirtualLoop, pass_time, virtual


class NotingEngine:
    """Answers after a while; notes who asked what, when, and how it ended."""

    def __init__(self, takes_s: float = 0.5, fails: Callable[[], BaseException] | None = None) -> None:
        self.takes_s = takes_s
        self.fails = fails
        self.asked: list[tuple[str, str, float]] = []
        self.under_way = 0
        self.most_under_way = 0
        self.pieces = 0
        self.cancelled = 0

    async def complete(self, target: str, _prompt: str, /) -> str:
        async with self._noted("complete", target):
            await self._work()
        return "an answer"

    def stream(self, target: str, _prompt: str, /) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        return self._streamed(target)

    @asynccontextmanager
    async def _streamed(self, target: str) -> AsyncIterator[AsyncIterator[str]]:
        async with self._noted("stream", target), aclosing(self._pieces()) as pieces:
            yield pieces

    async def _pieces(self) -> AsyncGenerator[str, None]:
        await self._work()
        for piece in ("an ", "answer"):
            self.pieces += 1
            yield piece

    async def _work(self) -> None:
        await pass_time(self.takes_s)
        if self.fails is not None:
            raise self.fails()

    @asynccontextmanager
    async def _noted(self, mode: str, target: str) -> AsyncIterator[None]:
        self.asked.append((mode, target, asyncio.get_running_loop().time()))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            yield
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1


async def run_for(engine: NotingEngine, seconds: float, traffic: config.Traffic, seed: int = 1) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await BackgroundTraffic(engine, traffic, rng=random.Random(seed)).run()


@virtual
async def test_as_many_prompts_go_out_as_the_rate_says() -> None:
    engine = NotingEngine()
    await run_for(engine, 3600, config.Traffic(2.0, ("support",)))
    assert len(engine.asked) == pytest.approx(7200, rel=0.05)


@virtual
async def test_the_moments_are_irregular() -> None:
    engine = NotingEngine()
    await run_for(engine, 600, config.Traffic(2.0, ("support",)))
    moments = [at for _, _, at in engine.asked]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert min(gaps) < 0.1
    assert max(gaps) > 1.0


@virtual
async def test_every_chain_gets_plain_and_streamed_prompts_in_equal_parts() -> None:
    engine = NotingEngine()
    await run_for(engine, 600, config.Traffic(2.0, ("support", "drafts")))
    counts = Counter((mode, target) for mode, target, _ in engine.asked)
    assert len(counts) == 4
    assert max(counts.values()) - min(counts.values()) <= 1


@virtual
async def test_streams_are_read_to_their_end() -> None:
    engine = NotingEngine()
    await run_for(engine, 60, config.Traffic(1.0, ("support",)))
    streams = sum(mode == "stream" for mode, _, _ in engine.asked)
    assert streams > 10
    assert engine.pieces >= 2 * (streams - 2)


@virtual
async def test_prompts_do_not_wait_for_each_other() -> None:
    engine = NotingEngine(takes_s=5.0)
    await run_for(engine, 60, config.Traffic(2.0, ("support",)))
    assert len(engine.asked) > 90
    assert engine.most_under_way > 5


@virtual
async def test_no_more_than_fifty_are_under_way() -> None:
    engine = NotingEngine(takes_s=1e6)
    await run_for(engine, 600, config.Traffic(10.0, ("support",)))
    assert engine.most_under_way == len(engine.asked) == MOST_AT_ONCE == 50


@virtual
async def test_traffic_goes_on_once_the_fifty_are_done() -> None:
    engine = NotingEngine(takes_s=60.0)
    await run_for(engine, 130, config.Traffic(10.0, ("support",)))
    assert 100 < len(engine.asked) <= 150


@virtual
async def test_errors_of_the_engine_stop_nothing() -> None:
    engine = NotingEngine(fails=lambda: ChainExhausted("all gone"))
    await run_for(engine, 60, config.Traffic(2.0, ("support", "drafts")))
    assert len(engine.asked) > 90
    assert engine.under_way <= 3


def test_other_errors_are_not_hidden() -> None:
    @virtual
    async def main() -> None:
        engine = NotingEngine(fails=lambda: ZeroDivisionError("a bug"))
        await BackgroundTraffic(engine, config.Traffic(2.0, ("support",)), rng=random.Random(1)).run()

    with pytest.raises(ExceptionGroup) as caught:
        main()
    assert caught.group_contains(ZeroDivisionError)


@virtual
async def test_cancelling_takes_every_prompt_along() -> None:
    engine = NotingEngine(takes_s=1e6)
    run = asyncio.create_task(BackgroundTraffic(engine, config.Traffic(5.0, ("support",))).run())
    await pass_time(4)
    under_way = engine.under_way
    assert under_way > 5
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert engine.under_way == 0
    assert engine.cancelled == under_way
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual
async def test_the_same_seed_sends_the_same_traffic() -> None:
    asked = []
    for seed in (5, 5, 6):
        began, engine = asyncio.get_running_loop().time(), NotingEngine()
        await run_for(engine, 60, config.Traffic(2.0, ("support", "drafts")), seed)
        asked.append([(mode, target, round(at - began, 6)) for mode, target, at in engine.asked])
    assert asked[0] == asked[1] != asked[2]


@virtual
async def test_a_sleeping_laptop_does_not_wake_to_a_burst() -> None:
    engine = NotingEngine()
    run = asyncio.create_task(
        BackgroundTraffic(engine, config.Traffic(2.0, ("support",)), rng=random.Random(1)).run()
    )
    await pass_time(10)
    before = len(engine.asked)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.oversleep(3600)
    await pass_time(1)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert len(engine.asked) - before < 15


@pytest.mark.parametrize("traffic", [config.Traffic(0.0, ("support",)), config.Traffic(1.0, ())])
def test_no_traffic_ends_at_once(traffic: config.Traffic) -> None:
    @virtual
    async def main() -> None:
        await BackgroundTraffic(NotingEngine(), traffic).run()

    main()
