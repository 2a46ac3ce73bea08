"""A whole answer in the form of OpenAI's chat completions, and what its streams share with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.messages import ToolCall, Usage, whole_text
from engine.providers.base import Answer, Signal
from engine.providers.payload import as_json, record, records, text, tokens, unreadable
from engine.providers.rejection import answer_in, error_in

# OpenAI's "The chat completion object" knows stop, length, tool_calls, content_filter and the old
# function_call; the others are words of servers that speak its protocol.
_REASONS: Final[Mapping[str, str]] = {
    "function_call": "tool_calls",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "refusal": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "sensitive": "content_filter",
}

# Not ends but breakdowns. OpenRouter's "Errors" and Mistral's API reference: error. DeepSeek's
# "Create Chat Completion": insufficient_system_resource.
_BREAKDOWNS: Final[Mapping[str, tuple[str, ...]]] = {
    "error": ("error", "server_error"),
    "insufficient_system_resource": ("insufficient_system_resource", "overloaded"),
}


def answer(body: Any) -> Answer:
    """Reads a whole answer.

    Raises:
        Signal: `error` for an error inside a 200, `protocol` for what can't be read.
    """
    body = answer_in(body)
    choice = first_choice(records(body.get("choices"), "choices"))
    if choice is None:
        raise unreadable("the answer has no choices")
    reason = finish_reason(choice)
    message = record(choice.get("message"), "message")
    said, reasoning, refused = content(message.get("content"))
    calls = _tool_calls(message)
    if (refused or message.get("refusal")) and not said and not calls:
        reason = "content_filter"
    return Answer(
        said,
        reason,
        usage(body.get("usage")) or Usage(),
        calls,
        reasoning or thoughts(message),
    )


def first_choice(choices: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The choice of index 0, which some servers leave out; None if there is none."""
    for choice in choices:
        if choice.get("index") in (0, None):
            return choice
    return None


def content(value: Any) -> tuple[str, str, bool]:
    """What a message's or a delta's `content` holds.

    Args:
        value: Text, a list of parts (as Mistral sends with its reasoning models), or None.

    Returns:
        The text, the reasoning, and whether a refusal was among the parts.

    Raises:
        Signal: `protocol`: it is something else.
    """
    if value is None or isinstance(value, str):
        return whole_text(value), "", False
    said: list[str] = []
    reasoning: list[str] = []
    refused = False
    for part in records(value, "content"):
        kind = part.get("type")
        if kind in ("text", "output_text"):
            said.append(text(part.get("text"), "a content part's text"))
        elif kind == "thinking":
            inner = part.get("thinking")
            if isinstance(inner, str):
                reasoning.append(text(inner, "thinking"))
            else:
                reasoning += [text(item.get("text"), "thinking") for item in records(inner, "thinking")]
        elif kind == "refusal":
            refused = True
    return "".join(said), "".join(reasoning), refused


def thoughts(holder: Mapping[str, Any]) -> str:
    """The reasoning of a message or a delta: `reasoning_content` (DeepSeek) or `reasoning` (OpenRouter)."""
    value = holder.get("reasoning_content") or holder.get("reasoning")
    return text(value, "reasoning") if isinstance(value, str) else ""


def finish_reason(choice: Mapping[str, Any]) -> str:
    """Why a choice ended, in our words where there is one; empty if it has not, or does not say.

    Raises:
        Signal: `error`: it ended because the provider broke down. `protocol`: it is no text.
    """
    reason = choice.get("finish_reason")
    if not reason:
        return ""
    reason = text(reason, "finish_reason")
    word = reason.lower()
    if word in _BREAKDOWNS:
        raise error_in(choice) or Signal(
            "error", f"the answer ended with the finish reason {word}", codes=_BREAKDOWNS[word]
        )
    if word.startswith("content_filter"):
        return "content_filter"
    return _REASONS.get(word, reason)


def usage(value: Any) -> Usage | None:
    """Tokens as the provider counted them, None if it did not."""
    if not isinstance(value, dict):
        return None
    counted = Usage(tokens(value.get("prompt_tokens")), tokens(value.get("completion_tokens")))
    return None if counted == Usage() else counted


def function(call: Mapping[str, Any]) -> tuple[str, str]:
    """Name and arguments of a tool call, or of a piece of one.

    OpenAI's custom tools have a free text, `input`, instead of JSON arguments.
    """
    part = call.get("function", call.get("custom"))
    part = {} if part is None else record(part, "a tool call's function")
    arguments = part.get("arguments", part.get("input"))
    if isinstance(arguments, dict | list):  # some servers forget to write JSON as text
        arguments = as_json(arguments)
    return text(part.get("name"), "a tool call's name"), text(arguments, "a tool call's arguments")


def _tool_calls(message: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    found = records(message.get("tool_calls"), "tool_calls")
    if not found and message.get("function_call"):
        found = [{"function": message["function_call"]}]
    calls = []
    for place, call in enumerate(found):
        name, arguments = function(call)
        if not name:
            raise unreadable("a tool call has no name")
        calls.append(ToolCall(text(call.get("id"), "a tool call's id") or f"call_{place}", name, arguments))
    return tuple(calls)
