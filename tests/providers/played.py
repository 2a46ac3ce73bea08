"""Plays streams to a wire's reader, and makes the calls that the wires' tests write down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.messages import Delta, Params, ToolCall
from engine.providers.base import Call, Part, Signal
from engine.providers.wire import Wire

Told = tuple[str, str, int, tuple[str, ...]]
"""What a signal says: what, message, status, codes."""


def call(*messages: dict[str, Any], model: str = "tiny", **params: Any) -> Call:
    """A call with these messages; with none, a user says `Hello`."""
    return Call(model, messages or ({"role": "user", "content": "Hello"},), Params(**params))


def told(signal: Signal | None) -> Told | None:
    return None if signal is None else (signal.what, signal.message, signal.status, signal.codes)


def played(wire: Wire, body: bytes) -> tuple[list[Part], Signal | None]:
    """The parts of a stream and the signal that ended it; the same however its bytes arrive."""
    whole = _play(wire, [body])
    singly = _play(wire, [body[place : place + 1] for place in range(len(body))])
    assert whole[0] == singly[0]
    assert [type(part) for part in whole[0]] == [type(part) for part in singly[0]]
    assert told(whole[1]) == told(singly[1])
    return whole


def parts_of(wire: Wire, body: bytes) -> list[Part]:
    """The parts of a stream that ends without an error."""
    parts, signal = played(wire, body)
    assert told(signal) is None
    return parts


def assembled(parts: Sequence[Part]) -> list[ToolCall]:
    """The tool calls that a stream's pieces make up."""
    calls: dict[int, list[str]] = {}
    for part in parts:
        if isinstance(part, Delta) and part.tool_call is not None:
            piece = part.tool_call
            call = calls.setdefault(piece.index, ["", "", ""])
            call[0] += piece.id
            call[1] += piece.name
            call[2] += piece.arguments
    assert sorted(calls) == list(range(len(calls)))
    return [ToolCall(*calls[index]) for index in sorted(calls)]


def sse(*data: str) -> bytes:
    """Server-sent events without names."""
    return "".join(f"data: {line}\n\n" for line in data).encode()


def _play(wire: Wire, chunks: Sequence[bytes]) -> tuple[list[Part], Signal | None]:
    reader = wire.reader()
    parts: list[Part] = []
    try:
        for chunk in chunks:
            parts += reader.feed(chunk)
        parts += reader.feed(b"")
        parts += reader.finish()
    except Signal as signal:
        return parts, signal
    return parts, None
