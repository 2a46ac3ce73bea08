"""Reads a caller's conversation, which has OpenAI's form, for protocols that speak another.

What such a protocol has no place for is refused by name, before anything is sent: a request that loses
half of its meaning on the way to the next model is worse than one that does not get there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.messages import Message, Params
from engine.providers.base import Signal

_DATA_URL: Final = re.compile(r"data:(?P<type>[^;,]*)(?:;[^;,]*)*;base64,", re.IGNORECASE)

# What a model's own answer carries besides its words. Callers put answers back into the conversation
# whole; none of this is meant for the next model.
_OF_AN_ANSWER: Final = ("annotations", "reasoning", "reasoning_content", "reasoning_details")

_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "system": frozenset({"role", "content"}),
    "developer": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "assistant": frozenset({"role", "content", "refusal", "tool_calls", *_OF_AN_ANSWER}),
    # A result's name repeats what its id says already.
    "tool": frozenset({"role", "content", "tool_call_id", "name"}),
}


@dataclass(frozen=True, slots=True)
class Image:
    """An image in a message.

    Attributes:
        url: Where it is, if it is somewhere else.
        data: Itself in base64, if it is here.
        media_type: What the data are, as `image/png`; may be empty.
    """

    url: str = ""
    data: str = ""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class PastCall:
    """A tool call that an assistant's message tells of."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model may call.

    Attributes:
        name: How the model calls it.
        description: What it is for; may be empty.
        parameters: JSON schema of its arguments.
        strict: Whether arguments must obey the schema.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    strict: bool


