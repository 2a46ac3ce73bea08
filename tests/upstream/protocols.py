"""What the real providers send: whole answers, stream frames and errors of the three protocols."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Protocol = Literal["openai", "anthropic", "ollama"]
Json = dict[str, Any]

_ANTHROPIC_STOP = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


class Frame(NamedTuple):
    """One event or line of a stream.

    `kind` is `lead` (scaffolding), `reasoning`, `piece` (of the text), `tool`, `finish`, `usage` or `done`.
    """

    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool call that a scripted answer makes; `arguments` is the text of a JSON object."""

    name: str = "get_weather"
    arguments: str = '{"city": "Oslo"}'
    id: str = "call_1"

    @property
    def halves(self) -> tuple[str, str]:
        middle = len(self.arguments) // 2
        return self.arguments[:middle], self.arguments[middle:]


@dataclass(frozen=True, slots=True)
class Said:
    """What a scripted model says, before any protocol writes it down.

    `pieces` is the text as a stream cuts it; `usage` is (input, output), or None for an upstream that
    does not count; an empty `finish` is a model that never says why it stopped.
    """

    pieces: tuple[str, ...] = ("Hello", " there")
    reasoning: tuple[str, ...] = ()
    tools: tuple[ToolUse, ...] = ()
    finish: str = "stop"
    usage: tuple[int, int] | None = (7, 3)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def protocol_of(path: str) -> Protocol | None:
    """The protocol that a request's path belongs to."""
    path = path.partition("?")[0]
    if path.endswith(("/chat/completions", "/embeddings")):
        return "openai"
    if path.endswith("/messages"):
        return "anthropic"
    return "ollama" if path.endswith(("/api/chat", "/api/embed")) else None


def dumps(value: Any) -> bytes:
    """JSON as providers write it: no blanks, not escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sse(value: Any, name: str = "") -> bytes:
    """One server-sent event."""
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + dumps(value) + b"\n\n"


def error_body(protocol: Protocol, message: str, kind: str, code: str | None = None) -> Json:
    """An error in the protocol's own form."""
    if protocol == "anthropic":
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    if protocol == "ollama":
        return {"error": message}
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def error_frame(protocol: Protocol, message: str, kind: str, code: str | None = None) -> bytes:
    """An error in the middle of a stream."""
    body = error_body(protocol, message, kind, code)
    if protocol == "ollama":
        return dumps(body) + b"\n"
    return sse(body, "error" if protocol == "anthropic" else "")


def heartbeat(protocol: Protocol) -> bytes:
    """What keeps a silent stream alive: a comment, a ping, an empty line."""
    if protocol == "ollama":
        return b"\n"
    return sse({"type": "ping"}, "ping") if protocol == "anthropic" else b": keep-alive\n\n"


def terminator(protocol: Protocol) -> bytes:
    """What ends a stream, alone."""
    if protocol == "ollama":
        return dumps({"message": {"role": "assistant", "content": ""}, "done": True}) + b"\n"
    if protocol == "anthropic":
        return sse({"type": "message_stop"}, "message_stop")
    return b"data: [DONE]\n\n"


def whole(protocol: Protocol, model: str, said: Said) -> Json:
    """A whole answer."""
    writers = {"openai": _openai, "anthropic": _anthropic, "ollama": _ollama}
    return writers[protocol](model, said)


def frames(protocol: Protocol, model: str, said: Said) -> list[Frame]:
    """A streamed answer, terminator included."""
    if protocol == "ollama":
        return [Frame(kind, dumps(line) + b"\n") for kind, line in _ollama_lines(model, said)]
    if protocol == "anthropic":
        events = _anthropic_events(model, said)
        return [Frame(kind, sse(event, event["type"])) for kind, event in events]
    chunks = [Frame(kind, sse(chunk)) for kind, chunk in _openai_chunks(model, said)]
    return [*chunks, Frame("done", b"data: [DONE]\n\n")]


