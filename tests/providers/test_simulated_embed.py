"""Simulated providers asked for vectors."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import httpx
import pytest

from engine.config.model import Incident, Protocol, SimulatedModel
from engine.providers.base import EmbedCall, Embedder, Signal, Vectors
from engine.providers.simulated import build_simulated
from engine.providers.simulated_vectors import EMBED_PATHS
from tests.providers.simulation import always, config, now, provider
from tests.virtual_time import pass_time, virtual

every_embedding_protocol = pytest.mark.parametrize("protocol", list(EMBED_PATHS))
TEXTS = ("one", "two", "three")


async def _embed(protocol: Protocol, behaviour: SimulatedModel | None = None, **asked: Any) -> Vectors:
    async with provider(protocol, behaviour) as adapter:
        assert isinstance(adapter, Embedder)
        return await adapter.embed(EmbedCall(**({"model": "m", "texts": TEXTS} | asked)))


@every_embedding_protocol
@virtual
async def test_the_same_text_always_has_the_same_vector_of_length_one(protocol: Protocol) -> None:
    first, again = await _embed(protocol), await _embed(protocol, texts=("three", "one"))
    assert len(first.vectors) == 3
    for vector in first.vectors:
        assert len(vector) == 256
        assert math.hypot(*vector) == pytest.approx(1.0)
    assert again.vectors == [first.vectors[2], first.vectors[0]]
    assert len(set(map(tuple, first.vectors))) == 3
    assert first.usage.input_tokens == 4


@virtual
async def test_two_models_and_two_protocols_agree_as_they_should() -> None:
    one, other = await _embed("openai"), await _embed("openai", model="another")
    assert one.vectors[0] != other.vectors[0]
    ollamas = await _embed("ollama")
    assert one.vectors[0] == pytest.approx(ollamas.vectors[0], abs=1e-6)


@every_embedding_protocol
@virtual
async def test_the_callers_length_is_kept(protocol: Protocol) -> None:
    brought = await _embed(protocol, dimensions=8)
    assert {len(vector) for vector in brought.vectors} == {8}


@every_embedding_protocol
@pytest.mark.parametrize(
    ("way", "what"),
    [(429, "status"), ("cut", "connection"), ("reset", "connection"), ("garbage", "protocol")],
)
@virtual
async def test_it_fails_as_chat_does(protocol: Protocol, way: int | str, what: str) -> None:
    with pytest.raises(Signal) as caught:
        await _embed(protocol, always(way))
    assert caught.value.what == what


@every_embedding_protocol
@virtual
async def test_an_empty_answer_has_no_vectors(protocol: Protocol) -> None:
    assert (await _embed(protocol, always("empty"))).vectors == []


@every_embedding_protocol
@pytest.mark.parametrize("way", ["hang", "stall"])
@virtual
async def test_a_silent_one_never_answers(protocol: Protocol, way: str) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3600):
            await _embed(protocol, always(way))


@virtual
async def test_an_answer_takes_as_long_as_a_first_token() -> None:
    await _embed("openai", SimulatedModel(first_token=2.0))
    assert 2.0 <= now() <= 2.5


@virtual
async def test_an_incident_is_one_for_embeddings_too() -> None:
    behaviour = SimulatedModel(incident=Incident(every=90, lasts=30, way=429, retry_after=12, after=0))
    async with provider("openai", behaviour) as adapter:
        assert isinstance(adapter, Embedder)
        with pytest.raises(Signal) as caught:
            await adapter.embed(EmbedCall("m", TEXTS))
        assert (caught.value.status, caught.value.retry_after_s) == (429, 12.0)
        await pass_time(40)
        assert len((await adapter.embed(EmbedCall("m", TEXTS))).vectors) == 3


@pytest.mark.parametrize("texts", [None, [], [""], [3], "", {"a": 1}])
@virtual
async def test_a_request_that_makes_no_sense_is_refused(texts: Any) -> None:
    async with httpx.AsyncClient(transport=build_simulated(config("openai"))) as client:
        answer = await client.post("http://acme.test/v1/embeddings", json={"model": "m", "input": texts})
    assert answer.status_code == 400


@virtual
async def test_anthropics_protocol_has_no_such_path() -> None:
    async with httpx.AsyncClient(transport=build_simulated(config("anthropic"))) as client:
        answer = await client.post("http://acme.test/v1/embeddings", json={"model": "m", "input": "hi"})
    assert answer.status_code == 404
