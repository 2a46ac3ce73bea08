"""A streamed answer in the form of OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.messages import Delta, ToolCallDelta, Usage
from engine.providers.base import End, Finish, Part, Signal
from engine.providers.openai_answer import content, finish_reason, first_choice, function, thoughts, usage
from engine.providers.payload import decode, record, records, text, unreadable
from engine.providers.rejection import error_in
from engine.providers.sse import SseEvent, SseReader
from engine.providers.streamed import Streamed, error_event

_CHUNK: Final = "a chunk of the stream"


class OpenAIReader(Streamed[SseEvent]):
    """Reads a stream of `chat.completion.chunk` objects, which OpenAI's "Streaming events" describes."""

    def __init__(self) -> None:
        super().__init__(SseReader())
        self._calls = _ToolCalls()
        self._answered = False
        self._refused = False

    def _take(self, item: SseEvent, parts: list[Part]) -> None:
        if len(item.data) < 16 and item.data.strip() == "[DONE]":  # no chunk is that short
            parts.append(End())
            return
        if item.event == "error":
            raise error_event(item.data)
        chunk = decode(item.data, _CHUNK)
        if "error" in chunk and (signal := error_in(chunk)):
            raise signal
        choices = chunk.get("choices")
        choice = first_choice(records(choices, "choices")) if choices else None
        finished = choice is not None and self._take_choice(choice, parts)
        counted = usage(chunk.get("usage"))
        if counted is None and (finished or choice is None):
            counted = _usage_elsewhere(chunk, choice)
        if counted is not None:
            parts.append(counted)
        elif choices is None:
            raise error_in(chunk) or unreadable(f"{_CHUNK} has no choices")

    def _take_choice(self, choice: dict[str, Any], parts: list[Part]) -> bool:
        """Adds a choice's parts. True if it says that it is finished."""
        reason = finish_reason(choice)
        delta = choice.get("delta")
        if delta:
            self._take_delta(record(delta, "delta"), parts)
        if not reason:
            return False
        withheld = self._refused and not self._answered
        parts.append(Finish("content_filter" if withheld else reason))
        return True

    def _take_delta(self, delta: dict[str, Any], parts: list[Part]) -> None:
        said, reasoning, refused = content(delta.get("content"))
        reasoning = reasoning or thoughts(delta)
        if said or reasoning:
            parts.append(Delta(said, reasoning))
        if said:
            self._answered = True
        if not said or len(delta) > 1:  # nearly every delta is its text and nothing else
            if refused or delta.get("refusal"):
                self._refused = True
            self._take_calls(delta, parts)

    def _take_calls(self, delta: Mapping[str, Any], parts: list[Part]) -> None:
        pieces = records(delta.get("tool_calls"), "tool_calls")
        if not pieces and delta.get("function_call"):
            pieces = [{"index": 0, "function": delta["function_call"]}]
        for piece in pieces:
            self._answered = True
            call = self._calls.take(piece)
            if call is not None:
                parts.append(Delta(tool_call=call))


class _ToolCalls:
    """Numbers the tool calls of one stream, whatever the server makes of `index` and `id`.

    OpenAI gives every piece an index, and id and name to the first. Gemini's face leaves the index
    out; others give all calls index 0, repeat id and name with every piece, make up a new id for every
    piece, or send no id. So: a call is new if its index is, or, with no index, if it comes with an id
    or a name of its own; and an index begins a second call if both a name and another id come with it.
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._names: list[str] = []
        self._by_index: dict[int, int] = {}

    def take(self, piece: Mapping[str, Any]) -> ToolCallDelta | None:
        """The next piece of a call, None if there is nothing in it."""
        name, arguments = function(piece)
        given = text(piece.get("id"), "a tool call's id")
        place = self._place(piece.get("index"), given, name)
        if place == len(self._ids):
            self._ids.append(given or f"call_{place}")
            self._names.append(name)
            return ToolCallDelta(place, self._ids[place], name, arguments)
        if self._names[place]:
            name = ""
        else:
            self._names[place] = name
        return ToolCallDelta(place, "", name, arguments) if name or arguments else None

    def _place(self, index: Any, given: str, name: str) -> int:
        fresh = len(self._ids)
        if not isinstance(index, int):
            if given in self._ids:
                return self._ids.index(given)
            return fresh if given or name or not fresh else fresh - 1
        place = self._by_index.get(index, fresh)
        if place < fresh and name and given and given != self._ids[place]:
            place = fresh
        self._by_index[index] = place
        return place


def _usage_elsewhere(chunk: Mapping[str, Any], choice: Mapping[str, Any] | None) -> Usage | None:
    """Tokens where some servers put them: Groq in `x_groq`, Moonshot in the last choice.

    Raises:
        Signal: `error`: Groq stopped the stream early, and says so in the same place.
    """
    groq = chunk.get("x_groq")
    if isinstance(groq, dict):
        if groq.get("error"):
            raise error_in(groq) or Signal("error", "the stream was stopped early")
        return usage(groq.get("usage"))
    return usage(choice.get("usage")) if choice else None
