"""Simulated providers over the real adapters, parsers and transport, for the tests beside this file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, get_args

import httpx
import pytest

from engine.config.model import Fails, ModelConfig, Protocol, ProviderConfig, SimulatedModel
from engine.messages import Delta, Params, Usage
from engine.providers.base import Answer, Call, End, Finish, Part, Provider, Signal
from engine.providers.build import build_provider
from engine.providers.simulated import build_simulated

PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "ollama": "/api/chat"}

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


async def listen(adapter: Provider, heard: list[str]) -> None:
    """Reads a stream; what came stays in `heard`, whatever happens."""
    async with adapter.stream(call()) as batches:
        async for batch in batches:
            heard.extend(part.text for part in batch if isinstance(part, Delta))


async def signal_of(adapter: Provider, asked: Call, *, stream: bool) -> Signal:
    with pytest.raises(Signal) as caught:
        await read(adapter, asked, stream=stream)
    return caught.value


async def post(
    client: httpx.AsyncClient, protocol: Protocol, more: Mapping[str, Any] | None = None
) -> httpx.Response:
    body = {"model": "m", "stream": False, "messages": [{"role": "user", "content": "Hello"}]} | dict(
        more or {}
    )
    return await client.post(f"http://acme.test{PATHS[protocol]}", json=body)


async def streamed(
    protocol: Protocol, behaviour: SimulatedModel, more: Mapping[str, Any] | None = None
) -> str:
    transport = build_simulated(config(protocol, behaviour))
    async with httpx.AsyncClient(transport=transport) as client:
        return (await post(client, protocol, {"stream": True, **(more or {})})).text


async def statuses_of(simulated: ProviderConfig, calls: int) -> list[int]:
    async with httpx.AsyncClient(transport=build_simulated(simulated)) as client:
        return [(await post(client, simulated.speaks)).status_code for _ in range(calls)]
