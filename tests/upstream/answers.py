"""Good answers, and the odd but lawful ways they travel in."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.upstream.exchange import Exchange, Step
from tests.upstream.protocols import Frame, Said, ToolUse, dumps, frames, heartbeat, whole
from tests.upstream.vectors import embedded, vector_of

Hold = Mapping[int, asyncio.Event] | Mapping[str, asyncio.Event] | Mapping[int | str, asyncio.Event]
Shape = Callable[[bytes], list[bytes]]

JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class _Good:
    said: Said
    hold: Hold
    headers: Mapping[str, str]
    shape: Shape
    without: frozenset[str]
    prefix: Sequence[bytes]
    beats: bool
    burst: bool
    framed: bool

    async def __call__(self, exchange: Exchange) -> None:
        await self._reach("head")
        request = exchange.request
        if "input" in request.body:
            await self._whole(exchange, dumps(embedded(request.protocol, request.body)))
        elif request.stream:
            await self._stream(exchange, frames(request.protocol, request.model, self.said))
        else:
            await self._whole(exchange, dumps(whole(request.protocol, request.model, self.said)))

    async def _whole(self, exchange: Exchange, body: bytes) -> None:
        if self.framed:
            await exchange.whole(200, {**JSON, **self.headers}, body)
        else:
            await exchange.start(headers={**JSON, **self.headers}, chunked=False)
            await exchange.send(body)
            await exchange.end()

    async def _stream(self, exchange: Exchange, planned: list[Frame]) -> None:
        await exchange.start(headers={**stream_type(exchange), **self.headers}, chunked=self.framed)
        pieces = 0
        chunks = list(self.prefix)
        for frame in planned:
            await self._reach(pieces if frame.kind == "piece" else frame.kind)
            pieces += frame.kind == "piece"
            if frame.kind not in self.without and _wanted(exchange, frame):
                before = heartbeat(exchange.request.protocol) if self.beats else b""
                chunks += self.shape(before + frame.data)
            if not self.burst:
                await _send_all(exchange, chunks)
        await _send_all(exchange, [b"".join(chunks)] if chunks else [])
        await self._reach("end")
        await exchange.end()

    async def _reach(self, point: int | str) -> None:
        for place, event in self.hold.items():
            if place == point:
                await event.wait()


def _wanted(exchange: Exchange, frame: Frame) -> bool:
    """OpenAI counts the tokens of a stream only if it is asked to."""
    asked = exchange.request.body.get("stream_options") or {}
    return frame.kind != "usage" or bool(asked.get("include_usage"))


async def _send_all(exchange: Exchange, chunks: list[bytes]) -> None:
    for chunk in chunks:
        await exchange.send(chunk)
    chunks.clear()


def stream_type(exchange: Exchange) -> dict[str, str]:
    """The content type of the request's protocol for streams."""
    lines = exchange.request.protocol == "ollama"
    return {"content-type": "application/x-ndjson" if lines else "text/event-stream; charset=utf-8"}


def words(text: str) -> tuple[str, ...]:
    """A text as streams cut it: each word with the blank before it."""
    first, *others = text.split(" ")
    return (first, *(f" {word}" for word in others)) if text else ()


def ok(
    text: str = "Hello there",
    *,
    pieces: Sequence[str] | None = None,
    reasoning: Sequence[str] = (),
    tools: Sequence[ToolUse] = (),
    finish: str = "stop",
    usage: tuple[int, int] | None = (7, 3),
    hold: Hold | None = None,
    headers: Mapping[str, str] | None = None,
    shape: Shape = lambda data: [data],
    without: Sequence[str] = (),
    prefix: Sequence[bytes] = (),
    beats: bool = False,
    burst: bool = False,
    framed: bool = True,
) -> Step:
    """A good answer, plain or streaming as it was asked for.

    `pieces` is how a stream cuts the text (by words, if not given). `hold` maps points to events to
    wait for: `head` (before the status line), a number (before that piece of the text), `finish`,
    `usage`, `done` (before the frame of that kind), `end` (before the body's end). `shape` turns a
    frame into the chunks it travels in, `without` names kinds of frames to leave out, `prefix` goes
    before the first. `beats` sends a heartbeat before each frame, `burst` all frames in one chunk;
    without `framed` the body ends with its connection.
    """
    cut = words(text) if pieces is None else tuple(pieces)
    said = Said(cut, tuple(reasoning), tuple(tools), finish, usage)
    return _Good(said, hold or {}, headers or {}, shape, frozenset(without), prefix, beats, burst, framed)


