"""Simulated providers: over the real adapters, parsers and transport, everything but the socket is real."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, get_args

import httpx
import pytest

from engine.config.model import (
    Fails,
    Incident,
    ModelConfig,
    Protocol,
    ProviderConfig,
    SimulatedModel,
)
from engine.messages import Delta, Params, Usage
from engine.providers.base import Answer, Call, End, Finish, Part, Provider, Signal
from engine.providers.build import build_provider
from engine.providers.simulated import build_simulated
from engine.providers.simulated_errors import refusal
from tests.virtual_time import virtual

PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "ollama": "/api/chat"}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}

every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)
plain_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


def config(protocol: Protocol, behaviour: SimulatedModel | None = None, seed: int = 7) -> ProviderConfig:
    models = {} if behaviour is None else {"m": ModelConfig(simulated=behaviour)}
    return ProviderConfig("acme", kind="simulated", speaks=protocol, seed=seed, models=models)


def always(*ways: int | str, **more: Any) -> SimulatedModel:
    return SimulatedModel(fails=Fails(1.0, ways), **more)


def now() -> float:
    return asyncio.get_running_loop().time()


def call(model: str = "m", **params: Any) -> Call:
    return Call(model, ({"role": "user", "content": "Why is the sky blue?"},), Params(**params))


@asynccontextmanager
async def provider(protocol: Protocol, behaviour: SimulatedModel | None = None) -> AsyncIterator[Provider]:
    built = build_provider(config(protocol, behaviour))
    try:
        yield built
    finally:
        await built.aclose()


async def read(adapter: Provider, asked: Call, *, stream: bool) -> Answer:
    """One answer, put together if it comes as a stream."""
    if not stream:
        return await adapter.complete(asked)
    parts: list[Part] = []
    async with adapter.stream(asked) as batches:
        async for batch in batches:
            parts.extend(batch)
    assert any(isinstance(part, End) for part in parts)
    usage = [part for part in parts if isinstance(part, Usage)][-1]
    finish = [part.reason for part in parts if isinstance(part, Finish)]
    return Answer("".join(part.text for part in parts if isinstance(part, Delta)), finish[0], usage)


async def signal_of(adapter: Provider, asked: Call, *, stream: bool) -> Signal:
    with pytest.raises(Signal) as caught:
        await read(adapter, asked, stream=stream)
    return caught.value


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
    arrivals = []
    async with provider(protocol, model) as adapter, adapter.stream(call()) as batches:
        async for batch in batches:
            if any(isinstance(part, Delta) and part.text for part in batch):
                arrivals.append(now())
    assert 0.4 <= arrivals[0] <= 0.5
    assert arrivals[-1] - arrivals[0] == pytest.approx(2.0)
    assert 55 <= len(arrivals) <= 62


@every_protocol
@virtual
async def test_a_plain_answer_takes_as_long_as_its_stream(protocol: Protocol) -> None:
    model = SimulatedModel(first_token=0.4, tokens_per_s=50.0, tokens=50)
    async with provider(protocol, model) as adapter:
        await adapter.complete(call())
    assert 1.4 <= now() <= 1.5


@every_protocol
@plain_and_streamed
@pytest.mark.parametrize(
    "status", [400, 401, 402, 403, 404, 408, 413, 418, 422, 429, 500, 502, 503, 504, 529]
)
@virtual
async def test_a_status_is_told_as_the_protocol_tells_it(
    protocol: Protocol, stream: bool, status: int
) -> None:
    async with provider(protocol, always(status)) as adapter:
        seen = await signal_of(adapter, call(), stream=stream)
    assert (seen.what, seen.status, seen.retry_after_s) == ("status", status, None)
    assert seen.message


@pytest.mark.parametrize(
    ("protocol", "status", "code"),
    [
        ("openai", 401, "invalid_api_key"),
        ("openai", 402, "insufficient_quota"),
        ("openai", 404, "model_not_found"),
        ("openai", 429, "rate_limit_exceeded"),
        ("anthropic", 400, "invalid_request_error"),
        ("anthropic", 401, "authentication_error"),
        ("anthropic", 402, "billing_error"),
        ("anthropic", 403, "permission_error"),
        ("anthropic", 404, "not_found_error"),
        ("anthropic", 413, "request_too_large"),
        ("anthropic", 429, "rate_limit_error"),
        ("anthropic", 500, "api_error"),
        ("anthropic", 504, "timeout_error"),
        ("anthropic", 529, "overloaded_error"),
    ],
)
@virtual
async def test_a_refusal_carries_the_providers_code(protocol: Protocol, status: int, code: str) -> None:
    async with provider(protocol, always(status)) as adapter:
        assert code in (await signal_of(adapter, call(), stream=True)).codes


@every_protocol
def test_a_proxys_refusal_is_a_page(protocol: Protocol) -> None:
    said = refusal(protocol, 502, model="m", request_id="r")
    assert said.headers["content-type"] == "text/html"
    assert b"502 Bad Gateway" in said.body


@every_protocol
@virtual
async def test_an_incident_names_when_to_come_back(protocol: Protocol) -> None:
    for asked, heard in ((12.0, 12.0), (1.5, 1.5)):
        incident = Incident(every=60.0, lasts=59.0, way=429, retry_after=asked, after=0.0)
        async with provider(protocol, SimulatedModel(incident=incident)) as adapter:
            assert (await signal_of(adapter, call(), stream=False)).retry_after_s == heard


@every_protocol
@virtual
async def test_a_cut_stream_breaks_off_after_some_text(protocol: Protocol) -> None:
    text = ""
    async with provider(protocol, always("cut", tokens=20)) as adapter:
        with pytest.raises(Signal) as caught:
            async with adapter.stream(call()) as batches:
                async for batch in batches:
                    text += "".join(part.text for part in batch if isinstance(part, Delta))
    assert caught.value.what == "connection"
    assert 0 < len(text.split()) < 20


@every_protocol
@virtual
async def test_a_cut_plain_answer_is_a_lost_connection(protocol: Protocol) -> None:
    async with provider(protocol, always("cut")) as adapter:
        assert (await signal_of(adapter, call(), stream=False)).what == "connection"


@every_protocol
@virtual
async def test_a_stalled_stream_says_something_and_stays_open(protocol: Protocol) -> None:
    text = ""
    async with provider(protocol, always("stall")) as adapter:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600), adapter.stream(call()) as batches:
                async for batch in batches:
                    text += "".join(part.text for part in batch if isinstance(part, Delta))
    assert text
    assert now() == 3600.0


@every_protocol
@plain_and_streamed
@pytest.mark.parametrize("way", ["hang", "stall"])
@virtual
async def test_silence_lasts_until_the_caller_gives_up(protocol: Protocol, stream: bool, way: str) -> None:
    async with provider(protocol, always(way)) as adapter:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await read(adapter, call(), stream=stream)


@every_protocol
@plain_and_streamed
@virtual
async def test_a_reset_is_a_lost_connection(protocol: Protocol, stream: bool) -> None:
    async with provider(protocol, always("reset")) as adapter:
        for _ in range(5):
            assert (await signal_of(adapter, call(), stream=stream)).what == "connection"


@virtual
async def test_resets_come_before_and_after_the_connection_stands() -> None:
    transport = build_simulated(config("openai", always("reset")))
    seen = set()
    async with httpx.AsyncClient(transport=transport) as client:
        for _ in range(20):
            with pytest.raises(httpx.TransportError) as caught:
                await post(client, "openai")
            seen.add(type(caught.value))
    assert seen == {httpx.ConnectError, httpx.ReadError}


@every_protocol
@plain_and_streamed
@virtual
async def test_an_empty_answer_finishes_normally_without_text(protocol: Protocol, stream: bool) -> None:
    async with provider(protocol, always("empty")) as adapter:
        answer = await read(adapter, call(), stream=stream)
    assert (answer.text, answer.finish_reason, answer.usage.output_tokens) == ("", "stop", 0)


@every_protocol
@plain_and_streamed
@virtual
async def test_garbage_is_a_200_that_cannot_be_read(protocol: Protocol, stream: bool) -> None:
    async with provider(protocol, always("garbage")) as adapter:
        assert (await signal_of(adapter, call(), stream=stream)).what == "protocol"


@every_protocol
@virtual
async def test_an_incident_comes_lasts_goes_and_comes_again(protocol: Protocol) -> None:
    model = SimulatedModel(first_token=0.0, tokens=1, incident=Incident(90.0, 30.0, 503, after=5.0))
    async with provider(protocol, model) as adapter:
        seen = {}
        for moment in (0.0, 4.9, 5.0, 34.9, 35.0, 94.9, 95.0, 124.9, 125.0):
            await asyncio.sleep(moment - now())
            try:
                await adapter.complete(call())
            except Signal as signal:
                seen[moment] = signal.status
    assert seen == {5.0: 503, 34.9: 503, 95.0: 503, 124.9: 503}


@virtual
async def test_an_incident_follows_an_injected_clock() -> None:
    elapsed = 1000.0
    model = SimulatedModel(incident=Incident(90.0, 30.0, 503, after=5.0))
    transport = build_simulated(config("openai", model), clock=lambda: elapsed)
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await post(client, "openai")).status_code == 200
        elapsed += 5.0
        assert (await post(client, "openai")).status_code == 503


def test_without_a_loop_an_incident_counts_from_the_first_request() -> None:
    model = SimulatedModel(first_token=0.0, tokens=1, incident=Incident(90.0, 30.0, 503, after=5.0))
    transport = build_simulated(config("openai", model))

    @virtual
    async def main() -> list[int]:
        await asyncio.sleep(1000)
        seen = []
        async with httpx.AsyncClient(transport=transport) as client:
            for _ in range(2):
                seen.append((await post(client, "openai")).status_code)
                await asyncio.sleep(6)
        return seen

    assert main() == [200, 503]


@virtual
async def test_failures_are_as_frequent_as_their_rate_and_each_way_gets_its_share() -> None:
    model = SimulatedModel(first_token=0.0, tokens=1, fails=Fails(0.2, (500, 429)))
    statuses = await statuses_of(config("openai", model), 2000)
    assert statuses.count(200) == pytest.approx(1600, abs=80)
    assert statuses.count(500) == pytest.approx(200, abs=60)
    assert statuses.count(429) == pytest.approx(200, abs=60)


FLAKY = SimulatedModel(first_token=0.0, tokens=1, fails=Fails(0.5, (500, 429, 503)))


@virtual
async def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    assert await statuses_of(config("openai", FLAKY), 50) == await statuses_of(config("ollama", FLAKY), 50)
    assert await statuses_of(config("openai", FLAKY), 50) != await statuses_of(
        config("openai", FLAKY, seed=8), 50
    )


def test_the_story_is_the_same_in_every_process() -> None:
    program = (
        "from engine.config.model import SimulatedModel\n"
        "from engine.providers.simulated_story import Story\n"
        "story = Story(SimulatedModel(), 7, 'acme', 'm')\n"
        "print([story.turn(0.0).tokens for _ in range(20)])\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1] != ""


@virtual
async def test_an_incident_leaves_the_rest_of_the_story_alone() -> None:
    quiet = SimulatedModel(first_token=0.0, tokens=1, fails=Fails(0.5, (500,)))
    stormy = SimulatedModel(
        first_token=0.0, tokens=1, fails=Fails(0.5, (500,)), incident=Incident(1e6, 10.0, 503, after=0.0)
    )
    seen = []
    for model in (quiet, stormy):
        transport = build_simulated(config("openai", model))
        async with httpx.AsyncClient(transport=transport) as client:
            for _ in range(10):
                await post(client, "openai")
            await asyncio.sleep(60)
            seen.append([(await post(client, "openai")).status_code for _ in range(20)])
    assert seen[0] == seen[1]


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
            await asyncio.sleep(moment)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
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


async def post(
    client: httpx.AsyncClient, protocol: Protocol, more: Mapping[str, Any] | None = None
) -> httpx.Response:
    body = {"model": "m", "stream": False, "messages": [{"role": "user", "content": "Hello"}]} | dict(
        more or {}
    )
    return await client.post(f"http://acme.test{PATHS[protocol]}", json=body)


async def statuses_of(simulated: ProviderConfig, calls: int) -> list[int]:
    async with httpx.AsyncClient(transport=build_simulated(simulated)) as client:
        return [(await post(client, simulated.speaks)).status_code for _ in range(calls)]
