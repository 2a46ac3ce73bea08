"""Answers of Anthropic's Messages API, whole and streamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.messages import Delta, ToolCall, ToolCallDelta, Usage
from engine.providers.base import Answer, End, Finish, Part
from engine.providers.payload import as_json, decode, record, records, text, tokens, unreadable
from engine.providers.rejection import answer_in, error_in
from engine.providers.sse import SseEvent, SseReader
from engine.providers.streamed import Streamed, error_event

_Json = Mapping[str, Any]

# "Stop reasons and fallback". pause_turn has no like elsewhere and keeps its name.
_REASONS: Final[Mapping[str, str]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def answer(body: Any) -> Answer:
    """Reads a whole answer.

    Raises:
        Signal: `error` for an error inside a 200, `protocol` for what can't be read.
    """
    body = answer_in(body)
    if "content" not in body:
        raise unreadable("the answer has no content")
    said: list[str] = []
    reasoning: list[str] = []
    calls: list[ToolCall] = []
    for block in records(body["content"], "content"):
        match block.get("type"):
            case "text":
                said.append(text(block.get("text"), "a text block"))
            case "thinking":
                reasoning.append(text(block.get("thinking"), "a thinking block"))
            case "tool_use":
                calls.append(_tool_call(block))
    usage = _Counts().add(body.get("usage")) or Usage()
    return Answer("".join(said), _finish_reason(body), usage, tuple(calls), "".join(reasoning))


class AnthropicReader(Streamed[SseEvent]):
    """Reads a stream of events, which "Streaming messages" describes.

    Events, blocks and deltas of unknown types are passed over, as that page asks for.
    """

    def __init__(self) -> None:
        super().__init__(SseReader())
        self._counts = _Counts()
        self._calls: dict[int, _Call] = {}

    def _take(self, item: SseEvent, parts: list[Part]) -> None:
        if item.event == "error":
            raise error_event(item.data)
        event = decode(item.data, "an event of the stream")
        match event.get("type"):
            case "content_block_delta":
                self._take_delta(event, parts)
            case "content_block_start":
                self._take_start(event, parts)
            case "content_block_stop":
                self._take_stop(event, parts)
            case "message_start":
                message = record(event.get("message"), "message_start's message")
                self._count(message.get("usage"), parts)
            case "message_delta":
                self._take_end(event, parts)
            case "message_stop":
                parts.append(End())
            case "error":
                raise error_event(item.data)
            case kind if not isinstance(kind, str):
                raise error_in(event) or unreadable("an event of the stream has no type")

    def _take_delta(self, event: _Json, parts: list[Part]) -> None:
        delta = record(event.get("delta"), "a block's delta")
        match delta.get("type"):
            case "text_delta":
                if said := text(delta.get("text"), "a text delta"):
                    parts.append(Delta(said))
            case "thinking_delta":
                if thought := text(delta.get("thinking"), "a thinking delta"):
                    parts.append(Delta(reasoning=thought))
            case "input_json_delta":
                call = self._calls.get(_index(event))
                piece = text(delta.get("partial_json"), "an input delta")
                if call is not None and piece:
                    call.begun = True
                    parts.append(call.delta(piece))

    def _take_start(self, event: _Json, parts: list[Part]) -> None:
        block = record(event.get("content_block"), "a block")
        match block.get("type"):
            case "text":
                if said := text(block.get("text"), "a text block"):
                    parts.append(Delta(said))
            case "thinking":
                if thought := text(block.get("thinking"), "a thinking block"):
                    parts.append(Delta(reasoning=thought))
            case "tool_use":
                whole = _tool_call(block)
                call = _Call(len(self._calls), whole.arguments)
                self._calls[_index(event)] = call
                parts.append(Delta(tool_call=ToolCallDelta(call.place, whole.id, whole.name)))

    def _take_stop(self, event: _Json, parts: list[Part]) -> None:
        call = self._calls.get(_index(event))
        if call is not None and not call.begun:
            call.begun = True
            parts.append(call.delta(call.at_first))

    def _take_end(self, event: _Json, parts: list[Part]) -> None:
        reason = _finish_reason(record(event.get("delta"), "message_delta's delta"))
        if reason:
            parts.append(Finish(reason))
        self._count(event.get("usage"), parts)

    def _count(self, value: Any, parts: list[Part]) -> None:
        usage = self._counts.add(value)
        if usage is not None:
            parts.append(usage)


class _Call:
    """One tool call of a stream.

    Its arguments follow its start piece by piece; for a tool without arguments nothing follows, and
    some servers send them with the start already. `at_first` is then what they are.
    """

    def __init__(self, place: int, at_first: str) -> None:
        self.place = place
        self.at_first = at_first
        self.begun = False

    def delta(self, piece: str) -> Delta:
        return Delta(tool_call=ToolCallDelta(self.place, arguments=piece))


class _Counts:
    """Tokens so far: counts are cumulative, and an event repeats only some of them."""

    def __init__(self) -> None:
        self._latest: dict[str, int] = {}

    def add(self, usage: Any) -> Usage | None:
        """All counts so far with these, None if these say nothing."""
        if not isinstance(usage, dict):
            return None
        said = {name: count for name in _COUNTS if (count := tokens(usage.get(name))) is not None}
        if not said:
            return None
        self._latest |= said
        # "Messages", usage: the input is the sum of what was read from the cache, written to it, and
        # neither.
        parts = [self._latest[name] for name in _COUNTS[1:] if name in self._latest]
        return Usage(sum(parts) if parts else None, self._latest.get(_COUNTS[0]))


_COUNTS: Final = (
    "output_tokens",
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)


def _tool_call(block: _Json) -> ToolCall:
    name = text(block.get("name"), "a tool call's name")
    call_id = text(block.get("id"), "a tool call's id")
    if not name or not call_id:
        raise unreadable("a tool call has no name or no id")
    return ToolCall(call_id, name, as_json(record(block.get("input") or {}, "a tool call's input")))


def _finish_reason(holder: _Json) -> str:
    reason = text(holder.get("stop_reason"), "stop_reason")
    return _REASONS.get(reason, reason)


def _index(event: _Json) -> int:
    index = event.get("index")
    if isinstance(index, int):
        return index
    raise unreadable("a block has no index")
