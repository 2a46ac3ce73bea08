"""What one wire protocol knows: how to write a call down, and how to read what comes back. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from engine.providers.base import Answer, Call, EmbedCall, EmbedLimits, Part, Vectors


class Outgoing(NamedTuple):
    """A call, ready to be sent with POST.

    Attributes:
        url: Where it goes; never holds a key.
        body: JSON in UTF-8.
        headers: What the protocol wants besides the content type. The key is not among them: see
            `Wire.key_header`.
    """

    url: str
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})


class StreamReader(Protocol):
    """Reads one streamed answer from bytes, in whatever pieces they arrive."""

    def feed(self, chunk: bytes) -> list[Part]:
        """The parts that the next bytes complete; none is as good an answer as many.

        Parts are never lost to an error that comes behind them in the same bytes: they are returned,
        and the next call raises the error. `feed(b"")` asks for it at once.

        Raises:
            Signal: An error inside the stream, or something that can't be read.
        """
        ...

    def finish(self) -> list[Part]:
        """The body has ended: the parts that were still waiting for a line's end.

        Raises:
            Signal: As for `feed`.
        """
        ...


class EmbedWire(Protocol):
    """The embeddings of one wire protocol. Stateless."""

    @property
    def limits(self) -> EmbedLimits:
        """How much one call may carry."""
        ...

    def build(self, call: EmbedCall) -> Outgoing:
        """Writes a call down."""
        ...

    def read(self, body: Any) -> Vectors:
        """Reads the vectors from their decoded JSON, in the order of the texts.

        Raises:
            Signal: `error` for an error inside a 200, `protocol` for what can't be read.
        """
        ...


class Wire(Protocol):
    """One wire protocol. Stateless, so one object serves all calls of a provider."""

    @property
    def embeddings(self) -> EmbedWire | None:
        """How it speaks of embeddings; None if it has none."""
        ...

    def build(self, call: Call, *, stream: bool) -> Outgoing:
        """Writes a call down.

        Raises:
            Signal: `unsupported`: this protocol can't express what is asked.
        """
        ...

    def key_header(self, key: str) -> tuple[str, str]:
        """Name and value of the header that carries the key."""
        ...

    def read(self, body: Any) -> Answer:
        """Reads a whole answer from its decoded JSON.

        Raises:
            Signal: `error` for an error inside a 200, `protocol` for what can't be read.
        """
        ...

    def reader(self) -> StreamReader:
        """A fresh reader for one streamed answer."""
        ...
