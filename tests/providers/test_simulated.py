"""Simulated providers: what they answer and how fast; everything but the socket is the real path."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from engine.config.model import Protocol, SimulatedModel
from engine.messages import Delta
from engine.providers.base import Finish
from engine.providers.simulated import build_simulated
from tests.providers.simulation import (
    PATHS,
    call,
    config,
    every_protocol,
    now,
    plain_and_streamed,
    post,
    provider,
    read,
    streamed,
)
from tests.scripted import cancelled
from tests.virtual_time import pass_time, virtual

TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


@every_protocol
@plain_and_streamed
@virtual
async def test_an_answer_is_prose_of_the_length_asked_for(protocol: Protocol, stream: bool) -> None:
    async with provider(protocol, SimulatedModel(tokens=30)) as adapter:
        answer = await read(adapter, call(), stream=stream)
    assert len(answer.text.split()) == 30
    assert answer.text[0].isupper()
    assert answer.text.endswith(".")
    assert "  " not in answer.text
    assert answer.finish_reason == "stop"
    assert answer.usage.output_tokens == 30
    assert answer.usage.input_tokens is not None
    assert 5 <= answer.usage.input_tokens <= 15


@every_protocol
@virtual
async def test_plain_and_streamed_tell_the_same_story(protocol: Protocol) -> None:
    texts = []
    for stream in (False, True):
        async with provider(protocol, SimulatedModel()) as adapter:
            texts.append([(await read(adapter, call(), stream=stream)).text for _ in range(5)])
    assert texts[0] == texts[1]
    assert len(set(texts[0])) == 5


@every_protocol
@plain_and_streamed
@virtual
async def test_the_callers_limit_ends_the_answer_and_says_so(protocol: Protocol, stream: bool) -> None:
    async with provider(protocol, SimulatedModel(tokens=30)) as adapter:
        answer = await read(adapter, call(max_tokens=4), stream=stream)
    assert len(answer.text.split()) == 4
    assert (answer.finish_reason, answer.usage.output_tokens) == ("length", 4)


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "look_up"}}])
@virtual
async def test_a_tool_that_must_be_called_is_called(protocol: Protocol, choice: Any) -> None:
    asked = call(tools=(TOOL,), tool_choice=choice)
    async with provider(protocol, SimulatedModel()) as adapter:
        answer = await adapter.complete(asked)
        async with adapter.stream(asked) as batches:
            parts = [part async for batch in batches for part in batch]
    (whole,) = answer.tool_calls
    assert (whole.name, json.loads(whole.arguments or "{}")) == ("look_up", {})
    assert (answer.text, answer.finish_reason) == ("", "tool_calls")
    pieces = [part.tool_call for part in parts if isinstance(part, Delta) and part.tool_call]
    assert "".join(piece.name for piece in pieces) == "look_up"
    assert "".join(piece.arguments for piece in pieces) == "{}"
    assert Finish("tool_calls") in parts


@every_protocol
@virtual
async def test_a_tool_that_may_be_called_is_left_alone(protocol: Protocol) -> None:
    async with provider(protocol, SimulatedModel()) as adapter:
        answer = await adapter.complete(call(tools=(TOOL,)))
    assert answer.text
    assert not answer.tool_calls


@every_protocol
@virtual
async def test_a_stream_is_paced_and_wakes_seldom(protocol: Protocol) -> None:
    model = SimulatedModel(first_token=0.4, tokens_per_s=300.0, tokens=601)
    async with provider(protocol, model) as adapter, adapter.stream(call()) as batches:
        arrivals = [
            now() async for batch in batches if any(isinstance(part, Delta) and part.text for part in batch)
        ]
    assert 0.4 <= arrivals[0] <= 0.5
    assert arrivals[-1] - arrivals[0] == pytest.approx(2.0)
    assert 55 <= len(arrivals) <= 62


@every_protocol
@virtual
async def test_the_head_of_a_stream_comes_with_its_first_token(protocol: Protocol) -> None:
    transport = build_simulated(config(protocol, SimulatedModel(first_token=2.0)))
    async with httpx.AsyncClient(transport=transport) as client:
        request = client.build_request(
            "POST", f"http://acme.test{PATHS[protocol]}", json={"model": "m", "stream": True}
        )
        await (await client.send(request, stream=True)).aclose()
    assert 2.0 <= now() <= 2.5


@virtual
async def test_anthropics_events_come_in_their_order() -> None:
    body = await streamed("anthropic", SimulatedModel(tokens=2, tokens_per_s=1.0))
    assert [line.removeprefix("event: ") for line in body.splitlines() if line.startswith("event: ")] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@virtual
async def test_openai_tells_usage_in_a_stream_only_if_asked_to() -> None:
    usage = {"stream_options": {"include_usage": True}}
    for more, told in (({}, False), (usage, True)):
        body = await streamed("openai", SimulatedModel(tokens=2), more)
        chunks = [line.removeprefix("data: ") for line in body.splitlines() if line]
        assert chunks[-1] == "[DONE]"
        assert any(json.loads(chunk).get("usage") for chunk in chunks[:-1]) is told


@virtual
async def test_ollama_streams_lines_unless_told_not_to() -> None:
    body = await streamed("ollama", SimulatedModel(tokens=2, tokens_per_s=1.0), {"stream": None})
    assert [json.loads(line)["done"] for line in body.splitlines()] == [False, False, True]


@every_protocol
@virtual
async def test_a_plain_answer_takes_as_long_as_its_stream(protocol: Protocol) -> None:
    model = SimulatedModel(first_token=0.4, tokens_per_s=50.0, tokens=50)
    async with provider(protocol, model) as adapter:
        await adapter.complete(call())
    assert 1.4 <= now() <= 1.5


@every_protocol
@virtual
async def test_an_unknown_model_answers_like_any_other(protocol: Protocol) -> None:
    async with provider(protocol) as adapter:
        answer = await adapter.complete(call("never/heard-of"))
    assert 20 <= len(answer.text.split()) <= 80


@virtual
async def test_names_of_unknown_models_do_not_pile_up() -> None:
    transport = build_simulated(config("openai", SimulatedModel()))
    async with httpx.AsyncClient(transport=transport) as client:
        for number in range(50):
            await post(client, "openai", {"model": f"hostile-{number}"})
    assert set(vars(transport)["_stories"]) == {"m"}


@every_protocol
@virtual
async def test_streams_run_side_by_side(protocol: Protocol) -> None:
    async with provider(protocol, SimulatedModel(first_token=1.0, tokens_per_s=50.0, tokens=50)) as adapter:
        answers = await asyncio.gather(*(read(adapter, call(), stream=True) for _ in range(30)))
    assert now() < 2.5
    assert {len(answer.text.split()) for answer in answers} == {50}


@every_protocol
@plain_and_streamed
@virtual
async def test_cancelling_at_any_moment_leaves_nothing_behind(protocol: Protocol, stream: bool) -> None:
    async with provider(protocol, SimulatedModel(first_token=0.5, tokens_per_s=20.0, tokens=20)) as adapter:
        for moment in (0.0, 0.1, 0.6, 0.9, 1.3):
            asking = asyncio.create_task(read(adapter, call(), stream=stream))
            await pass_time(moment)
            await cancelled(asking)
            assert asyncio.all_tasks() == {asyncio.current_task()}


@every_protocol
@virtual
async def test_leaving_a_stream_early_leaves_nothing_behind(protocol: Protocol) -> None:
    async with provider(protocol, SimulatedModel(tokens=50)) as adapter:
        async with adapter.stream(call()) as batches:
            await anext(batches)
        left_at = now()
        await asyncio.sleep(0)
    assert now() == left_at < 1.0


@every_protocol
@virtual
async def test_an_unreadable_request_is_a_bad_request(protocol: Protocol) -> None:
    transport = build_simulated(config(protocol))
    async with httpx.AsyncClient(transport=transport) as client:
        for body in (b"{", b"[]", b'{"messages": []}', b"\xff", b'{"model": 7}'):
            response = await client.post(f"http://acme.test{PATHS[protocol]}", content=body)
            assert response.status_code == 400, body
        response = await client.post("http://acme.test/v1/other", json={"model": "m"})
        assert response.status_code == 404


@virtual
async def test_a_bigger_conversation_costs_more_tokens() -> None:
    transport = build_simulated(config("openai", SimulatedModel(tokens=1)))
    long = [{"role": "user", "content": [{"type": "text", "text": "word " * 400}, {"type": "image_url"}]}]
    async with httpx.AsyncClient(transport=transport) as client:
        usage = (await post(client, "openai", {"messages": long})).json()["usage"]
    assert usage == {"prompt_tokens": 504, "completion_tokens": 1, "total_tokens": 505}