@dataclass(frozen=True, slots=True)
class FromOpenAI:
    """Reads OpenAI's form on behalf of one other protocol, whose name goes into every refusal.

    Attributes:
        protocol: As `Anthropic's messages`.
    """

    protocol: str

    def refuse(self, what: str) -> Signal:
        """The signal for what the protocol has no place for."""
        return Signal("unsupported", f"{self.protocol} can't express {what}")

    def check(self, message: Message, where: str) -> None:
        """Refuses a message with a field that would be lost; fields that hold nothing are none."""
        role = message.get("role")
        known = _FIELDS.get(role) if isinstance(role, str) else None
        if known is None:
            raise self.refuse(f"the role {_short(role)} ({where})")
        self._only(message, known, where)

    def parts(self, content: Any, where: str) -> list[str | Image]:
        """What a message's content consists of, empty texts left out."""
        if content is None or isinstance(content, str):
            return [content] if content else []
        if not _is_list(content):
            raise self.refuse(f"{where}.content, which is neither text nor a list of parts")
        found: list[str | Image] = []
        for place, part in enumerate(content):
            read = self._part(part, f"{where}.content[{place}]")
            if read:
                found.append(read)
        return found

    def texts(self, message: Message, where: str) -> list[str]:
        """The texts of a message that may hold no images."""
        found = []
        for part in self.parts(message.get("content"), where):
            if isinstance(part, Image):
                raise self.refuse(f"an image in a message of role {message['role']} ({where})")
            found.append(part)
        if message.get("refusal"):
            found.append(str(message["refusal"]))
        return found

    def past_calls(self, message: Message, where: str) -> list[PastCall]:
        """The tool calls that an assistant's message tells of."""
        calls = message.get("tool_calls") or ()
        if not _is_list(calls):
            raise self.refuse(f"{where}.tool_calls, which is no list")
        return [self._past_call(call, f"{where}.tool_calls[{place}]") for place, call in enumerate(calls)]

    def tools(self, params: Params) -> list[Tool]:
        """The tools that the model may call."""
        return [self._tool(tool, f"tools[{place}]") for place, tool in enumerate(params.tools)]

    def tool_choice(self, params: Params) -> tuple[str, str]:
        """`auto` (if nothing is asked for, too), `none`, `required`, or `function` and the tool's name."""
        choice: Any = params.tool_choice
        if choice is None:
            return "auto", ""
        if isinstance(choice, str):
            if choice in ("auto", "none", "required"):
                return choice, ""
        elif isinstance(choice, Mapping) and choice.get("type") == "function":
            return "function", self._name(choice.get("function"), "tool_choice")
        raise self.refuse(f"the tool_choice {_short(choice)}")

    def schema(self, params: Params) -> Mapping[str, Any] | str | None:
        """The form that the answer must have: a JSON schema, `json` for any, None if it is free."""
        form: Any = params.response_format
        if form is None:
            return None
        if not isinstance(form, Mapping):
            raise self.refuse(f"the response_format {_short(form)}")
        kind = form.get("type")
        if kind == "text":
            return None
        if kind == "json_object":
            return "json"
        wanted = form.get("json_schema")
        if kind != "json_schema" or not isinstance(wanted, Mapping):
            raise self.refuse(f"the response_format {_short(kind)}")
        schema, description = wanted.get("schema"), wanted.get("description")
        if not isinstance(schema, Mapping):
            raise self.refuse("a json_schema without a schema")
        return {"description": description, **schema} if description else schema

    def _part(self, part: Any, where: str) -> str | Image | None:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind in ("text", "refusal"):
            self._only(part, {"type", kind}, where)
            if isinstance(part.get(kind), str):
                return str(part[kind])
        elif kind == "image_url":
            self._only(part, {"type", kind}, where)
            if isinstance(part.get(kind), Mapping):
                return self._image(part[kind], where)
        raise self.refuse(f"{where}, a part of type {_short(kind)}")

    def _image(self, image: Mapping[str, Any], where: str) -> Image:
        self._only(image, {"url", "detail"}, f"{where}.image_url")
        # Other protocols always take the whole image: that is "high", and "auto" may be anything.
        if image.get("detail") not in (None, "auto", "high"):
            raise self.refuse(f"the image detail {_short(image['detail'])} ({where})")
        url = image.get("url")
        if isinstance(url, str):
            found = _DATA_URL.match(url)
            if found:
                return Image(data=url[found.end() :], media_type=found["type"].lower())
            if url[:8].lower() == "https://" or url[:7].lower() == "http://":
                return Image(url=url)
        raise self.refuse(f"an image whose URL is neither https: nor base64 in data: ({where})")

    def _past_call(self, call: Any, where: str) -> PastCall:
        if not isinstance(call, Mapping) or call.get("type", "function") != "function":
            raise self.refuse(f"{where}, which is no function call")
        name = self._name(call.get("function"), where)
        arguments = call["function"].get("arguments")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments or "{}")
            except (ValueError, RecursionError):
                arguments = None
        if not isinstance(arguments, Mapping):
            raise self.refuse(f"{where}, whose arguments are not a JSON object")
        return PastCall(str(call.get("id") or ""), name, arguments)

    def _tool(self, tool: Any, where: str) -> Tool:
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        if kind != "function":
            raise self.refuse(f"{where}, a tool of type {_short(kind)}")
        self._only(tool, {"type", "function"}, where)
        name = self._name(tool.get("function"), where)
        function = tool["function"]
        self._only(function, {"name", "description", "parameters", "strict"}, f"{where}.function")
        return Tool(
            name,
            function.get("description") or "",
            # OpenAI's "Function definition": without parameters the list of them is empty.
            function.get("parameters") or {"type": "object", "properties": {}},
            bool(function.get("strict")),
        )

    def _name(self, function: Any, where: str) -> str:
        name = function.get("name") if isinstance(function, Mapping) else None
        if isinstance(name, str) and name:
            return name
        raise self.refuse(f"{where}, a function without a name")

    def _only(self, mapping: Mapping[str, Any], known: Iterable[str], where: str) -> None:
        for field, value in mapping.items():
            if value and field not in known:
                raise self.refuse(f"{where}.{field}")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _short(value: Any) -> str:
    """A caller's value in a refusal: enough to find it, never a whole document."""
    return repr(value)[:60]