def _openai(model: str, said: Said) -> Json:
    message: Json = {"role": "assistant", "content": said.text or None}
    if said.reasoning:
        message["reasoning_content"] = "".join(said.reasoning)
    if said.tools:
        functions = [{"name": tool.name, "arguments": tool.arguments} for tool in said.tools]
        message["tool_calls"] = [
            {"id": tool.id, "type": "function", "function": function}
            for tool, function in zip(said.tools, functions, strict=True)
        ]
    choice = {"index": 0, "message": message, "finish_reason": said.finish or None}
    answer = {"id": "c1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
    return answer | _openai_usage(said)


def _openai_usage(said: Said) -> Json:
    if said.usage is None:
        return {}
    counts = {"prompt_tokens": said.usage[0], "completion_tokens": said.usage[1]}
    return {"usage": counts | {"total_tokens": sum(said.usage)}}


def _openai_chunks(model: str, said: Said) -> Iterator[tuple[str, Json]]:
    base = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model}

    def chunk(delta: Json, finish: str | None = None) -> Json:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield "lead", chunk({"role": "assistant", "content": ""})
    for piece in said.reasoning:
        yield "reasoning", chunk({"reasoning_content": piece})
    for piece in said.pieces:
        yield "piece", chunk({"content": piece})
    for index, tool in enumerate(said.tools):
        first, second = tool.halves
        function = {"name": tool.name, "arguments": first}
        start = {"index": index, "id": tool.id, "type": "function", "function": function}
        yield "tool", chunk({"tool_calls": [start]})
        yield "tool", chunk({"tool_calls": [{"index": index, "function": {"arguments": second}}]})
    if said.finish:
        yield "finish", chunk({}, said.finish)
    if said.usage:
        yield "usage", {**base, "choices": []} | _openai_usage(said)


def _anthropic(model: str, said: Said) -> Json:
    content: list[Json] = []
    if said.reasoning:
        content.append({"type": "thinking", "thinking": "".join(said.reasoning), "signature": "s"})
    if said.text:
        content.append({"type": "text", "text": said.text})
    for tool in said.tools:
        arguments = json.loads(tool.arguments)
        content.append({"type": "tool_use", "id": tool.id, "name": tool.name, "input": arguments})
    stop = _ANTHROPIC_STOP.get(said.finish, said.finish) or None
    answer: Json = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": content}
    answer |= {"stop_reason": stop, "stop_sequence": None}
    if said.usage:
        answer["usage"] = {"input_tokens": said.usage[0], "output_tokens": said.usage[1]}
    return answer


def _anthropic_events(model: str, said: Said) -> Iterator[tuple[str, Json]]:
    message = _anthropic(model, Said((), finish="", usage=said.usage and (said.usage[0], 1)))
    yield "lead", {"type": "message_start", "message": message}
    for index, (kind, start, deltas) in enumerate(_anthropic_blocks(said)):
        yield "lead", {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield kind, {"type": "content_block_delta", "index": index, "delta": delta}
        yield "lead", {"type": "content_block_stop", "index": index}
    if said.finish:
        stop = {"stop_reason": _ANTHROPIC_STOP.get(said.finish, said.finish), "stop_sequence": None}
        count = {"usage": {"output_tokens": said.usage[1]}} if said.usage else {}
        yield "finish", {"type": "message_delta", "delta": stop, **count}
    yield "done", {"type": "message_stop"}


def _anthropic_blocks(said: Said) -> Iterator[tuple[str, Json, list[Json]]]:
    if said.reasoning:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in said.reasoning]
        yield "reasoning", {"type": "thinking", "thinking": "", "signature": ""}, deltas
    if said.pieces:
        deltas = [{"type": "text_delta", "text": piece} for piece in said.pieces]
        yield "piece", {"type": "text", "text": ""}, deltas
    for tool in said.tools:
        deltas = [{"type": "input_json_delta", "partial_json": half} for half in tool.halves]
        yield "tool", {"type": "tool_use", "id": tool.id, "name": tool.name, "input": {}}, deltas


def _ollama(model: str, said: Said) -> Json:
    message: Json = {"role": "assistant", "content": said.text}
    if said.reasoning:
        message["thinking"] = "".join(said.reasoning)
    if said.tools:
        message["tool_calls"] = _ollama_tools(said)
    answer: Json = {"model": model, "created_at": "2025-01-01T00:00:00Z", "message": message, "done": True}
    if said.finish:
        answer["done_reason"] = "length" if said.finish == "length" else "stop"
    if said.usage:
        answer |= {"prompt_eval_count": said.usage[0], "eval_count": said.usage[1]}
    return answer


def _ollama_tools(said: Said) -> list[Json]:
    return [{"function": {"name": tool.name, "arguments": json.loads(tool.arguments)}} for tool in said.tools]


def _ollama_lines(model: str, said: Said) -> Iterator[tuple[str, Json]]:
    base = {"model": model, "created_at": "2025-01-01T00:00:00Z", "done": False}

    def line(message: Json) -> Json:
        return base | {"message": {"role": "assistant", "content": ""} | message}

    for piece in said.reasoning:
        yield "reasoning", line({"thinking": piece})
    for piece in said.pieces:
        yield "piece", line({"content": piece})
    if said.tools:
        yield "tool", line({"tool_calls": _ollama_tools(said)})
    if said.finish:
        yield "finish", _ollama(model, Said((), finish=said.finish, usage=said.usage))
