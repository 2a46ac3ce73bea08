"""A request cancelled at each of its awaits, over real sockets: nobody benched, nothing left behind."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar

import pytest

from engine import StandbyError
from tests.over_sockets import PROTOCOLS, Protocol, ask, engine_over
from tests.scripted import cancelled
from tests.upstream import steps

T = TypeVar("T")


class CancelAt(Generic[T]):
    """Awaits something, and has its task cancelled when that waits for the n-th time.

    `reached` is False if it was over before that.
    """

    def __init__(self, awaitable: Awaitable[T], turn: int) -> None:
        self._awaitable = awaitable
        self._turn = turn
        self.reached = False

    def __await__(self) -> Generator[Any, Any, T]:
        inner = self._awaitable.__await__()
        waits = 0
        thrown: BaseException | None = None
        while True:
            try:
                waited_for = inner.send(None) if thrown is None else inner.throw(thrown)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # StopIteration carries Any
            thrown = None
            waits += 1
            if waits == self._turn:
                self.reached = True
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield waited_for
            except BaseException as error:  # noqa: BLE001  (whatever it is goes to the inner one)
                thrown = error


async def _run(cancel: CancelAt[T]) -> T:
    return await cancel


def _is_the_engines(task: asyncio.Task[Any]) -> bool:
    """False for this test's own task, and for those of the server in the same loop."""
    coroutine = task.get_coro()
    assert isinstance(coroutine, types.CoroutineType)
    file = coroutine.cr_code.co_filename
    return "/tests/" not in file and not file.endswith("selector_events.py") and "/_pytest" not in file


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_cancelled_at_any_await_a_request_leaves_nothing_behind(protocol: Protocol, mode: str) -> None:
    turn, reached = 0, True
    while reached:
        turn += 1
        async with engine_over(protocol, "a", "b") as (engine, up, heard):
            # A retry and a failover, so that the awaits of both are among those cancelled.
            up.script("a", steps.status(500), steps.status(400))
            cancel = CancelAt(ask(engine, mode), turn)
            try:
                await asyncio.create_task(_run(cancel))
            except asyncio.CancelledError:
                assert heard.names()[-1] == "request.cancelled"
            except StandbyError as error:
                pytest.fail(f"cancelled at await {turn}, it raised {error!r}")
            reached = cancel.reached
            assert engine.benched() == []
            assert not [task for task in asyncio.all_tasks() if _is_the_engines(task)]
            started = len(heard.of("attempt.started"))
            ended = sum(len(heard.of(f"attempt.{end}")) for end in ("failed", "succeeded", "cancelled"))
            assert started == ended
            under_way = engine._roster.seat("p/a").under_way
            assert under_way == 0
    assert turn > 5


async def test_the_connection_of_a_cancelled_attempt_is_closed_at_once() -> None:
    async with engine_over() as (engine, up, _):
        up.script("a", steps.hang())
        asking = asyncio.create_task(engine.complete("main", "hi"))
        request = await up.arrived(1)
        await cancelled(asking)
        await request.closed.wait()


async def test_leaving_a_stream_early_closes_its_connection_at_once() -> None:
    async with engine_over() as (engine, up, _):
        up.script("a", steps.stall())
        async with engine.stream("main", "hi") as stream:
            async for _delta in stream:
                break
        await up.requests[0].closed.wait()
        assert engine.benched() == []
