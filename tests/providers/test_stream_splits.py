"""However the network cuts a stream, it says the same: every cut in two, in three, and byte by byte."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import pytest

from engine.messages import Delta, ToolCallDelta, Usage
from engine.providers.anthropic import AnthropicWire
from engine.providers.base import End, Finish, Part, Signal
from engine.providers.ollama import OllamaWire
from engine.providers.openai import OpenAIWire
from engine.providers.sse import LineReader, SseReader
from engine.providers.wire import Wire
from tests.providers import anthropic_bodies, openai_bodies, test_ollama
from tests.providers.played import Told, sse, told
from tests.providers.test_sse import by_the_book

Cut = Iterable[bytes]


def in_two(data: bytes) -> Iterator[Cut]:
    return ((data[:place], data[place:]) for place in range(len(data) + 1))


def in_three(data: bytes) -> Iterator[Cut]:
    places = itertools.combinations_with_replacement(range(len(data) + 1), 2)
    return ((data[:a], data[a:b], data[b:]) for a, b in places)


def in_bytes(data: bytes) -> Iterator[Cut]:
    yield (data[place : place + 1] for place in range(len(data)))


CUTS: Final = (in_two, in_three, in_bytes)


def every_cut(data: bytes) -> Iterator[list[bytes]]:
    return (list(cut) for ways in CUTS for cut in ways(data))


EVENTS: Final[dict[str, bytes]] = {
    "LF": b"data: a\n\ndata: b\n\n",
    "CR": b"data: a\r\rdata: b\r\r",
    "CRLF": b"data: a\r\n\r\ndata: b\r\n\r\n",
    "mixed ends": b"data: a\r\n\ndata: b\n\rdata: c\r\r\ndata: d\n\r\n",
    "CR before CRLF": b"data: a\r\r\n\r\ndata: b\r\n\rdata: c\n\n",
    "a BOM": "\ufeffdata: a\n\n\ufeffdata: b\n\ndata: \ufeffc\n\n".encode(),
    "a BOM and CRLF": "\ufeff\r\ndata: a\r\n\r\n".encode(),
    "half a BOM": b"\xef\xbbdata: a\n\ndata: b\n\n",
    "comments": b": ping\n\n:\ndata: a\n:x\n\n: OPENROUTER PROCESSING\n\ndata: b\n\n",
    "characters of many bytes": "data: é世🌍\n\ndata: 🏳️‍🌈\n\n".encode(),
    "separators that are text": "data: a\u2028b\u2029c\u0085d\x0b\x0c\x1c\n\ndata: e\n\n".encode(),
    "several data lines": b"data: a\ndata:\ndata:  b\ndata\n\ndata: {\ndata: }\n\n",
    "names": b"event: error\ndata: a\n\nevent\ndata: b\n\nevent:x\nevent: y\ndata: c\n\n",
    "ids and retries": b"id: 1\0\nretry: 3000\ndata: a\n\nid\nretry: x\ndata: b\n\n",
    "fields of nobody": b" data: x\nDATA: y\ndatax: z\ndata: a\n\nfoo\n\n",
    "blank lines": b"\n\n\ndata: a\n\n\n\n\r\n\r\ndata: b\n\n\n",
    "blank data": b"data:\n\ndata: \n\ndata:   \n\ndata: a\n\n",
    "no UTF-8": b"data: \xff\xf0\x9f\n\ndata: \xe4\xb8\n\ndata: a\n\n",
    "no blank line at the end": b'data: {"a": 1}\n\ndata: {"b": 2}',
    "half an end": b"data: {}\r\n\r\ndata: [DONE]\r\n",
    "no line end at all": b"data: [DONE]",
    "an event cut off": b'data: a\n\ndata: {"a": ',
    "nothing": b"",
}


def sse_events(cut: Cut) -> tuple[Any, Any]:
    reader = SseReader()
    return [event for chunk in cut for event in reader.feed(chunk)], reader.finish()


@pytest.mark.parametrize("data", EVENTS.values(), ids=EVENTS)
def test_every_cut_of_a_stream_gives_the_same_events(data: bytes) -> None:
    whole = sse_events([data])
    assert whole[0] == by_the_book(data)
    for pieces in every_cut(data):
        assert sse_events(pieces) == whole, pieces


LINES: Final[dict[str, bytes]] = {
    "LF": b'{"a": 1}\n{"b": 2}\n',
    "CRLF": b'{"a": 1}\r\n\r\n{"b": 2}\r\n',
    "a BOM": b'\xef\xbb\xbf{"a": 1}\n{"b": 2}\n',
    "text": '{"a": "é世🌍\u2028\u0085"}\n\n  \n{"b": "\\n"}\n'.encode(),
    "no end": b'{"a": 1}\n{"b": 2}',
    "cut off": b'{"a": 1}\n{"b": ',
    "nothing": b"",
}


def lines(cut: Cut) -> tuple[Any, Any]:
    reader = LineReader()
    return [line for chunk in cut for line in reader.feed(chunk)], reader.finish()


@pytest.mark.parametrize("data", LINES.values(), ids=LINES)
def test_every_cut_of_lines_gives_the_same_lines(data: bytes) -> None:
    whole = lines([data])
    for pieces in every_cut(data):
        assert lines(pieces) == whole, pieces


def play(wire: Wire, cut: Cut) -> tuple[list[Part], Told | None]:
    reader = wire.reader()
    parts: list[Part] = []
    try:
        for chunk in cut:
            parts += reader.feed(chunk)
            parts += reader.feed(b"")
        parts += reader.finish()
    except Signal as signal:
        return parts, told(signal)
    return parts, None


OPENAI: Final = OpenAIWire("http://x.example")
ANTHROPIC: Final = AnthropicWire("http://x.example")
OLLAMA: Final = OllamaWire("http://x.example")

# Bodies as the providers' pages show them.
RECORDED: Final[dict[str, tuple[Wire, bytes, list[Part]]]] = {
    "openai": (
        OPENAI,
        sse(
            openai_bodies.chunk({"role": "assistant", "content": ""}),
            openai_bodies.chunk({"content": "é世🌍\u2028"}),
            openai_bodies.chunk(openai_bodies.piece(0, id="c", name="f", arguments="{}")),
            openai_bodies.chunk({}, "tool_calls"),
            openai_bodies.USAGE_CHUNK,
            "[DONE]",
        ),
        [
            Delta("é世🌍\u2028"),
            Delta(tool_call=ToolCallDelta(0, "c", "f", "{}")),
            Finish("tool_calls"),
            Usage(19, 2),
            End(),
        ],
    ),
    "anthropic": (
        ANTHROPIC,
        anthropic_bodies.stream(
            anthropic_bodies.start(input_tokens=3, output_tokens=1),
            anthropic_bodies.PING,
            anthropic_bodies.block(0, type="text", text=""),
            anthropic_bodies.delta(0, "text_delta", text="é世🌍"),
            anthropic_bodies.block_stop(0),
            anthropic_bodies.end("end_turn", output_tokens=2),
            anthropic_bodies.STOP,
        ),
        [Usage(3, 1), Delta("é世🌍"), Finish("stop"), Usage(3, 2), End()],
    ),
    "ollama": (
        OLLAMA,
        test_ollama.stream(test_ollama.line("é世"), test_ollama.line("🌍\u2028"), test_ollama.DONE),
        [Delta("é世"), Delta("🌍\u2028"), Finish("stop"), Usage(26, 282), End()],
    ),
}


@pytest.mark.parametrize(("wire", "body", "parts"), RECORDED.values(), ids=RECORDED)
def test_every_cut_of_a_recorded_stream_gives_the_same_parts(
    wire: Wire, body: bytes, parts: list[Part]
) -> None:
    for ways in (in_two, in_bytes):
        for cut in ways(body):
            assert play(wire, cut) == (parts, None)


# The same with nothing in it that the readers pass over, small enough for every cut in three.
SMALL: Final[dict[str, tuple[Wire, bytes]]] = {
    "openai": (
        OPENAI,
        'data: {"choices":[{"delta":{"content":"é🌍"},"finish_reason":"stop"}]}\r\n\r\n'
        'data: {"usage":{"prompt_tokens":1}}\n\ndata: [DONE]'.encode(),
    ),
    "openai, with an error": (
        OPENAI,
        'data: {"choices":[{"delta":{"content":"é"}}]}\n\n: ping\n\n'
        'data: {"error":{"code":502,"message":"世"}}\r\rdata: {}\n\n'.encode(),
    ),
    "anthropic": (
        ANTHROPIC,
        'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"🌍"}}\n\n'
        'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n'.encode(),
    ),
    "ollama": (
        OLLAMA,
        '{"message":{"content":"é"}}\r\n{"message":{"content":"🌍"},"done":true}'.encode(),
    ),
    "ollama, with an error": (OLLAMA, '{"message":{"content":"é"}}\n{"error":"世"}\n{}\n'.encode()),
    "garbage": (OPENAI, b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: <html>\n\n'),
}


@pytest.mark.parametrize("ways", CUTS)
@pytest.mark.parametrize(("wire", "body"), SMALL.values(), ids=SMALL)
def test_every_cut_of_a_small_stream_gives_the_same_parts_and_the_same_end(
    wire: Wire, body: bytes, ways: Callable[[bytes], Iterator[Cut]]
) -> None:
    whole = play(wire, [body])
    assert whole[0]
    for cut in ways(body):
        pieces = list(cut)
        assert play(wire, pieces) == whole, pieces
