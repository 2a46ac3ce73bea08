"""Ollama's own chat API.

Source: "Generate a chat completion", https://docs.ollama.com/api/chat
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.messages import Message, Params
from engine.providers.base import Answer, Call
from engine.providers.conversation import FromOpenAI, Image, Tool
from engine.providers.ollama_answer import OllamaReader, answer
from engine.providers.ollama_embed import OllamaEmbedWire
from engine.providers.payload import encode
from engine.providers.wire import Outgoing, StreamReader

_FORM: Final = FromOpenAI("Ollama's chat API")


class OllamaWire:
    """Speaks `/api/chat` at one base URL.

    A message has one text and a list of images: texts that come in several parts are joined by line
    feeds, and where an image stood between them is not told. A developer's message is a system's.

    Args:
        base_url: With or without `/api` at its end: `http://localhost:11434`.
    """

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url.rstrip('/').removesuffix('/api')}/api/chat"
        self.embeddings = OllamaEmbedWire(base_url)

    def __repr__(self) -> str:
        return f"OllamaWire({self._url!r})"

    def build(self, call: Call, *, stream: bool) -> Outgoing:
        """Writes a call down.

        Raises:
            Signal: `unsupported`: the chat API can't express what is asked, as an image by its URL.
            ValueError: The call holds what JSON can't carry.
        """
        params = call.params
        body: dict[str, Any] = {
            "model": call.model,
            "messages": _conversation(call.messages),
            "stream": stream,  # it streams if it is not told
        }
        if tools := _tools(params):
            body["tools"] = tools
        schema = _FORM.schema(params)
        if schema is not None:
            body["format"] = schema
        if options := _options(params):
            body["options"] = options
        return Outgoing(self._url, encode(body))

    def key_header(self, key: str) -> tuple[str, str]:
        """The key as a bearer token, which ollama.com wants and a server at home ignores."""
        return "Authorization", f"Bearer {key}"

    def read(self, body: Any) -> Answer:
        """Reads a whole answer from its decoded JSON.

        Raises:
            Signal: `error` for an error inside a 200, `protocol` for what can't be read.
        """
        return answer(body)

    def reader(self) -> StreamReader:
        """A fresh reader for one streamed answer."""
        return OllamaReader()


def _options(params: Params) -> dict[str, Any]:
    """Parameters as "Modelfile" names them."""
    wanted = {
        "num_predict": params.max_tokens,
        "temperature": params.temperature,
        "top_p": params.top_p,
        "seed": params.seed,
        "stop": params.stop or None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _tools(params: Params) -> list[dict[str, Any]]:
    tools = [_tool(tool, f"tools[{place}]") for place, tool in enumerate(_FORM.tools(params))]
    kind, _ = _FORM.tool_choice(params)
    if kind == "none":  # a model calls no tool that it does not know
        return []
    if kind != "auto":
        raise _FORM.refuse("a tool_choice other than auto and none")
    return tools


def _tool(tool: Tool, where: str) -> dict[str, Any]:
    if tool.strict:
        raise _FORM.refuse(f"{where}.function.strict")
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": {**function, "parameters": tool.parameters}}


def _conversation(messages: Sequence[Message]) -> list[dict[str, Any]]:
    names: dict[str, str] = {}  # of the tools called so far, by the calls' ids
    written = []
    for place, message in enumerate(messages):
        where = f"messages[{place}]"
        _FORM.check(message, where)
        match message["role"]:
            case "assistant":
                written.append(_assistant(message, where, names))
            case "tool":
                written.append(_result(message, where, names))
            case "user":
                written.append(_user(message, where))
            case _:
                written.append({"role": "system", "content": "\n".join(_FORM.texts(message, where))})
    return written


def _user(message: Message, where: str) -> dict[str, Any]:
    parts = _FORM.parts(message.get("content"), where)
    written: dict[str, Any] = {
        "role": "user",
        "content": "\n".join(part for part in parts if isinstance(part, str)),
    }
    if images := [_image(part, where) for part in parts if isinstance(part, Image)]:
        written["images"] = images
    return written


def _assistant(message: Message, where: str, names: dict[str, str]) -> dict[str, Any]:
    written: dict[str, Any] = {"role": "assistant", "content": "\n".join(_FORM.texts(message, where))}
    calls = []
    for call in _FORM.past_calls(message, where):
        names[call.id] = call.name
        calls.append({"id": call.id, "function": {"name": call.name, "arguments": call.arguments}})
    if calls:
        written["tool_calls"] = calls
    return written


def _result(message: Message, where: str, names: Mapping[str, str]) -> dict[str, Any]:
    """A tool's result. Models go by the tool's name, which OpenAI's form gives with the call only."""
    call = str(message.get("tool_call_id") or "")
    written = {"role": "tool", "content": "\n".join(_FORM.texts(message, where))}
    if name := message.get("name") or names.get(call):
        written["tool_name"] = name
    if call:
        written["tool_call_id"] = call
    return written


def _image(image: Image, where: str) -> str:
    if image.url:
        raise _FORM.refuse(f"an image by its URL ({where})")
    return image.data
