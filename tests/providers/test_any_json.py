"""Whatever JSON a server sends, a wire makes an answer of it or a signal, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings, strategies as st

from engine.messages import Delta, ToolCall, ToolCallDelta, Usage
from engine.providers.anthropic import AnthropicWire
from engine.providers.base import Answer, End, Finish, Part, Signal
from engine.providers.ollama import OllamaWire
from engine.providers.openai import OpenAIWire
from engine.providers.wire import Wire
from tests.providers import anthropic_bodies, openai_bodies, test_ollama
from tests.providers.played import sse

Json = Any
Place = tuple[str | int, ...]

WIRES: Final[dict[str, Wire]] = {
    "openai": OpenAIWire("http://x.example"),
    "anthropic": AnthropicWire("http://x.example"),
    "ollama": OllamaWire("http://x.example"),
}
WHOLE: Final[dict[str, list[Json]]] = {
    "openai": [openai_bodies.WHOLE, openai_bodies.CALLS_A_TOOL],
    "anthropic": [anthropic_bodies.WHOLE, anthropic_bodies.CALLS_A_TOOL],
    "ollama": [test_ollama.WHOLE, test_ollama.CALLS_A_TOOL],
}
STREAMED: Final[dict[str, list[Json]]] = {
    "openai": [
        json.loads(openai_bodies.chunk({"role": "assistant", "content": "Hi", "reasoning": "Hm"})),
        json.loads(openai_bodies.chunk(openai_bodies.piece(0, id="c", name="f", arguments="{"))),
        json.loads(openai_bodies.chunk({"function_call": {"name": "f", "arguments": "{}"}})),
        json.loads(openai_bodies.chunk({"refusal": "No"}, "stop", x_groq={"usage": {"prompt_tokens": 1}})),
        json.loads(openai_bodies.USAGE_CHUNK),
    ],
    "anthropic": [
        anthropic_bodies.start(),
        anthropic_bodies.block(0, type="tool_use", id="a", name="f", input={"x": [1]}),
        anthropic_bodies.delta(0, "input_json_delta", partial_json="{}"),
        anthropic_bodies.block_stop(0),
        anthropic_bodies.block(1, type="thinking", thinking="Hm"),
        anthropic_bodies.delta(1, "text_delta", text="Hi"),
        anthropic_bodies.end("end_turn", output_tokens=3, cache_read_input_tokens=1),
        anthropic_bodies.STOP,
    ],
    "ollama": [
        test_ollama.line("Hi", thinking="Hm"),
        {**test_ollama.CALLS_A_TOOL, "done": False},
        test_ollama.DONE,
    ],
}
FRAMES: Final[dict[str, Callable[[str], bytes]]] = {
    "openai": sse,
    "anthropic": sse,
    "ollama": lambda data: data.encode() + b"\n",
}


def words(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from words(inner)
    elif isinstance(value, str):
        yield value


# The protocols' own words, so that arbitrary JSON gets past the first check now and then.
WORDS: Final = sorted(set(words([*WHOLE.values(), *STREAMED.values()])))

texts = st.one_of(st.sampled_from(WORDS), st.text(st.characters(), max_size=8), st.just("\ud83d"))
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.just(10**400), st.sampled_from([0, 1, -1])
)
anything: st.SearchStrategy[Json] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(texts, inner, max_size=4),
    ),
    max_leaves=12,
)


def places(value: Json, here: Place = ()) -> Iterator[Place]:
    yield here
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*here, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from places(inner, (*here, place))


@st.composite
def mutated(draw: st.DrawFn, bodies: list[Json]) -> Json:
    """A body that is right but for one or two places: something else stands there, or nothing."""
    body = copy.deepcopy(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(list(places(body))))
        if not place:
            return draw(anything)
        holder = body
        for step in place[:-1]:
            holder = holder[step]
        if draw(st.booleans()):
            holder[place[-1]] = draw(anything)
        else:
            del holder[place[-1]]
    return body


def is_text(value: object) -> bool:
    return isinstance(value, str) and value.encode() is not None


def is_count(value: object) -> bool:
    return value is None or (type(value) is int and value >= 0)


def is_usage(usage: object) -> bool:
    return type(usage) is Usage and is_count(usage.input_tokens) and is_count(usage.output_tokens)


def check_answer(answer: Answer) -> None:
    assert is_text(answer.text)
    assert is_text(answer.reasoning)
    assert is_text(answer.finish_reason)
    assert is_usage(answer.usage)
    for call in answer.tool_calls:
        assert type(call) is ToolCall
        assert call.id
        assert call.name
        assert all(map(is_text, call))


def check_part(part: Part) -> None:
    match part:
        case Delta():
            assert part != Delta()
            assert is_text(part.text)
            assert is_text(part.reasoning)
            piece = part.tool_call
            if piece is not None:
                assert piece != ToolCallDelta(piece.index)
                assert all(map(is_text, (piece.id, piece.name, piece.arguments)))
        case Finish():
            assert part.reason
            assert is_text(part.reason)
        case Usage():
            assert is_usage(part)
            assert part != Usage()
        case _:
            assert type(part) is End


def check_signal(signal: Signal) -> None:
    assert signal.what in ("protocol", "error")
    assert is_text(signal.message)


def read(wire: Wire, body: Json) -> None:
    try:
        answer = wire.read(body)
    except Signal as signal:
        check_signal(signal)
    else:
        check_answer(answer)


def feed(protocol: str, events: list[Json]) -> None:
    reader = WIRES[protocol].reader()
    parts: list[Part] = []
    try:
        for event in events:
            parts += reader.feed(FRAMES[protocol](json.dumps(event)))
        parts += reader.finish()
    except Signal as signal:
        check_signal(signal)
    for part in parts:
        check_part(part)


@pytest.mark.parametrize("protocol", WIRES)
@given(st.data())
@settings(deadline=None)
def test_any_json_is_an_answer_or_a_signal(protocol: str, data: st.DataObject) -> None:
    read(WIRES[protocol], data.draw(anything))


@pytest.mark.parametrize("protocol", WIRES)
@given(st.data())
@settings(deadline=None, max_examples=200)
def test_a_body_that_is_nearly_right_is_an_answer_or_a_signal(protocol: str, data: st.DataObject) -> None:
    read(WIRES[protocol], data.draw(mutated(WHOLE[protocol])))


@pytest.mark.parametrize("protocol", WIRES)
@given(st.data())
@settings(deadline=None)
def test_any_json_in_a_stream_is_parts_or_a_signal(protocol: str, data: st.DataObject) -> None:
    feed(protocol, data.draw(st.lists(anything, max_size=4)))


@pytest.mark.parametrize("protocol", WIRES)
@given(st.data())
@settings(deadline=None, max_examples=200)
def test_a_stream_that_is_nearly_right_is_parts_or_a_signal(protocol: str, data: st.DataObject) -> None:
    events = list(STREAMED[protocol])
    place = data.draw(st.integers(0, len(events) - 1))
    events[place] = data.draw(mutated([events[place]]))
    feed(protocol, events)


@pytest.mark.parametrize("protocol", WIRES)
@given(body=st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_in_a_stream_are_parts_or_a_signal(protocol: str, body: bytes) -> None:
    reader = WIRES[protocol].reader()
    try:
        for part in reader.feed(body) + reader.finish():
            check_part(part)
    except Signal as signal:
        check_signal(signal)


@pytest.mark.parametrize("protocol", WIRES)
def test_what_a_stream_is_tested_with_is_right_to_begin_with(protocol: str) -> None:
    reader = WIRES[protocol].reader()
    body = b"".join(FRAMES[protocol](json.dumps(event)) for event in STREAMED[protocol])
    parts = reader.feed(body) + reader.feed(b"") + reader.finish()
    assert {type(part) for part in parts} >= {Delta, Finish, Usage}
    for whole in WHOLE[protocol]:
        check_answer(WIRES[protocol].read(whole))