def vectors(
    *, make: Callable[[str], Sequence[float]] = vector_of, base64: bool | None = None, backwards: bool = False
) -> Step:
    """Vectors that `make` draws from the texts; `ok` brings those of `vector_of`, too.

    `base64` says in which form OpenAI's are sent, whatever was asked for; `backwards` sends its items
    in the order of falling indices.
    """

    async def step(exchange: Exchange) -> None:
        request = exchange.request
        body = embedded(request.protocol, request.body, make=make, in_base64=base64, backwards=backwards)
        await exchange.whole(200, JSON, dumps(body))

    return step


def tool_call(name: str = "get_weather", arguments: str = '{"city": "Oslo"}', *, text: str = "") -> Step:
    """A tool call, after a text if one is given."""
    return ok(text, tools=[ToolUse(name, arguments)], finish="tool_calls")


def byte_by_byte(text: str = "Hello there", **options: Any) -> Step:
    """Each byte of the stream is a chunk of its own."""
    return ok(text, shape=lambda data: [data[place : place + 1] for place in range(len(data))], **options)


def burst(text: str = "Hello there", **options: Any) -> Step:
    """The whole stream in one chunk."""
    return ok(text, burst=True, **options)


def crlf(text: str = "Hello there", **options: Any) -> Step:
    """Lines end with CRLF, and the two are sent apart."""
    return ok(text, shape=lambda data: re.split(rb"(?<=\r)", data.replace(b"\n", b"\r\n")), **options)


def cr(text: str = "Hello there", **options: Any) -> Step:
    """Lines end with CR alone; Ollama's, whose format does not know that, stay as they are."""

    async def step(exchange: Exchange) -> None:
        end = b"\n" if exchange.request.protocol == "ollama" else b"\r"
        await ok(text, shape=lambda data: [data.replace(b"\n", end)], **options)(exchange)

    return step


def bom(text: str = "Hello there", **options: Any) -> Step:
    """The stream begins with a byte order mark, cut in two."""
    return ok(text, prefix=(b"\xef", b"\xbb\xbf"), **options)


def commented(text: str = "Hello there", **options: Any) -> Step:
    """A comment, a ping or an empty line before each frame."""
    return ok(text, beats=True, **options)


def no_done(text: str = "Hello there", **options: Any) -> Step:
    """No terminator after the finish reason; with Ollama the two are one line, which stays."""
    return ok(text, without=("done",), **options)


ODD_ENDS = ("a\u2028b", "\u2029c\u0085", "\u000bd\u000c")


def u2028(**options: Any) -> Step:
    """A text with characters that `str.splitlines` takes for line ends: the pieces of `ODD_ENDS`."""
    return ok(pieces=ODD_ENDS, **options)


def huge_line(size: int, **options: Any) -> Step:
    """A text of that many bytes in one event."""
    return ok(pieces=["x" * size], **options)


def gzipped(text: str = "Hello there") -> Step:
    """A plain answer that travels compressed."""

    async def step(exchange: Exchange) -> None:
        request = exchange.request
        body = gzip.compress(dumps(whole(request.protocol, request.model, Said(words(text)))))
        await exchange.whole(200, {**JSON, "content-encoding": "gzip"}, body)

    return step


def whole_for_a_stream(text: str = "Hello there", *, tools: Sequence[ToolUse] = ()) -> Step:
    """A whole JSON answer, also when a stream was asked for."""

    async def step(exchange: Exchange) -> None:
        request = exchange.request
        said = Said(words(text), ("Hm.",), tuple(tools))
        await exchange.whole(200, JSON, dumps(whole(request.protocol, request.model, said)))

    return step


def closing(text: str = "Hello there", **options: Any) -> Step:
    """A good answer whose body ends with its connection: no length, no chunks."""
    return ok(text, framed=False, **options)
