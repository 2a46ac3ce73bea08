"""Anthropic's Messages API.

Source: "Messages" in the API reference, https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from engine.messages import Message, Params
from engine.providers.anthropic_answer import AnthropicReader, answer
from engine.providers.base import Answer, Call
from engine.providers.conversation import FromOpenAI, Image, Tool
from engine.providers.payload import encode
from engine.providers.wire import Outgoing, StreamReader

MAX_TOKENS: Final = 8192
"""The limit that is sent if the caller names none: the API wants one, and every model since Claude 3.5
takes this. Enough for long answers, and no reason yet to ask for streaming."""

_VERSION: Final = "2023-06-01"
_FORM: Final = FromOpenAI("Anthropic's Messages API")
_CHOICES: Final[Mapping[str, str]] = {"auto": "auto", "none": "none", "required": "any", "function": "tool"}

# "Vision": the media types it takes. Many write image/jpg, which is no registered name.
_IMAGES: Final[Mapping[str, str]] = {
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/png": "image/png",
    "image/gif": "image/gif",
    "image/webp": "image/webp",
}

# What a call's id may consist of, by the API's own message. Those of other servers, which a
# conversation that has moved brings along, hold points and colons, too.
_NOT_IN_ID: Final = re.compile(r"[^a-zA-Z0-9_-]")


class AnthropicWire:
    """Speaks the Messages API at one base URL.

    System and developer messages, wherever they stand, become the system prompt in their order, with a
    blank line between them: not every model takes them in the middle, and Anthropic's own face for
    OpenAI's SDK ("OpenAI SDK compatibility") moves them, too. Tool results become part of the user's
    turn. Messages without any content are left out, for the API refuses them.

    Args:
        base_url: With or without `/v1` at its end: `https://api.anthropic.com`.
    """

    embeddings: Final = None  # "Embeddings" in Anthropic's documentation: it has no such model

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url.rstrip('/').removesuffix('/v1')}/v1/messages"

    def __repr__(self) -> str:
        return f"AnthropicWire({self._url!r})"

    def build(self, call: Call, *, stream: bool) -> Outgoing:
        """Writes a call down.

        Raises:
            Signal: `unsupported`: the Messages API can't express what is asked, as a seed.
            ValueError: The call holds what JSON can't carry.
        """
        params = call.params
        system, messages = _conversation(call.messages)
        body: dict[str, Any] = {
            "model": call.model,
            "max_tokens": MAX_TOKENS if params.max_tokens is None else params.max_tokens,
        }
        if system:
            body["system"] = system
        body["messages"] = messages
        body |= _options(params)
        if stream:
            body["stream"] = True
        return Outgoing(self._url, encode(body), {"anthropic-version": _VERSION})

    def key_header(self, key: str) -> tuple[str, str]:
        """The key in a header of its own."""
        return "x-api-key", key

    def read(self, body: Any) -> Answer:
        """Reads a whole answer from its decoded JSON.

        Raises:
            Signal: `error` for an error inside a 200, `protocol` for what can't be read.
        """
        return answer(body)

    def reader(self) -> StreamReader:
        """A fresh reader for one streamed answer."""
        return AnthropicReader()


def _options(params: Params) -> dict[str, Any]:
    if params.seed is not None:
        raise _FORM.refuse("a seed")
    options: dict[str, Any] = {}
    if params.temperature is not None:
        options["temperature"] = params.temperature
    if params.top_p is not None:
        options["top_p"] = params.top_p
    if params.stop:
        options["stop_sequences"] = params.stop
    tools = [_tool(tool) for tool in _FORM.tools(params)]
    kind, name = _FORM.tool_choice(params)
    if tools:
        options["tools"] = tools
    # "auto" is what the API does anyway; with no tools it takes no choice, and "none" goes without saying.
    if kind in ("required", "function") or (kind == "none" and tools):
        options["tool_choice"] = {"type": _CHOICES[kind], **({"name": name} if name else {})}
    schema = _FORM.schema(params)
    if schema == "json":
        raise _FORM.refuse("the response_format json_object: it takes a json_schema only")
    if schema is not None:
        # "Structured outputs": the form that needs no beta header.
        options["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return options


def _tool(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": tool.name}
    if tool.description:
        written["description"] = tool.description
    written["input_schema"] = tool.parameters
    if tool.strict:
        written["strict"] = True
    return written


def _conversation(messages: tuple[Message, ...]) -> tuple[str, list[dict[str, Any]]]:
    """The system prompt, and the turns of user and assistant.

    "Handle tool calls": all results of one turn's calls stand in one message, hence messages of the
    same side are merged.
    """
    system: list[str] = []
    turns: list[dict[str, Any]] = []
    for place, message in enumerate(messages):
        where = f"messages[{place}]"
        _FORM.check(message, where)
        if message["role"] in ("system", "developer"):
            system += _FORM.texts(message, where)
            continue
        side = "assistant" if message["role"] == "assistant" else "user"
        blocks = _blocks(message, where)
        if turns and turns[-1]["role"] == side:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": side, "content": blocks})
    if not turns:
        raise _FORM.refuse("a conversation in which nobody but the system says anything")
    for turn in turns:
        if [block["type"] for block in turn["content"]] == ["text"]:
            turn["content"] = turn["content"][0]["text"]
    return "\n\n".join(system), turns


def _blocks(message: Message, where: str) -> list[dict[str, Any]]:
    match message["role"]:
        case "tool":
            return [_result(message, where)]
        case "assistant":
            said = [_text(text) for text in _FORM.texts(message, where)]
            return said + [
                {"type": "tool_use", "id": _id(call.id), "name": call.name, "input": call.arguments}
                for call in _FORM.past_calls(message, where)
            ]
        case _:
            return _seen(message, where)


def _result(message: Message, where: str) -> dict[str, Any]:
    content = message.get("content")
    return {
        "type": "tool_result",
        "tool_use_id": _id(message.get("tool_call_id")),
        "content": content if isinstance(content, str) else _seen(message, where),
    }


def _id(value: Any) -> str:
    return _NOT_IN_ID.sub("_", str(value or ""))


def _seen(message: Message, where: str) -> list[dict[str, Any]]:
    """Texts and images, as blocks."""
    parts = _FORM.parts(message.get("content"), where)
    return [_image(part, where) if isinstance(part, Image) else _text(part) for part in parts]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _image(image: Image, where: str) -> dict[str, Any]:
    if image.url:
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    media_type = _IMAGES.get(image.media_type)
    if media_type is None:
        raise _FORM.refuse(f"an image of type {image.media_type or 'unknown'} ({where})")
    source = {"type": "base64", "media_type": media_type, "data": image.data}
    return {"type": "image", "source": source}
