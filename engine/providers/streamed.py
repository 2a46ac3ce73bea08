"""What all stream readers do alike: bytes → events → parts, and no part lost to an error behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from engine.messages import whole_text
from engine.providers.base import Part, Signal
from engine.providers.payload import decode
from engine.providers.rejection import error_in

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Splitter(Protocol[T_co]):
    """Cuts bytes into events or lines."""

    def feed(self, chunk: bytes, /) -> Sequence[T_co]:
        """What the next bytes complete."""
        ...

    def finish(self) -> Sequence[T_co]:
        """What was still waiting for its end."""
        ...


class Streamed(ABC, Generic[T]):
    """A `StreamReader` over a splitter.

    One read from the network may bring text and, behind it, an error. The text comes first: it is
    returned, and the next call raises the error. `feed(b"")` asks for it.
    """

    def __init__(self, splitter: Splitter[T]) -> None:
        self._splitter = splitter
        self._late: Signal | None = None

    def feed(self, chunk: bytes) -> list[Part]:
        """The parts that the next bytes complete."""
        if self._late is not None:
            raise self._late
        return self._take_all(self._splitter.feed(chunk))

    def finish(self) -> list[Part]:
        """The body has ended: the parts that were still waiting."""
        if self._late is not None:
            raise self._late
        return self._take_all(self._splitter.finish())

    def _take_all(self, items: Sequence[T]) -> list[Part]:
        parts: list[Part] = []
        take = self._take
        try:
            for item in items:
                take(item, parts)
        except Signal as signal:
            if not parts:
                raise
            self._late = signal
        return parts

    @abstractmethod
    def _take(self, item: T, parts: list[Part]) -> None:
        """Reads one event or line, and adds its parts."""


def error_event(data: str) -> Signal:
    """The signal for an event named `error`, whatever its data look like."""
    try:
        body = decode(data, "an error event")
    except Signal:
        return Signal("error", whole_text(data))
    return error_in(body) or error_in({"error": body}) or Signal("error", "the stream sent an error event")
