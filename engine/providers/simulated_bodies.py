"""The three protocols from the server's side: what a request asks, and how an answer is written. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from engine.config.model import Protocol
from engine.providers.simulated_answer import (
    Asked,
    Dialect,
    Reply,
    compact,
    forced_tool,
    inner,
    limit,
    size,
    word,
)


class OpenAI:
    """Chat completions."""

    path: ClassVar[str] = "/chat/completions"
    stream_type: ClassVar[str] = "text/event-stream; charset=utf-8"

    def asked(self, request: Mapping[str, Any]) -> Asked:
        """Reads a request's decoded JSON."""
        choice = request.get("tool_choice")
        options = request.get("stream_options")
        return Asked(
            model=word(request.get("model")),
            stream=request.get("stream") is True,
            limit=limit(request.get("max_completion_tokens", request.get("max_tokens"))),
            tool=forced_tool(request, choice == "required", inner(choice, "function").get("name")),
            usage=isinstance(options, Mapping) and options.get("include_usage") is True,
            input_tokens=size(request.get("messages")),
        )

    def whole(self, reply: Reply, text: str) -> bytes:
        """The body of a plain answer."""
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if reply.tool is not None:
            message |= {"content": None, "tool_calls": [self._tool_call(reply)]}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish(reply)}
        return compact(
            self._head(reply, "chat.completion") | {"choices": [choice], "usage": self._usage(reply)}
        )

    def opening(self, reply: Reply) -> bytes:
        """What a stream says before its first token."""
        content = None if reply.tool is not None else ""
        return self._chunk(reply, {"role": "assistant", "content": content, "refusal": None})

    def text(self, reply: Reply, text: str) -> bytes:
        """A streamed piece of text."""
        return self._chunk(reply, {"content": text})

    def call(self, reply: Reply) -> bytes:
        """A streamed tool call without arguments."""
        call = {"index": 0} | self._tool_call(reply, arguments="")
        arguments = {"index": 0, "function": {"arguments": "{}"}}
        return self._chunk(reply, {"tool_calls": [call]}) + self._chunk(reply, {"tool_calls": [arguments]})

    def closing(self, reply: Reply) -> bytes:
        """What a stream says after its last token."""
        end = self._chunk(reply, {}, self._finish(reply))
        if reply.asked.usage:
            last = self._head(reply, "chat.completion.chunk") | {"choices": [], "usage": self._usage(reply)}
            end += _event(last)
        return end + b"data: [DONE]\n\n"

    def _chunk(self, reply: Reply, delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event(self._head(reply, "chat.completion.chunk") | {"choices": [choice]})

    def _head(self, reply: Reply, kind: str) -> dict[str, Any]:
        model, created = reply.asked.model, int(reply.created)
        return {"id": f"chatcmpl-{reply.id}", "object": kind, "created": created, "model": model}

    def _tool_call(self, reply: Reply, arguments: str = "{}") -> dict[str, Any]:
        function = {"name": reply.tool, "arguments": arguments}
        return {"id": f"call_{reply.id}", "type": "function", "function": function}

    def _usage(self, reply: Reply) -> dict[str, int]:
        given, taken = reply.asked.input_tokens, reply.output_tokens
        return {"prompt_tokens": given, "completion_tokens": taken, "total_tokens": given + taken}

    def _finish(self, reply: Reply) -> str:
        if reply.tool is not None:
            return "tool_calls"
        return "length" if reply.cut_off else "stop"


class Anthropic:
    """Messages."""

    path: ClassVar[str] = "/messages"
    stream_type: ClassVar[str] = "text/event-stream; charset=utf-8"

    def asked(self, request: Mapping[str, Any]) -> Asked:
        """Reads a request's decoded JSON."""
        choice = request.get("tool_choice")
        named = choice.get("name") if isinstance(choice, Mapping) else None
        forced = isinstance(choice, Mapping) and choice.get("type") == "any"
        return Asked(
            model=word(request.get("model")),
            stream=request.get("stream") is True,
            limit=limit(request.get("max_tokens")),
            tool=forced_tool(request, forced, named),
            usage=True,
            input_tokens=size([{"content": request.get("system")}]) + size(request.get("messages")),
        )

    def whole(self, reply: Reply, text: str) -> bytes:
        """The body of a plain answer."""
        content = [{"type": "text", "text": text}] if text else []
        if reply.tool is not None:
            content = [self._tool_use(reply)]
        return compact(self._message(reply, content, self._finish(reply), reply.output_tokens))

    def opening(self, reply: Reply) -> bytes:
        """What a stream says before its first token."""
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": self._message(reply, [], None, 1)}
        ]
        if reply.output_tokens:
            block: dict[str, Any] = (
                {"type": "text", "text": ""} if reply.tool is None else self._tool_use(reply)
            )
            events.append({"type": "content_block_start", "index": 0, "content_block": block})
        return _named(*events, {"type": "ping"})

    def text(self, reply: Reply, text: str) -> bytes:  # noqa: ARG002  (other dialects need it)
        """A streamed piece of text."""
        return self._delta({"type": "text_delta", "text": text})

    def call(self, reply: Reply) -> bytes:  # noqa: ARG002  (other dialects need it)
        """A streamed tool call without arguments."""
        return self._delta({"type": "input_json_delta", "partial_json": "{}"})

    def closing(self, reply: Reply) -> bytes:
        """What a stream says after its last token."""
        delta = {"stop_reason": self._finish(reply), "stop_sequence": None}
        events: list[dict[str, Any]] = [
            {"type": "message_delta", "delta": delta, "usage": {"output_tokens": reply.output_tokens}},
            {"type": "message_stop"},
        ]
        if reply.output_tokens:
            events.insert(0, {"type": "content_block_stop", "index": 0})
        return _named(*events)

    def _delta(self, delta: Mapping[str, str]) -> bytes:
        return _named({"type": "content_block_delta", "index": 0, "delta": delta})

    def _message(self, reply: Reply, content: list[Any], stop: str | None, tokens: int) -> dict[str, Any]:
        return {
            "id": f"msg_01{reply.id}",
            "type": "message",
            "role": "assistant",
            "model": reply.asked.model,
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {"input_tokens": reply.asked.input_tokens, "output_tokens": tokens},
        }

    def _tool_use(self, reply: Reply) -> dict[str, Any]:
        return {"type": "tool_use", "id": f"toolu_01{reply.id}", "name": reply.tool, "input": {}}

    def _finish(self, reply: Reply) -> str:
        if reply.tool is not None:
            return "tool_use"
        return "max_tokens" if reply.cut_off else "end_turn"


