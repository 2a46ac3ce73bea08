"""Streams that cannot be left as they should: what they have brought, or failed to, stays what it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from engine.engine import Engine
from engine.messages import Delta
from engine.policy import Backoff, Policy
from engine.providers.base import Call, Part
from engine.stream import Stream
from tests.scripted import Parts, Scripted, cancelled, chain_of, running, status
from tests.virtual_time import pass_time, virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0), cooldown=60.0)
SECRET_WORDS = "cannot close sk-CANARY0123456789"
SILENT = Parts([[], 1e9])


class BadlyClosed(Scripted):
    """Its streams of the model `a` do something else when they are left."""

    @staticmethod
    async def leave() -> None:
        raise ConnectionError(SECRET_WORDS)

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AsyncIterator[Sequence[Part]]]:
        async with super().stream(call) as batches:
            yield batches
            if call.model == "a":
                await self.leave()


class NeverClosed(BadlyClosed):
    @staticmethod
    async def leave() -> None:
        await pass_time(5000)


class NeverClosedAndTranslating(BadlyClosed):
    @staticmethod
    async def leave() -> None:
        try:
            await pass_time(5000)
        except asyncio.CancelledError:
            raise ConnectionError(SECRET_WORDS) from None


async def read(stream: Stream) -> list[str]:
    return ["<restart>" if delta.restart else delta.text async for delta in stream]


async def listen(engine: Engine) -> str:
    async with engine.stream("main", "hi") as stream:
        await read(stream)
    return str(stream.model)


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(("kind", "takes_s"), [(BadlyClosed, 0.0), (NeverClosed, 2.0)])
@virtual
async def test_an_answer_is_one_however_its_stream_is_left(
    kind: type[BadlyClosed], takes_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    provider = kind({"a": ["hello"], "b": ["no"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            assert await read(stream) == ["hello"]
        assert stream.reply is not None
        assert stream.reply.text == "hello"
        assert (now(), engine.benched()) == (takes_s, [])
        assert heard.names()[-1] == "request.succeeded"
    assert (provider.models(), provider.open) == (["a"], 0)
    warnings = [each for each in caplog.messages if each.startswith("a provider's stream did not close: ")]
    assert len(warnings) == 1
    assert SECRET_WORDS not in caplog.text


@pytest.mark.parametrize(("kind", "takes_s"), [(BadlyClosed, 0.0), (NeverClosed, 2.0)])
@pytest.mark.parametrize(("code", "reason"), [(500, "server_error"), (401, "invalid_key")])
@virtual
async def test_a_failure_keeps_its_name_and_the_next_model_answers_however_a_stream_is_left(
    kind: type[BadlyClosed], takes_s: float, code: int, reason: str
) -> None:
    provider = kind({"a": [Parts([[], status(code)])], "b": ["ok"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        assert await listen(engine) == "p/b"
        assert now() == takes_s
        (failed,) = heard.of("attempt.failed")
        assert (failed.model, failed.reason, failed.status) == ("p/a", reason, code)
    assert provider.open == 0


@pytest.mark.parametrize(("kind", "takes_s"), [(BadlyClosed, 0.0), (NeverClosed, 2.0)])
@virtual
async def test_a_stream_that_broke_goes_on_elsewhere_however_it_is_left(
    kind: type[BadlyClosed], takes_s: float
) -> None:
    provider = kind({"a": [Parts([[Delta("he")], status(500)])], "b": ["ok"]})
    policy = ONCE.replace(mid_stream="restart")
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            assert await read(stream) == ["he", "<restart>", "ok"]
        assert now() == takes_s
        assert [event.reason for event in heard.of("attempt.failed")] == ["server_error"]


@pytest.mark.parametrize("kind", [BadlyClosed, NeverClosed, NeverClosedAndTranslating])
@virtual
async def test_a_callers_cancel_stays_one_however_a_stream_is_left(kind: type[BadlyClosed]) -> None:
    provider = kind({"a": [SILENT], "b": ["no"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        asking = asyncio.create_task(listen(engine))
        await pass_time(1)
        await cancelled(asking)
        assert engine.benched() == []
        assert heard.names()[-2:] == ["attempt.cancelled", "request.cancelled"]
    assert (provider.models(), provider.open) == (["a"], 0)


@pytest.mark.parametrize("kind", [NeverClosed, NeverClosedAndTranslating])
@virtual
async def test_a_callers_cancel_while_a_stream_is_being_left_is_not_lost(kind: type[BadlyClosed]) -> None:
    provider = kind({"a": [Parts([[], status(500)])], "b": ["no"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        asking = asyncio.create_task(listen(engine))
        await pass_time(1)
        await cancelled(asking)
        assert now() == 1.0
        assert heard.names()[-1] == "request.cancelled"
    assert (provider.models(), provider.open) == (["a"], 0)
