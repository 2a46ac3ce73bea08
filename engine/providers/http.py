"""Calls over HTTP, the same for every wire protocol: send what the wire wrote, read what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final

from engine.incoming import Incoming
from engine.messages import Delta, ToolCallDelta
from engine.providers.base import (
    Answer,
    Call,
    EmbedCall,
    EmbedLimits,
    End,
    Finish,
    Part,
    Signal,
    Vectors,
)
from engine.providers.rejection import page_text, rejected
from engine.providers.wire import Outgoing, StreamReader, Wire
from engine.transport import Transport

_LARGEST: Final = 64 * 1024 * 1024
# A call's worth of long vectors, from a server that writes them out digit by digit.
_LARGEST_VECTORS: Final = 256 * 1024 * 1024
_LARGEST_ERROR: Final = 64 * 1024
# Lines of a stream until its first token: a role, a ping or two.
_FIRST_LINES: Final = 16
# An error whose body does not end is an error all the same.
_ERROR_BODY_S: Final = 2.0

# Streams of JSON objects, one a line: what Ollama sends, and the other names of the same.
_LINES: Final = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
_UNPARSED: Final = object()


class HttpProvider:
    """Answers calls with what a server says; see `Provider` for what its methods promise.

    Args:
        wire: The protocol.
        transport: The way to the server; closed with the provider.
    """

    def __init__(self, wire: Wire, transport: Transport) -> None:
        self._wire = wire
        self._transport = transport

    def __repr__(self) -> str:
        return f"<HttpProvider {type(self._wire).__name__} {self._transport!r}>"

    async def complete(self, call: Call) -> Answer:
        """One whole answer.

        Raises:
            Signal: Something went wrong.
        """
        return self._wire.read(await self._json(self._written(call, stream=False), call, _LARGEST))

    @property
    def embed_limits(self) -> EmbedLimits:
        """How much one call for vectors may carry."""
        embeddings = self._wire.embeddings
        return EmbedLimits() if embeddings is None else embeddings.limits

    async def embed(self, call: EmbedCall) -> Vectors:
        """One vector for each text.

        Raises:
            Signal: Something went wrong, or this provider's protocol has no embeddings.
        """
        embeddings = self._wire.embeddings
        if embeddings is None:
            raise Signal("unsupported", "this provider's API has no embeddings; ask another one for them")
        return embeddings.read(await self._json(embeddings.build(call), call, _LARGEST_VECTORS))

    def stream(self, call: Call) -> _Streamed:
        """One streamed answer; a context manager that gives an iterator over batches of parts.

        Raises:
            Signal: On entering or while iterating, when something goes wrong.
        """
        return _Streamed(self._wire, lambda: self._send(self._written(call, stream=True), call, stream=True))

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._transport.aclose()

    def _written(self, call: Call, *, stream: bool) -> Outgoing | Signal:
        """The call as the wire writes it down."""
        try:
            return self._wire.build(call, stream=stream)
        except ValueError as error:  # what JSON can't say: NaN, bytes, a circle. No model would take it.
            return Signal("unsupported", str(error))

    async def _json(self, outgoing: Outgoing | Signal, call: Call | EmbedCall, largest: int) -> Any:
        """The decoded body of a successful answer."""
        incoming = await self._send(outgoing, call, stream=False)
        try:
            body = await incoming.read(largest)
        finally:
            await incoming.aclose()
        decoded = _decoded(body)
        if decoded is _UNPARSED:
            raise _unreadable(incoming, body)
        return decoded

    async def _send(self, outgoing: Outgoing | Signal, call: Call | EmbedCall, *, stream: bool) -> Incoming:
        """The head of a successful answer."""
        if isinstance(outgoing, Signal):
            raise outgoing
        incoming = await self._transport.send(
            outgoing.url,
            outgoing.body,
            outgoing.headers,
            key=call.key,
            key_header=self._wire.key_header,
            stream=stream,
            connect_timeout_s=call.connect_timeout_s,
        )
        if 200 <= incoming.status < 300:
            return incoming
        try:
            raise await _rejection(incoming)
        finally:
            await incoming.aclose()


class _Streamed:
    """One streamed call: the context, and its iterator. No generator, for a context should cost little."""

    __slots__ = ("_begun", "_ended", "_incoming", "_reader", "_rest", "_send", "_spoken", "_wire")

    _incoming: Incoming
    _reader: StreamReader

    def __init__(self, wire: Wire, send: Callable[[], Awaitable[Incoming]]) -> None:
        self._wire = wire
        self._send = send
        self._begun = False
        self._spoken = False
        self._rest = b""
        self._ended = False

    async def __aenter__(self) -> AsyncIterator[Sequence[Part]]:
        self._incoming = await self._send()
        self._reader = self._wire.reader()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._incoming.aclose()

    def __aiter__(self) -> AsyncIterator[Sequence[Part]]:
        return self

    async def __anext__(self) -> Sequence[Part]:
        if self._ended:
            raise StopAsyncIteration
        reader = self._reader
        reader.feed(b"")  # raises the error that stood behind the last batch, before the next is waited for
        chunk, self._rest = self._rest or await self._incoming.next_chunk(), b""
        if not chunk:
            self._ended = True
            parts = reader.finish()
            if not parts:
                raise StopAsyncIteration
            return parts
        if self._spoken:
            return reader.feed(chunk)
        return self._first_parts(chunk) if self._begun else await self._begin(chunk)

    async def _begin(self, chunk: bytes) -> Sequence[Part]:
        """The first batch, if the body is a stream; else what it is instead."""
        first = (chunk[:64].lstrip(_BLANK) or chunk.lstrip(_BLANK))[:1]
        if not first:
            return self._reader.feed(chunk)
        self._begun = True
        incoming = self._incoming
        if first == b"<" or incoming.content_type == "text/html":
            self._ended = True
            raise _unreadable(incoming, chunk + await incoming.read_start(_LARGEST_ERROR))
        if first in (b"{", b"[") and incoming.content_type not in _LINES:
            self._ended = True
            return self._whole(chunk + await incoming.read(_LARGEST))
        return self._first_parts(chunk)

    def _first_parts(self, chunk: bytes) -> Sequence[Part]:
        """A stream's first parts, without what came with them: the first token waits for no other.

        The reader takes bytes in any split, so the first lines are given to it one by one.
        """
        feed = self._reader.feed
        start = 0
        for _ in range(_FIRST_LINES):
            end = chunk.find(b"\n", start) + 1
            if not end:
                break
            parts = feed(chunk[start:end])
            start = end
            if parts:
                self._spoken = True
                self._rest = chunk[start:]
                return parts
        parts = feed(chunk[start:])
        self._spoken = bool(parts)
        return parts

    def _whole(self, body: bytes) -> Sequence[Part]:
        """JSON where a stream was asked for: the server does not stream, or sends an error as a 200."""
        decoded = _decoded(body)
        if decoded is _UNPARSED:
            # Lines of JSON under another name, or nothing at all; the protocol's reader knows.
            return [*self._reader.feed(body), *self._reader.finish()]
        return _parts(self._wire.read(decoded))


_BLANK: Final = b"\xef\xbb\xbf \t\r\n"


async def _rejection(incoming: Incoming) -> Signal:
    body = b""
    try:
        async with asyncio.timeout(_ERROR_BODY_S):
            body = await incoming.read_start(_LARGEST_ERROR)
    except TimeoutError:
        pass
    return rejected(incoming.status, incoming.headers, body)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return _UNPARSED


def _unreadable(incoming: Incoming, body: bytes) -> Signal:
    """A 200 that is no answer. Of its body only a page's title is told: the rest may be an answer's text."""
    if not body.strip():
        return Signal("protocol", "a 200 with an empty body")
    if incoming.content_type == "text/html" or body.lstrip(_BLANK).startswith(b"<"):
        title = page_text(body)[:100]
        return Signal("protocol", f"a page instead of an answer ({title}); is a proxy or a login in between?")
    return Signal(
        "protocol", f"a 200 whose body is not JSON, but {incoming.content_type or 'of no known type'}"
    )


def _parts(answer: Answer) -> list[Part]:
    """A whole answer as the one batch of a stream."""
    parts: list[Part] = []
    if answer.text or answer.reasoning:
        parts.append(Delta(answer.text, answer.reasoning))
    for index, call in enumerate(answer.tool_calls):
        parts.append(Delta(tool_call=ToolCallDelta(index, call.id, call.name, call.arguments)))
    if answer.finish_reason:
        parts.append(Finish(answer.finish_reason))
    return [*parts, answer.usage, End()]