class Ollama:
    """Chat, streamed unless the request says otherwise."""

    path: ClassVar[str] = "/api/chat"
    stream_type: ClassVar[str] = "application/x-ndjson"

    def asked(self, request: Mapping[str, Any]) -> Asked:
        """Reads a request's decoded JSON."""
        return Asked(
            model=word(request.get("model")),
            stream=request.get("stream") is not False,
            limit=limit(inner(request, "options").get("num_predict")),
            tool=forced_tool(request, request.get("tool_choice") == "required", None),
            usage=True,
            input_tokens=size(request.get("messages")),
        )

    def whole(self, reply: Reply, text: str) -> bytes:
        """The body of a plain answer."""
        calls = {} if reply.tool is None else {"tool_calls": [self._tool_call(reply)]}
        return compact(self._part(reply, {"content": text} | calls) | self._end(reply))

    def opening(self, reply: Reply) -> bytes:  # noqa: ARG002  (other dialects need it)
        """What a stream says before its first token: nothing."""
        return b""

    def text(self, reply: Reply, text: str) -> bytes:
        """A streamed piece of text."""
        return _line(self._part(reply, {"content": text}) | {"done": False})

    def call(self, reply: Reply) -> bytes:
        """A streamed tool call without arguments."""
        call = {"content": "", "tool_calls": [self._tool_call(reply)]}
        return _line(self._part(reply, call) | {"done": False})

    def closing(self, reply: Reply) -> bytes:
        """What a stream says after its last token."""
        return _line(self._part(reply, {"content": ""}) | self._end(reply))

    def _part(self, reply: Reply, message: Mapping[str, Any]) -> dict[str, Any]:
        created = datetime.fromtimestamp(reply.created, UTC).isoformat().replace("+00:00", "Z")
        told = {"role": "assistant"} | dict(message)
        return {"model": reply.asked.model, "created_at": created, "message": told}

    def _end(self, reply: Reply) -> dict[str, Any]:
        return {
            "done": True,
            "done_reason": "length" if reply.cut_off else "stop",
            "total_duration": round(reply.elapsed_s * 1e9),
            "load_duration": 0,
            "prompt_eval_count": reply.asked.input_tokens,
            "eval_count": reply.output_tokens,
        }

    def _tool_call(self, reply: Reply) -> dict[str, Any]:
        return {"id": f"call_{reply.id}", "function": {"index": 0, "name": reply.tool, "arguments": {}}}


DIALECTS: Mapping[Protocol, Dialect] = {
    "openai": OpenAI(),
    "anthropic": Anthropic(),
    "ollama": Ollama(),
}


def _event(data: Mapping[str, Any]) -> bytes:
    return b"data: " + compact(data) + b"\n\n"


def _named(*events: Mapping[str, Any]) -> bytes:
    return b"".join(b"event: " + event["type"].encode() + b"\n" + _event(event) for event in events)


def _line(data: Mapping[str, Any]) -> bytes:
    return compact(data) + b"\n"
