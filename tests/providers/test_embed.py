"""Embeddings: what is sent, and what is made of what comes back."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.messages import Usage
from engine.providers.anthropic import AnthropicWire
from engine.providers.base import EmbedCall, EmbedLimits, Signal, Vectors
from engine.providers.http import HttpProvider
from engine.providers.ollama import OllamaWire
from engine.providers.ollama_embed import OllamaEmbedWire
from engine.providers.openai import OpenAIWire
from engine.providers.openai_embed import OpenAIEmbedWire
from engine.providers.wire import EmbedWire
from engine.transport import Transport
from tests.providers.test_any_json import anything, mutated
from tests.upstream import Upstream, steps
from tests.upstream.vectors import packed, vector_of

OPENAI = OpenAIEmbedWire("https://api.openai.com/v1")
OLLAMA = OllamaEmbedWire("http://localhost:11434")

# https://platform.openai.com/docs/api-reference/embeddings/create, "Response"
OPENAI_BODY: dict[str, Any] = {
    "object": "list",
    "data": [
        {
            "object": "embedding",
            "embedding": [0.0023064255, -0.009327292, -0.0028842222],
            "index": 0,
        }
    ],
    "model": "text-embedding-ada-002",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}

# https://github.com/ollama/ollama/blob/main/docs/api.md, "Generate Embeddings", with several inputs
OLLAMA_BODY: dict[str, Any] = {
    "model": "all-minilm",
    "embeddings": [[0.010071029, -0.0017594862], [-0.0098027075, 0.06042469]],
    "total_duration": 14143917,
    "load_duration": 1019500,
    "prompt_eval_count": 8,
}


def _sent(wire: EmbedWire, call: EmbedCall) -> tuple[str, dict[str, Any]]:
    outgoing = wire.build(call)
    return outgoing.url, json.loads(outgoing.body)


def _items(*items: tuple[Any, Any]) -> dict[str, Any]:
    return {"data": [{"index": index, "embedding": embedding} for index, embedding in items]}


class TestWhatIsSent:
    def test_to_openai(self) -> None:
        assert _sent(OPENAI, EmbedCall("text-embedding-3-small", ("one", "two"))) == (
            "https://api.openai.com/v1/embeddings",
            {"model": "text-embedding-3-small", "input": ["one", "two"], "encoding_format": "base64"},
        )

    def test_to_ollama_which_is_to_refuse_a_text_that_is_too_long(self) -> None:
        assert _sent(OLLAMA, EmbedCall("all-minilm", ("one", "two"))) == (
            "http://localhost:11434/api/embed",
            {"model": "all-minilm", "input": ["one", "two"], "truncate": False},
        )

    @pytest.mark.parametrize("wire", [OPENAI, OLLAMA])
    def test_the_length_of_the_vectors_if_the_caller_names_one(self, wire: EmbedWire) -> None:
        assert _sent(wire, EmbedCall("m", ("one",), dimensions=256))[1]["dimensions"] == 256
        assert "dimensions" not in _sent(wire, EmbedCall("m", ("one",)))[1]

    def test_a_base_url_may_end_with_a_slash_or_ollamas_with_its_path(self) -> None:
        assert OpenAIEmbedWire("http://x/v1/").build(EmbedCall("m", ("a",))).url == "http://x/v1/embeddings"
        assert OllamaEmbedWire("http://x/api").build(EmbedCall("m", ("a",))).url == "http://x/api/embed"

    def test_the_limits_are_openais_own_and_a_guess_for_ollama(self) -> None:
        assert OPENAI.limits == EmbedLimits(texts=2048, size=300_000)
        assert OLLAMA.limits.texts == 128


class TestWhatIsRead:
    def test_from_openai(self) -> None:
        expected = Vectors([[0.0023064255, -0.009327292, -0.0028842222]], Usage(8))
        assert OPENAI.read(OPENAI_BODY) == expected

    def test_from_ollama(self) -> None:
        expected = [[0.010071029, -0.0017594862], [-0.0098027075, 0.06042469]]
        assert OLLAMA.read(OLLAMA_BODY) == Vectors(expected, Usage(8))

    def test_base64_of_little_endian_float32(self) -> None:
        # 1.0 and -2.0 as IEEE 754 has them: 3f800000 and c0000000.
        assert OPENAI.read(_items((0, "AACAPwAAAMA="))).vectors == [[1.0, -2.0]]

    def test_the_index_decides_and_not_the_place(self) -> None:
        body = _items((2, [2.0]), (0, [0.0]), (1, packed([1.0])))
        assert OPENAI.read(body).vectors == [[0.0], [1.0], [2.0]]

    def test_without_indices_the_place_decides(self) -> None:
        body = {"data": [{"embedding": [1.0]}, {"embedding": [2.0], "index": None}]}
        assert OPENAI.read(body).vectors == [[1.0], [2.0]]

    def test_whole_numbers_become_floats(self) -> None:
        (vector,) = OLLAMA.read({"embeddings": [[1, 0.5]]}).vectors
        assert [type(number) for number in vector] == [float, float]

    def test_no_vectors_and_no_usage_are_for_the_caller_to_judge(self) -> None:
        assert OPENAI.read({"data": []}) == Vectors([], Usage())
        assert OLLAMA.read({"embeddings": []}) == Vectors([], Usage())

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ([], "the answer is a list, not an object"),
            ({}, "the answer has no data"),
            ({"data": 3}, "data is a number, not a list"),
            ({"data": [3]}, "an item of data is a number"),
            (_items((0, [1.0]), (0, [1.0])), "the indices of 2 embeddings are not 0 to 1"),
            (_items((1, [1.0])), "the indices of 1 embeddings are not 0 to 0"),
            (_items((-1, [1.0])), "the indices"),
            (_items((True, [1.0]), (0, [1.0])), "the indices"),
            (_items((0.0, [1.0])), "the indices"),
            (_items((0, None)), "embedding 0 is null, not a list"),
            (_items((0, {"a": 1})), "embedding 0 is an object, not a list"),
            (_items((0, ["1.0"])), "embedding 0 holds something else than numbers"),
            (_items((0, [True])), "embedding 0 holds something else than numbers"),
            (_items((0, [None, 1.0])), "embedding 0 holds something else than numbers"),
            (_items((0, [10**400])), "embedding 0 holds a number that is too large"),
            (_items((0, "AACAPw")), "embedding 0 is not float32 in base64"),  # its padding is gone
            (_items((0, "AACAPwAA")), "embedding 0 is not float32 in base64"),  # six bytes
            (_items((0, "é")), "embedding 0 is not float32 in base64"),
        ],
    )
    def test_what_openai_cannot_have_meant(self, body: Any, words: str) -> None:
        with pytest.raises(Signal, match=words) as caught:
            OPENAI.read(body)
        assert caught.value.what == "protocol"

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (None, "the answer is null, not an object"),
            ({}, "no list of embeddings"),
            ({"embeddings": {}}, "no list of embeddings"),
            ({"embeddings": [1.0]}, "embedding 0 is a number, not a list"),
            ({"embedding": [1.0]}, "no list of embeddings"),
        ],
    )
    def test_what_ollama_cannot_have_meant(self, body: Any, words: str) -> None:
        with pytest.raises(Signal, match=words) as caught:
            OLLAMA.read(body)
        assert caught.value.what == "protocol"

    @pytest.mark.parametrize("wire", [OPENAI, OLLAMA])
    def test_an_error_inside_a_200(self, wire: EmbedWire) -> None:
        with pytest.raises(Signal, match="overloaded") as caught:
            wire.read({"error": {"message": "overloaded", "type": "server_error"}})
        assert caught.value.what == "error"

    def test_numbers_that_are_none_are_left_to_the_caller(self) -> None:
        (vector,) = OPENAI.read(_items((0, packed([math.nan, math.inf])))).vectors
        assert math.isnan(vector[0])
        assert vector[1] == math.inf


_BASE64: dict[str, Any] = {
    "data": [{"index": 1, "embedding": "AACAPwAAAMA="}, {"index": 0, "embedding": [1]}]
}


@given(st.data())
@pytest.mark.parametrize(
    ("wire", "bodies"), [(OPENAI, [OPENAI_BODY, _BASE64]), (OLLAMA, [OLLAMA_BODY])], ids=["openai", "ollama"]
)
def test_whatever_comes_is_vectors_or_a_signal(
    wire: EmbedWire, bodies: list[dict[str, Any]], data: st.DataObject
) -> None:
    body = data.draw(st.one_of(anything, mutated(bodies)))
    try:
        brought = wire.read(body)
    except Signal:
        return
    assert all(type(number) is float for vector in brought.vectors for number in vector)


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    async with Upstream() as upstream:
        yield upstream


async def _embed(wire: OpenAIWire | OllamaWire | AnthropicWire, url: str, *texts: str) -> Vectors:
    provider = HttpProvider(wire, Transport(url))
    try:
        return await provider.embed(EmbedCall("m", texts, connect_timeout_s=5))
    finally:
        await provider.aclose()


class TestOverHttp:
    async def test_vectors_travel_as_they_should(self, up: Upstream) -> None:
        expected = [list(vector_of("one")), list(vector_of("three"))]
        for wire in (OpenAIWire(up.openai), OllamaWire(up.ollama)):
            brought = await _embed(wire, up.url, "one", "three")
            assert brought == Vectors(expected, Usage(4))
        assert [request.path for request in up.requests] == ["/v1/embeddings", "/api/embed"]

    async def test_floats_that_nobody_asked_for_are_understood(self, up: Upstream) -> None:
        up.script("m", steps.vectors(base64=False))
        assert (await _embed(OpenAIWire(up.openai), up.url, "one")).vectors == [list(vector_of("one"))]

    async def test_a_status_is_a_signal(self, up: Upstream) -> None:
        up.script("m", steps.status(503))
        with pytest.raises(Signal) as caught:
            await _embed(OllamaWire(up.ollama), up.url, "one")
        assert (caught.value.what, caught.value.status) == ("status", 503)

    async def test_a_page_is_no_answer(self, up: Upstream) -> None:
        up.script("m", steps.html())
        with pytest.raises(Signal, match="a page instead of an answer"):
            await _embed(OpenAIWire(up.openai), up.url, "one")

    async def test_a_protocol_without_embeddings_says_so_and_sends_nothing(self, up: Upstream) -> None:
        with pytest.raises(Signal, match="has no embeddings") as caught:
            await _embed(AnthropicWire(up.anthropic), up.url, "one")
        assert caught.value.what == "unsupported"
        assert up.requests == []


def test_float32_is_read_as_it_was_packed() -> None:
    numbers = (0.1, -1.5e-30, 3.4e38, 0.0)
    kept = list(struct.unpack("<4f", struct.pack("<4f", *numbers)))
    assert OPENAI.read(_items((0, packed(numbers)))).vectors == [kept]
