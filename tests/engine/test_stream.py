"""Streams, in virtual time: silent failover before content, the truth after it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine.engine import Engine
from engine.errors import ChainExhausted, DeadlineExceeded, StreamInterrupted
from engine.messages import Delta, ToolCall, ToolCallDelta, Usage
from engine.policy import Backoff, Policy, Timeouts
from engine.providers.base import End, Finish, Signal
from engine.stream import Stream
from tests.scripted import HANG, Heard, Parts, Scripted, cancelled, chain_of, speak, status
from tests.virtual_time import pass_time, virtual

NO_WAIT = Policy(backoff=Backoff(0, 0))


@asynccontextmanager
async def running(
    scripts: dict[str, list[Any]], policy: Policy = NO_WAIT
) -> AsyncIterator[tuple[Engine, Heard, Scripted]]:
    provider, heard = Scripted(scripts), Heard()
    config = chain_of(provider, *scripts, policy=policy)
    async with Engine(config, clock=asyncio.get_running_loop().time, rng=random.Random(1)) as engine:
        engine.observe(heard.append)
        yield engine, heard, provider
    assert provider.open == 0


async def read(stream: Stream) -> str:
    return "".join([delta.text async for delta in stream])


@virtual
async def test_a_stream_brings_its_pieces_then_the_whole_reply() -> None:
    async with running({"a": [speak("one two three")]}) as (engine, heard, _):
        async with engine.stream("main", "hi") as stream:
            assert stream.model == "p/a"
            assert [delta.text async for delta in stream] == ["one", "two", "three"]
        assert stream.reply is not None
        assert (stream.reply.text, stream.reply.finish_reason) == ("onetwothree", "stop")
        assert stream.reply.usage == Usage(3, 3)
    assert heard.names() == [
        "request.started",
        "attempt.started",
        "attempt.first_token",
        "attempt.succeeded",
        "request.succeeded",
    ]


@pytest.mark.parametrize(
    "broken",
    [
        status(500),
        Signal("connection"),
        Parts([]),
        Parts([[Finish("stop")], [End()]]),
        Parts([[End()]]),
        Parts([[Usage(1, None)], Signal("error", codes=("overloaded_error",))]),
        Parts([[Delta(reasoning="let me think")], Signal("connection")]),
        Parts([[Delta(reasoning="let me think")], [Finish("stop"), End()]]),
        HANG,
    ],
)
@virtual
async def test_failover_is_silent_until_the_first_content(broken: Any) -> None:
    async with running({"a": [broken], "b": [speak("fine")]}) as (engine, heard, _):
        async with engine.stream("main", "hi") as stream:
            assert await read(stream) == "fine"
        assert stream.model == "p/b"
        assert engine.is_benched("p/a")
        assert heard.of("stream.broken") == []


@virtual
async def test_a_break_after_content_raises_what_had_arrived() -> None:
    broken = Parts([[Delta("so ")], [Delta("far")], Signal("connection", "reset by peer")])
    async with running({"a": [broken], "b": [speak("no")]}) as (engine, heard, provider):
        async with engine.stream("main", "hi") as stream:
            with pytest.raises(StreamInterrupted) as caught:
                await read(stream)
        assert (caught.value.text, caught.value.model) == ("so far", "p/a")
        assert caught.value.cause.reason == "connection"
        assert engine.is_benched("p/a")
    assert provider.models() == ["a"]
    (told,) = heard.of("stream.broken")
    assert (told.delivered_chars, told.mode, told.next_model) == (6, "raise", None)
    assert heard.names()[-1] == "request.failed"


@virtual
async def test_a_stream_that_ends_without_saying_so_is_truncated_never_a_success() -> None:
    async with running({"a": [Parts([[Delta("half an ans")]])]}) as (engine, heard, _):
        async with engine.stream("main", "hi") as stream:
            with pytest.raises(StreamInterrupted) as caught:
                await read(stream)
    assert caught.value.cause.reason == "truncated"
    assert heard.of("attempt.succeeded") == []


@virtual
async def test_a_missing_terminator_after_the_finish_reason_is_no_failure() -> None:
    async with running({"a": [Parts([[Delta("whole")], [Finish("stop")]])]}) as (engine, _, __):
        async with engine.stream("main", "hi") as stream:
            assert await read(stream) == "whole"
        assert stream.reply is not None


@virtual
async def test_a_failure_after_the_finish_reason_is_no_failure() -> None:
    parts = Parts([[Delta("whole")], [Finish("stop")], Signal("connection")])
    async with running({"a": [parts]}) as (engine, _, __):
        async with engine.stream("main", "hi") as stream:
            assert await read(stream) == "whole"
        assert engine.benched() == []


@virtual
async def test_what_follows_the_finish_reason_is_waited_for_at_most_a_second() -> None:
    parts = Parts([[Delta("whole")], [Finish("stop")], 0.5, [Usage(1, 2)], 3600.0, [End()]])
    async with running({"a": [parts]}) as (engine, _, __):
        async with engine.stream("main", "hi") as stream:
            assert await read(stream) == "whole"
        assert asyncio.get_running_loop().time() == pytest.approx(1.0)
        assert stream.reply is not None
        assert stream.reply.usage == Usage(1, 2)


@virtual
async def test_a_used_up_token_limit_is_a_success_even_without_text() -> None:
    async with running({"a": [Parts([[Finish("length")], [End()]])]}) as (engine, _, __):
        async with engine.stream("main", "hi") as stream:
            assert await read(stream) == ""
        assert stream.reply is not None
        assert stream.reply.finish_reason == "length"


@virtual
async def test_tool_calls_are_put_together_from_their_pieces() -> None:
    pieces = [
        Delta(tool_call=ToolCallDelta(0, "id0", "weather", '{"ci')),
        Delta(tool_call=ToolCallDelta(1, "id1", "time", "{}")),
        Delta(tool_call=ToolCallDelta(0, arguments='ty": "Oslo"}')),
    ]
    async with running({"a": [Parts([pieces, [Finish("tool_calls"), End()]])]}) as (engine, _, __):
        async with engine.stream("main", "hi") as stream:
            _ = [delta async for delta in stream]
        assert stream.reply is not None
        assert stream.reply.tool_calls == (
            ToolCall("id0", "weather", '{"city": "Oslo"}'),
            ToolCall("id1", "time", "{}"),
        )


TIMEOUTS = Policy(timeouts=Timeouts(first_token=5, idle=2, attempt=100))


@virtual
async def test_a_model_that_sends_no_first_token_in_time_is_left() -> None:
    silent = Parts([[], 4.0, [], 4.0, [Delta("late")]])
    async with running({"a": [silent], "b": [speak("fine")]}, TIMEOUTS) as (engine, heard, _):
        async with engine.stream("main", "hi") as stream:
            assert asyncio.get_running_loop().time() == pytest.approx(5.0)
            assert await read(stream) == "fine"
    assert heard.of("attempt.failed")[0].reason == "first_token_timeout"


@virtual
async def test_a_stream_that_falls_silent_is_broken_after_the_idle_limit() -> None:
    async with running({"a": [Parts([[Delta("well")], 60.0])]}, TIMEOUTS) as (engine, _, __):
        async with engine.stream("main", "hi") as stream:
            with pytest.raises(StreamInterrupted) as caught:
                await read(stream)
        assert caught.value.cause.reason == "idle_timeout"
        assert asyncio.get_running_loop().time() == pytest.approx(2.0)


@virtual
async def test_a_ping_counts_as_life() -> None:
    pings: list[Any] = [1.5, []]
    parts = Parts([[Delta("well")], *pings * 4, [Delta(" done")], [Finish("stop"), End()]])
    async with running({"a": [parts]}, TIMEOUTS) as (engine, _, __):
        async with engine.stream("main", "hi") as stream:
            assert await read(stream) == "well done"


@virtual
async def test_reasoning_counts_as_the_first_token_and_reaches_the_caller() -> None:
    parts = Parts([[Delta(reasoning="hmm")], 1.9, [Delta("so")], [Finish("stop"), End()]])
    async with running({"a": [parts]}, TIMEOUTS) as (engine, _, __):
        async with engine.stream("main", "hi") as stream:
            deltas = [delta async for delta in stream]
        assert deltas == [Delta(reasoning="hmm"), Delta("so")]
        assert stream.reply is not None
        assert stream.reply.reasoning == "hmm"


@virtual
async def test_what_the_caller_takes_its_time_for_is_not_the_models_time() -> None:
    policy = Policy(timeouts=Timeouts(first_token=5, idle=2, attempt=10))
    async with running({"a": [speak("a b c")]}, policy) as (engine, _, __):
        async with engine.stream("main", "hi") as stream:
            async for _delta in stream:
                await pass_time(30)
        assert stream.reply is not None


@virtual
async def test_leaving_early_closes_the_upstream_and_benches_nobody() -> None:
    async with running({"a": [speak("a b c d")]}) as (engine, heard, provider):
        async with engine.stream("main", "hi") as stream:
            async for _ in stream:
                break
            assert provider.open == 1
        assert provider.open == 0
        assert engine.benched() == []
    assert heard.names()[-2:] == ["attempt.cancelled", "request.cancelled"]


@virtual
async def test_the_deadline_of_a_stream_benches_nobody() -> None:
    async with running({"a": [Parts([[Delta("x")], 1e6])]}) as (engine, heard, _):
        async with engine.stream("main", "hi", deadline=3) as stream:
            with pytest.raises(DeadlineExceeded):
                await read(stream)
        assert engine.benched() == []
    assert heard.of("attempt.cancelled")[0].why == "deadline"


@virtual
async def test_a_chain_that_is_used_up_fails_on_entering() -> None:
    async with running({"a": [status(500)], "b": [status(401)]}) as (engine, heard, _):
        with pytest.raises(ChainExhausted):
            async with engine.stream("main", "hi"):
                pytest.fail("entered")
    assert heard.names().count("request.failed") == 1


@virtual
async def test_cancelling_while_the_first_token_is_awaited_tells_so_once() -> None:
    async with running({"a": [HANG]}) as (engine, heard, _):

        async def ask() -> None:
            async with engine.stream("main", "hi"):
                pytest.fail("entered")

        asking = asyncio.create_task(ask())
        await pass_time(1)
        await cancelled(asking)
    assert heard.names() == ["request.started", "attempt.started", "attempt.cancelled", "request.cancelled"]
