"""Adapters and policies that do what they should not: the engine keeps its head, and leaves nothing open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from engine.engine import Engine
from engine.errors import DeadlineExceeded, StreamInterrupted
from engine.messages import Delta
from engine.policy import Backoff, Policy
from engine.providers.base import Call, EmbedCall, Part
from engine.stream import Stream
from tests.scripted import HANG, Heard, Parts, Scripted, cancelled, chain_of, running, speak, status
from tests.virtual_time import pass_time, virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0), cooldown=60.0)
SILENT = Parts([[], 1e9])
THINKS_AND_BREAKS = Parts([[Delta(reasoning="hm")], status(500)])
SILENT_LATER = Parts([[Delta("he")], 1e9])


class Translating(Scripted):
    """Answers being cancelled with an exception of its own."""

    async def _step(self, call: Call | EmbedCall, models: list[str]) -> Any:
        try:
            return await super()._step(call, models)
        except asyncio.CancelledError:
            raise ConnectionError("closed") from None

    @staticmethod
    async def _batches(parts: Parts) -> AsyncIterator[Sequence[Part]]:
        try:
            async for batch in Scripted._batches(parts):
                yield batch
        except asyncio.CancelledError:
            raise ConnectionError("closed") from None


class Speechless(Exception):
    """Has no words, and says so loudly."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Faceless(Exception):
    """Does not even say whether it has a status."""

    @property
    def status_code(self) -> int:
        raise RuntimeError("no status")


async def read(stream: Stream) -> list[str]:
    return ["<restart>" if delta.restart else delta.text async for delta in stream]


async def complete(engine: Engine) -> str:
    return (await engine.complete("main", "hi")).model


async def embed(engine: Engine) -> str:
    return (await engine.embed("main", ["hi"])).model


async def listen(engine: Engine) -> str:
    async with engine.stream("main", "hi") as stream:
        await read(stream)
    return str(stream.model)


Ask = Callable[[Engine], Awaitable[str]]
WAYS: list[tuple[Ask, Any]] = [
    (complete, HANG),
    (embed, HANG),
    (listen, HANG),
    (listen, SILENT),
    (listen, SILENT_LATER),
]


def asked(provider: Scripted) -> list[str]:
    return [*provider.models(), *(call.model for call in provider.embeds)]


def now() -> float:
    return asyncio.get_running_loop().time()


async def bench_a(engine: Engine, heard: Heard) -> None:
    """Lets `a` fail, and waits until it is due."""
    await engine.complete("main", "hi")
    await pass_time(61)
    heard.clear()


# Cancelled


@pytest.mark.parametrize(("ask", "step"), WAYS)
@virtual
async def test_a_callers_cancel_stays_one_whatever_the_adapter_makes_of_it(ask: Ask, step: Any) -> None:
    provider = Translating({"a": [step], "b": ["no"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        asking = asyncio.ensure_future(ask(engine))
        await pass_time(1)
        await cancelled(asking)
        assert engine.benched() == []
        assert heard.names()[-2:] == ["attempt.cancelled", "request.cancelled"]
        assert heard.of("attempt.cancelled")[0].why == "caller"
    assert (asked(provider), provider.open) == (["a"], 0)


@pytest.mark.parametrize(("ask", "step"), WAYS)
@virtual
async def test_a_time_limit_around_a_request_stays_one_whatever_the_adapter_makes_of_it(
    ask: Ask, step: Any
) -> None:
    provider = Translating({"a": [step], "b": ["no"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await ask(engine)
        assert (now(), engine.benched()) == (3.0, [])
    assert asked(provider) == ["a"]


@pytest.mark.parametrize(("ask", "step"), WAYS)
@virtual
async def test_a_deadline_stays_one_whatever_the_adapter_makes_of_it(ask: Ask, step: Any) -> None:
    provider = Translating({"a": [step], "b": ["no"]})
    policy = ONCE.replace(deadline=5.0)
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        with pytest.raises(DeadlineExceeded):
            await ask(engine)
        assert (now(), engine.benched()) == (5.0, [])
        assert heard.of("attempt.cancelled")[0].why == "deadline"
        assert heard.names()[-1] == "request.failed"
    assert (asked(provider), provider.open) == (["a"], 0)


@pytest.mark.parametrize(("ask", "step"), WAYS[:4])
@virtual
async def test_an_attempts_limit_stays_a_timeout_whatever_the_adapter_makes_of_it(
    ask: Ask, step: Any
) -> None:
    provider = Translating({"a": [step], "b": ["ok"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        assert await ask(engine) == "p/b"
        assert heard.of("attempt.failed")[0].reason in ("timeout", "first_token_timeout")


# What raises where nobody expects it


@pytest.mark.parametrize(
    ("ask", "step"),
    [(complete, status(500)), (listen, status(500)), (listen, THINKS_AND_BREAKS)],
)
@virtual
async def test_a_backoff_that_raises_leaves_no_trial_open(ask: Ask, step: Any) -> None:
    def backoff(_: int) -> float:
        if len(provider.calls) == 3:
            raise ZeroDivisionError
        return 0.0

    provider = Scripted({"a": [status(500), step, "back"], "b": ["from b"]})
    policy = ONCE.replace(backoff=backoff)
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        await bench_a(engine, heard)
        with pytest.raises(ZeroDivisionError):
            await ask(engine)
        assert [(event.by, event.outcome) for event in heard.of("model.trial")] == [
            ("request", None),
            ("request", "given_back"),
        ]
        assert heard.names()[-1] == "request.cancelled"
        assert engine._roster.seat("p/a").under_way == 0
        assert await ask(engine) == "p/a"


@pytest.mark.parametrize("ask", [complete, listen])
@pytest.mark.parametrize("error", [Speechless(), Faceless("who?")])
@virtual
async def test_an_exception_that_cannot_be_read_fails_its_trial_and_the_next_model_answers(
    ask: Ask, error: Exception
) -> None:
    provider = Scripted({"a": [status(500), error], "b": ["ok"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await bench_a(engine, heard)
        assert await ask(engine) == "p/b"
        assert heard.of("model.trial")[-1].outcome == "failure"
        (failed,) = heard.of("attempt.failed")
        assert (failed.kind, failed.message.partition(":")[0]) == ("unknown", type(error).__name__)
        assert engine._roster.seat("p/a").under_way == 0


@virtual
async def test_a_stream_that_breaks_with_an_exception_without_words_is_a_stream_that_breaks() -> None:
    provider = Scripted({"a": [Parts([[Delta("he")], Speechless()]), speak("ok")]})
    async with running(chain_of(provider, "a", policy=ONCE)) as (engine, _):
        async with engine.stream("main", "hi") as stream:
            with pytest.raises(StreamInterrupted):
                await read(stream)
        assert provider.open == 0
        assert await complete(engine) == "p/a"
