"""The seam between the loop and whoever answers: a call goes in, an answer or a signal comes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from engine.messages import Delta, Message, Params, ToolCall, Usage, Vector
from engine.secret import Secret

What = Literal[
    "status",  # the provider answered with a status that is no success
    "error",  # an error inside a 200: a body, or an event of a stream
    "connection",  # connect, DNS, TLS, reset, closed early
    "timeout",  # no connection, or the whole attempt took too long
    "callers_timeout",  # the attempt took longer than the caller would wait, which says nothing of the model
    "first_token_timeout",
    "idle_timeout",
    "protocol",  # a 200 that can't be read
    "empty",  # finished, and said nothing
    "truncated",  # ended without saying that it had finished
    "content_filter",  # finished without an answer because a filter or the model refused
    "unsupported",  # this wire protocol can't express what was asked, or the model has no such thing
]


class Signal(Exception):
    """What a provider saw go wrong, before anybody judges it.

    Attributes:
        what: Which sort of thing happened.
        message: The provider's words, or ours. May hold anything; redacted before it is shown.
        status: The HTTP status, 0 where there was none.
        codes: The provider's codes and types for it, lower case, most telling first.
        retry_after_s: Seconds the provider asked to wait, None where it did not.
        usage: Tokens that were used up all the same.
    """

    def __init__(
        self,
        what: What,
        message: str = "",
        *,
        status: int = 0,
        codes: tuple[str, ...] = (),
        retry_after_s: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        self.what = what
        self.message = message
        self.status = status
        self.codes = codes
        self.retry_after_s = retry_after_s
        self.usage = usage
        super().__init__(message or what)


class Call(NamedTuple):
    """One upstream call, the same for every wire protocol.

    Attributes:
        model: The provider's own name for the model.
        messages: The conversation in OpenAI's chat form.
        params: What is asked of the answer.
        key: Goes into a header; None where the provider takes none.
        connect_timeout_s: Seconds until the connection must stand.
    """

    model: str
    messages: tuple[Message, ...]
    params: Params = Params()
    key: Secret | None = None
    connect_timeout_s: float = 10.0


class Answer(NamedTuple):
    """What one upstream call brought.

    Attributes:
        text: The answer.
        finish_reason: `stop`, `length`, `tool_calls`, `content_filter`, or the provider's own word;
            empty if it gave none.
        usage: Tokens as the provider counted them.
        tool_calls: Tools the model wants called.
        reasoning: What the model showed of its reasoning.
    """

    text: str
    finish_reason: str
    usage: Usage
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""


class EmbedLimits(NamedTuple):
    """How much one call for vectors may carry. A text that is larger by itself is sent alone.

    Attributes:
        texts: Most texts.
        size: Most bytes of UTF-8 of all texts together.
    """

    texts: int = 2048
    size: int = 300_000


class EmbedCall(NamedTuple):
    """One upstream call for vectors.

    Attributes:
        model: The provider's own name for the model.
        texts: What to embed, each at least one character long.
        dimensions: How long each vector is to be; None leaves it to the model.
        key: Goes into a header; None where the provider takes none.
        connect_timeout_s: Seconds until the connection must stand.
    """

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None
    key: Secret | None = None
    connect_timeout_s: float = 10.0


class Vectors(NamedTuple):
    """What one call for vectors brought; whoever asked checks their number and length.

    Attributes:
        vectors: One for each text, in the texts' order.
        usage: Tokens as the provider counted them.
    """

    vectors: Sequence[Vector]
    usage: Usage = Usage()


class Finish(NamedTuple):
    """The model said why it stopped: `stop`, `length`, `tool_calls`, `content_filter`, or its own word."""

    reason: str


class End(NamedTuple):
    """The protocol's own terminator arrived: `[DONE]`, `message_stop`, `done: true`."""


Part = Delta | Finish | Usage | End
"""What a stream is made of."""


class Provider(Protocol):
    """Whoever answers calls. Any object with these three methods may serve.

    Neither method limits time (connecting aside), retries, or judges: it raises a `Signal`, or any
    other exception, and the loop does the rest. Cancelling must close the upstream connection.
    """

    async def complete(self, call: Call) -> Answer:
        """One whole answer.

        Raises:
            Signal: Something went wrong.
        """
        ...

    def stream(self, call: Call) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Part]]]:
        """One streamed answer: batches of parts, one batch for each read from the network.

        An empty batch is a sign of life. The end of the iterator is the end of the body. Leaving
        the context closes the connection at once, unless the body was read to its end.

        Raises:
            Signal: On entering or while iterating, when something goes wrong.
        """
        ...

    async def aclose(self) -> None:
        """Closes what the provider holds open."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """What a provider has besides, if it gives vectors.

    It may also have `embed_limits`, an `EmbedLimits`: the texts of a request are split accordingly.
    """

    async def embed(self, call: EmbedCall) -> Vectors:
        """One vector for each text of the call.

        Raises:
            Signal: Something went wrong.
        """
        ...
