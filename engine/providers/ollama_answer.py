"""Answers of Ollama's chat API, whole and streamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.messages import Delta, ToolCall, ToolCallDelta, Usage
from engine.providers.base import Answer, End, Finish, Part, Signal
from engine.providers.payload import as_json, decode, record, records, text, tokens, unreadable
from engine.providers.rejection import answer_in, error_in
from engine.providers.sse import LineReader
from engine.providers.streamed import Streamed


def answer(body: Any) -> Answer:
    """Reads a whole answer.

    Raises:
        Signal: `error` for an error inside a 200, `protocol` for what can't be read, `truncated` for
            what says that it is not done.
    """
    body = answer_in(body)
    if body.get("done") is False:
        raise Signal("truncated", "the answer ends before the model was done")
    message = record(body.get("message"), "message")
    calls = _tool_calls(message, 0)
    return Answer(
        text(message.get("content"), "content"),
        _finish_reason(body, bool(calls)) if body.get("done") else "",
        _usage(body) or Usage(),
        tuple(calls),
        text(message.get("thinking"), "thinking"),
    )


class OllamaReader(Streamed[str]):
    """Reads a stream of JSON lines, which "Streaming" and "Errors" describe."""

    def __init__(self) -> None:
        super().__init__(LineReader())
        self._calls = 0

    def _take(self, item: str, parts: list[Part]) -> None:
        line = decode(item, "a line of the stream")
        if "error" in line and (signal := error_in(line)):
            raise signal
        done = bool(line.get("done"))
        if "message" in line:
            self._take_message(record(line["message"], "message"), parts)
        elif not done:
            raise unreadable("a line of the stream has no message")
        if done:
            parts.append(Finish(_finish_reason(line, self._calls > 0)))
            if usage := _usage(line):
                parts.append(usage)
            parts.append(End())

    def _take_message(self, message: dict[str, Any], parts: list[Part]) -> None:
        said = text(message.get("content"), "content")
        thought = text(message.get("thinking"), "thinking")
        if said or thought:
            parts.append(Delta(said, thought))
        if message.get("tool_calls"):
            for call in _tool_calls(message, self._calls):
                piece = ToolCallDelta(self._calls, call.id, call.name, call.arguments)
                parts.append(Delta(tool_call=piece))
                self._calls += 1


def _tool_calls(message: Mapping[str, Any], first: int) -> list[ToolCall]:
    """A message's tool calls; each comes whole. Ids, which older servers don't give, go on from `first`."""
    calls = []
    for place, call in enumerate(records(message.get("tool_calls"), "tool_calls"), first):
        function = record(call.get("function"), "a tool call's function")
        name = text(function.get("name"), "a tool call's name")
        if not name:
            raise unreadable("a tool call has no name")
        arguments = function.get("arguments")
        calls.append(
            ToolCall(
                text(call.get("id"), "a tool call's id") or f"call_{place}",
                name,
                text(arguments, "") if isinstance(arguments, str) else as_json(arguments or {}),
            )
        )
    return calls


def _finish_reason(body: Mapping[str, Any], called: bool) -> str:
    """Why it is done. Ollama says `stop` for tool calls, too, and older servers give no reason."""
    reason = text(body.get("done_reason"), "done_reason") or "stop"
    return "tool_calls" if called and reason == "stop" else reason


def _usage(body: Mapping[str, Any]) -> Usage | None:
    usage = Usage(tokens(body.get("prompt_eval_count")), tokens(body.get("eval_count")))
    return None if usage == Usage() else usage
