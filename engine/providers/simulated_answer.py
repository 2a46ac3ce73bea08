"""What the simulated protocols have in common: the question, the answer, and reading requests. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

_CHARS_PER_TOKEN = 4
_TOKENS_PER_MESSAGE = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    Attributes:
        model: The provider's own name for the model.
        stream: Whether the answer is to be streamed.
        limit: Most tokens of the answer; None for no limit.
        tool: The tool that must be called; None if none must.
        usage: Whether a stream is to tell its usage.
        input_tokens: Rough size of the conversation.
    """

    model: str
    stream: bool
    limit: int | None
    tool: str | None
    usage: bool
    input_tokens: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What every body of one answer has in common.

    Attributes:
        id: 24 hexadecimal digits.
        asked: What it answers.
        created: Seconds since 1970.
        output_tokens: Its length; 0 if it says nothing.
        cut_off: Whether the caller's limit ended it.
        elapsed_s: Seconds it takes.
    """

    id: str
    asked: Asked
    created: float
    output_tokens: int
    cut_off: bool
    elapsed_s: float

    @property
    def tool(self) -> str | None:
        """The tool it calls instead of saying anything."""
        return self.asked.tool if self.output_tokens else None


class Dialect(Protocol):
    """One protocol, from the server's side. Stateless."""

    path: ClassVar[str]
    stream_type: ClassVar[str]

    def asked(self, request: Mapping[str, Any]) -> Asked:
        """Reads a request's decoded JSON."""
        ...

    def whole(self, reply: Reply, text: str) -> bytes:
        """The body of a plain answer."""
        ...

    def opening(self, reply: Reply) -> bytes:
        """What a stream says before its first token."""
        ...

    def text(self, reply: Reply, text: str) -> bytes:
        """A streamed piece of text."""
        ...

    def call(self, reply: Reply) -> bytes:
        """A streamed tool call without arguments."""
        ...

    def closing(self, reply: Reply) -> bytes:
        """What a stream says after its last token."""
        ...


def compact(value: Any) -> bytes:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


def word(value: object) -> str:
    """The value if it is text, else nothing."""
    return value if isinstance(value, str) else ""


def limit(value: object) -> int | None:
    """The value if it can limit an answer, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def inner(value: object, name: str) -> Mapping[str, Any]:
    """The mapping that stands under a name, empty if there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def forced_tool(request: Mapping[str, Any], forced: bool, named: object) -> str | None:
    """The tool that must be called: the named one; if any will do, the first."""
    names = [_tool_name(tool) for tool in request.get("tools") or ()]
    if isinstance(named, str) and named in names:
        return named
    return next((name for name in names if name), None) if forced else None


def _tool_name(tool: object) -> str:
    outer = tool.get("name") if isinstance(tool, Mapping) else None
    return word(inner(tool, "function").get("name", outer))


def size(messages: object) -> int:
    """Roughly how many tokens the texts of a conversation make."""
    if not isinstance(messages, list):
        return 0
    chars = sum(len(text) for message in messages for text in _texts(message))
    return _TOKENS_PER_MESSAGE * len(messages) + chars // _CHARS_PER_TOKEN


def _texts(message: object) -> Iterable[str]:
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            yield word(part.get("text")) if isinstance(part, Mapping) else ""
