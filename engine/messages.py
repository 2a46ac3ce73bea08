"""What goes to a model and what comes back, the same for every wire protocol."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

Message = Mapping[str, Any]
"""One message in the form of OpenAI's chat completions, tools and images included."""

Prompt = str | Sequence[Message]
"""A user's text, or a conversation."""

Vector = list[float]
"""What a text is to an embedding model."""

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """What a caller may ask of the answer. None leaves the choice to the provider.

    Attributes:
        max_tokens: Most tokens of the answer.
        temperature: Randomness, on the provider's own scale.
        top_p: Nucleus sampling, in (0, 1].
        stop: Texts that end the answer.
        seed: Asks for the same answer again.
        tools: Tools in OpenAI's form: `{"type": "function", "function": {...}}`.
        tool_choice: `auto`, `none`, `required`, or one tool in OpenAI's form.
        response_format: OpenAI's form: `{"type": "json_object"}` or `{"type": "json_schema", ...}`.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    response_format: Mapping[str, Any] | None = None


class Usage(NamedTuple):
    """Tokens, as the provider counted them; None where it did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class ToolCall(NamedTuple):
    """A tool that the model wants called.

    Attributes:
        id: The provider's id for the call; goes back with the result.
        name: The tool.
        arguments: JSON text, as the model wrote it.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call in a stream.

    Attributes:
        index: Which call of the answer, from 0.
        id: Set in the call's first piece, else empty.
        name: Set in the call's first piece, else empty.
        arguments: The next piece of the JSON text.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class Delta(NamedTuple):
    """The next piece of a streamed answer.

    Attributes:
        text: More of the answer.
        reasoning: More of the model's reasoning; not part of the answer.
        tool_call: More of a tool call.
        restart: True if everything before it is void: another model answers, from the start.
    """

    text: str = ""
    reasoning: str = ""
    tool_call: ToolCallDelta | None = None
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer.

    Attributes:
        text: The answer; empty if the model only called tools.
        model: Who answered, as `provider/model`.
        usage: Tokens of the attempt that answered.
        attempts: Upstream calls the request took, the one that answered included.
        finish_reason: `stop`, `length`, `tool_calls`, `content_filter`, or the provider's own word.
        tool_calls: Tools the model wants called.
        reasoning: What the model showed of its reasoning.
        fallback: True when another model than the first of the list answered.
        elapsed_s: Seconds from the call to the answer, every attempt and sleep included.
        first_token_s: Seconds from the call to the first token; None for a plain call.
        request: The request's id, as its events carry it.
    """

    text: str
    model: str
    usage: Usage
    attempts: int
    finish_reason: str
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    fallback: bool = False
    elapsed_s: float = 0.0
    first_token_s: float | None = None
    request: str = ""


@dataclass(frozen=True, slots=True)
class Embeddings(Sequence[Vector]):
    """One vector for each text, in the texts' order: a sequence of them, and how they came about.

    Attributes:
        vectors: The vectors; `len`, indices and iteration mean these. All are of one length, and from
            one model.
        model: Who gave them, as `provider/model`.
        usage: Tokens of the calls that brought them.
        attempts: Upstream calls the request took, those that brought them included.
        fallback: True when another model than the first of the list gave them.
        elapsed_s: Seconds from the call to the last vector, every attempt and sleep included.
        request: The request's id, as its events carry it.
    """

    vectors: tuple[Vector, ...] = field(repr=False)
    model: str
    usage: Usage
    attempts: int
    fallback: bool = False
    elapsed_s: float = 0.0
    request: str = ""

    def __len__(self) -> int:
        return len(self.vectors)

    @overload
    def __getitem__(self, place: int) -> Vector: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Vector, ...]: ...

    def __getitem__(self, place: int | slice) -> Vector | tuple[Vector, ...]:
        return self.vectors[place]

    def __iter__(self) -> Iterator[Vector]:
        return iter(self.vectors)


def as_texts(texts: object) -> tuple[str, ...]:
    """What is to be embedded, checked.

    Args:
        texts: One text, or a list of texts.

    Raises:
        ValueError: There is no text, or one is empty.
        TypeError: It is neither text nor a list of texts.
    """
    if isinstance(texts, str):
        if not texts:
            raise ValueError("the text to embed is empty")
        return (texts,)
    if not isinstance(texts, Sequence) or isinstance(texts, bytes | bytearray | memoryview):
        raise TypeError(f"what is to be embedded is {type(texts).__name__}, not text or a list of texts")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts[{place}] is {type(text).__name__}, not text")
        if not text:
            raise ValueError(f"texts[{place}] is empty")
    if not texts:
        raise ValueError("there is no text to embed")
    return tuple(texts)


def as_messages(prompt: Prompt, system: str | None = None) -> tuple[Message, ...]:
    """A prompt as a conversation.

    Args:
        prompt: A user's text, or messages in OpenAI's chat form.
        system: Goes before everything else as a system message.

    Returns:
        The messages, shallow copies, so that the caller may go on changing its list.

    Raises:
        ValueError: The prompt is empty, or a message has no known role.
        TypeError: The prompt is neither text nor a list of messages.
    """
    if isinstance(prompt, str):
        messages: list[Message] = [{"role": "user", "content": prompt}]
    else:
        messages = []
        for place, message in enumerate(prompt):
            if not isinstance(message, Mapping):
                raise TypeError(f"messages[{place}] is {type(message).__name__}, not a mapping")
            if message.get("role") not in _ROLES:
                known = ", ".join(sorted(_ROLES))
                raise ValueError(f"messages[{place}] needs a role, one of {known}")
            messages.append(dict(message))
        if not messages:
            raise ValueError("there is no message to send")
    if system:
        messages.insert(0, {"role": "system", "content": system})
    return tuple(messages)


def texts_in(value: object, leaving_out: Container[str]) -> Iterator[str]:
    """Every text in a value of objects and lists; what holds itself is gone through once.

    Args:
        value: Messages or tools in OpenAI's chat form, or texts.
        leaving_out: Names of fields whose values don't count.
    """
    levels: list[Iterator[object]] = [iter((value,))]
    path = [id(levels)]  # of what is gone through just now
    while levels:
        for each in levels[-1]:
            if isinstance(each, str):
                yield each
            elif isinstance(each, Mapping | list | tuple) and id(each) not in path:
                inner = each if not isinstance(each, Mapping) else _fields(each, leaving_out)
                levels.append(iter(inner))
                path.append(id(each))
                break
        else:
            levels.pop()
            path.pop()


def _fields(value: Mapping[str, object], leaving_out: Container[str]) -> list[object]:
    return [inner for name, inner in value.items() if name not in leaving_out]


_SURROGATES = dict.fromkeys(range(55296, 57344), "�")


def whole_text(value: object) -> str:
    """A provider's value as text that every encoder takes.

    `json.loads` lets lone surrogates through, which later break UTF-8 files, databases and terminals.

    Args:
        value: What stood where text was expected.

    Returns:
        The text with lone surrogates replaced by U+FFFD; empty if the value is not text.
    """
    if not isinstance(value, str):
        return ""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.translate(_SURROGATES)
    return value
