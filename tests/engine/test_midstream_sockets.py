"""Broken streams that go on, over real sockets: what the next model is sent, and which connection closes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.over_sockets import PROTOCOLS, QUICK, Protocol, engine_over
from tests.upstream import Exchange, steps

CONTINUE = QUICK.replace(mid_stream="continue")
APPEND = QUICK.replace(mid_stream="append")


def prefilled(messages: list[dict[str, Any]]) -> bool:
    return bool(messages[-1]["role"] == "assistant")


def text_of(content: Any) -> str:
    """A message's text, in any protocol's form."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


@pytest.mark.parametrize("broken", ["cut", "reset", "no_finish", "error_event"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_next_model_is_sent_the_partial_answer_last(protocol: Protocol, broken: str) -> None:
    step = {
        "cut": steps.cut(after=1),
        "reset": steps.cut(after=1, reset=True),
        "no_finish": steps.no_finish(after=1),
        "error_event": steps.error_event(after=1),
    }[broken]
    async with engine_over(protocol, policy=CONTINUE) as (engine, up, heard):
        up.script("a", step)
        up.script("b", steps.ok(pieces=[" there", "."]))
        async with engine.stream("main", "Greet me.", system="Be kind.") as stream:
            assert "".join([delta.text async for delta in stream]) == "Hello there."
        assert stream.reply is not None
        assert (stream.reply.text, stream.reply.model) == ("Hello there.", "p/b")
        assert [out.name for out in engine.benched()] == ["p/a"]
        first, second = (request.body for request in up.requests)
        assert second["model"] == "b"
        *_, question, partial = second["messages"]
        assert (partial["role"], text_of(partial["content"])) == ("assistant", "Hello")
        assert (question["role"], text_of(question["content"])) == ("user", "Greet me.")
        if protocol == "anthropic":
            assert text_of(second["system"]).startswith("Be kind.")
            assert not prefilled(first["messages"])
        else:
            assert [message["role"] for message in second["messages"]] == ["system", "user", "assistant"]
        assert heard.of("stream.broken")[0].delivered_chars == 5


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_no_blank_ends_what_is_sent_and_none_is_doubled_or_lost(protocol: Protocol) -> None:
    async with engine_over(protocol, policy=CONTINUE) as (engine, up, _):
        up.script("a", steps.ok(pieces=["First.", "\n\n"], finish="", without=("finish", "usage", "done")))
        up.script("b", steps.ok(pieces=["\n\nSecond", "."]))
        async with engine.stream("main", "hi") as stream:
            assert "".join([delta.text async for delta in stream]) == "First.\n\nSecond."
        content = text_of(up.requests_for("b")[0].body["messages"][-1]["content"])
        assert content == "First."


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_prefill_refused_over_the_wire_becomes_a_restart(protocol: Protocol) -> None:
    async def refuses(exchange: Exchange) -> None:
        wanted = steps.status(400, message="does not support assistant message prefill")
        await (wanted if prefilled(exchange.request.body["messages"]) else steps.ok("All anew"))(exchange)

    async with engine_over(protocol, policy=CONTINUE) as (engine, up, heard):
        up.script("a", steps.cut(after=1))
        up.script("b", refuses)
        async with engine.stream("main", "hi") as stream:
            deltas = [delta async for delta in stream]
        assert [delta.restart for delta in deltas] == [False, True, False, False]
        assert stream.reply is not None
        assert (stream.reply.text, stream.reply.attempts) == ("All anew", 3)
        assert up.requests_for("b")[1].body["messages"] == up.requests_for("a")[0].body["messages"]
        assert not engine.is_benched("p/b")
        assert len(heard.of("model.benched")) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_leaving_a_resumed_stream_closes_the_connection_of_the_model_that_goes_on(
    protocol: Protocol,
) -> None:
    async with engine_over(protocol, policy=APPEND) as (engine, up, heard):
        up.script("a", steps.error_event(after=1))
        up.script("b", steps.stall(after=1))
        async with engine.stream("main", "hi") as stream:
            seen = 0
            async for delta in stream:
                seen += bool(delta.text)
                if seen == 2:
                    break
            resumed = up.requests_for("b")[0]
            assert not resumed.closed.is_set()
        await resumed.closed.wait()
        assert [event.model for event in heard.of("attempt.cancelled")] == ["p/b"]
        assert [out.name for out in engine.benched()] == ["p/a"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_connection_of_a_stream_that_fell_silent_is_closed_before_another_goes_on(
    protocol: Protocol,
) -> None:
    async with engine_over(protocol, policy=APPEND, limits_of_a={"idle": 0.5}) as (engine, up, _):
        up.script("a", steps.stall(after=1))
        async with engine.stream("main", "hi") as stream:
            assert "".join([delta.text async for delta in stream]) == "HelloHello there"
        await up.requests_for("a")[0].closed.wait()
        assert stream.attempts == 2
