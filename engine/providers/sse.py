"""Streams of events and of lines, read from bytes in whatever pieces the network brings them.

Both readers split bytes and decode whole blocks: a character cut in two stays one, and U+2028, U+0085
and their like, which are line ends to Python but to neither format, stay text. Bytes that are not
UTF-8 become U+FFFD. A byte order mark at the start is skipped.

What a stream leaves unfinished at its end is handed out only if it is whole beyond doubt: `[DONE]`, or
a JSON object, which no cut can leave valid. So a server that forgets the last line end is understood,
and an answer that was cut off never passes for a complete one.

An event or line that is too large is refused, and what came before it in the same read is not lost to
that: it is handed out, and the next call refuses. `feed(b"")` asks for it.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple, TypeVar

from engine.providers.base import Signal

T = TypeVar("T")

LIMIT: Final = 16 * 1024 * 1024
"""Most bytes of one event or line; what is longer is no answer of a model."""

_BOM: Final = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """One server-sent event.

    Attributes:
        event: Its name; empty where the stream gave none.
        data: Its data, never blank; several `data:` lines are joined by line feeds.
    """

    event: str
    data: str


class _Blocks:
    """Bytes that wait for the end of their block. Only what is new is searched, so no read is costly."""

    __slots__ = ("_head", "_late", "_pending")

    def __init__(self) -> None:
        self._pending = bytearray()
        self._late: Signal | None = None  # what is raised when all that came before it is handed out
        self._head: bytes | None = b""  # the first bytes while they may still be a BOM, then None

    def _without_bom(self, head: bytes, chunk: bytes) -> bytes:
        head += chunk
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._head = head
            return b""
        self._head = None
        return head.removeprefix(_BOM)

    def _keep(self, rest: bytes) -> None:
        if self._late is None:
            self._pending += rest
            if len(self._pending) > LIMIT + 1:  # one more than the largest block: its own line end
                self._refuse()

    def _take(self, separator: bytes) -> str:
        blocks = self._pending
        self._pending = bytearray()
        if len(blocks) > LIMIT:
            place = 0
            for block in blocks.split(separator):
                if len(block) > LIMIT:
                    self._refuse()
                    del blocks[place:]
                    break
                place += len(block) + len(separator)
        return blocks.decode("utf-8", "replace")

    def _refuse(self) -> None:
        self._pending = bytearray()
        self._late = Signal("protocol", f"one event of the stream is larger than {LIMIT // 2**20} MiB")

    def _handed_out(self, items: list[T]) -> list[T]:
        if self._late is not None and not items:
            raise self._late
        return items


class SseReader(_Blocks):
    """Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

    Lines end with CR, LF or CRLF, also mixed. A CR at the end of a read ends its line at once; a LF
    that follows with the next read belongs to it. Comments, ids, retry times and events without data
    yield nothing: that bytes arrived is the sign of life.
    """

    __slots__ = ("_after_cr", "_at_line_start")

    def __init__(self) -> None:
        super().__init__()
        self._after_cr = False
        self._at_line_start = False  # one more line end would end the event that waits

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """The events that the next bytes complete.

        Raises:
            Signal: `protocol`: an event is larger than `LIMIT`.
        """
        if self._late is not None:
            raise self._late
        if self._head is not None:
            chunk = self._without_bom(self._head, chunk)
        if self._after_cr or b"\r" in chunk:
            chunk = self._line_feeds(chunk)
        if not chunk:
            return []
        end = chunk.rfind(b"\n\n")
        if end >= 0:
            self._pending += chunk[:end]
            rest = chunk[end + 2 :]
        elif self._at_line_start and chunk.startswith(b"\n"):
            del self._pending[-1:]
            rest = chunk[1:]
        else:
            self._at_line_start = chunk.endswith(b"\n")
            self._keep(chunk)
            return self._handed_out([])
        blocks = self._take(b"\n\n")
        self._at_line_start = rest.endswith(b"\n")
        if rest:
            self._keep(rest)
        return self._handed_out(_events(blocks))

    def finish(self) -> list[SseEvent]:
        """The stream has ended: its last event, if it lacks nothing but its blank line."""
        events = _events(self._take(b"\n\n"))
        return self._handed_out([event for event in events if _is_whole(event.data)])

    def _line_feeds(self, chunk: bytes) -> bytes:
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk


class LineReader(_Blocks):
    """Reads newline-delimited JSON (https://github.com/ndjson/ndjson-spec): lines end with LF or CRLF."""

    __slots__ = ()

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that the next bytes complete, blank ones left out.

        Raises:
            Signal: `protocol`: a line is larger than `LIMIT`.
        """
        if self._late is not None:
            raise self._late
        if self._head is not None:
            chunk = self._without_bom(self._head, chunk)
        end = chunk.rfind(b"\n")
        if end < 0:
            self._keep(chunk)
            return self._handed_out([])
        self._pending += chunk[:end]
        lines = self._take(b"\n")
        self._keep(chunk[end + 1 :])
        return self._handed_out([line for line in lines.split("\n") if line and not line.isspace()])

    def finish(self) -> list[str]:
        """The stream has ended: its last line, if it lacks nothing but its line end."""
        line = self._take(b"\n")
        return self._handed_out([line] if _is_whole(line) else [])


def _events(blocks: str) -> list[SseEvent]:
    events = []
    for block in blocks.split("\n\n"):
        # Nearly every event of a model's stream is one such line.
        is_plain = block.startswith("data: ") and "\n" not in block
        event = SseEvent("", block[6:]) if is_plain else _event(block)
        if event.data and not event.data.isspace():
            events.append(event)
    return events


def _event(block: str) -> SseEvent:
    name = ""
    data = []
    for line in block.split("\n"):
        field, _, value = line.partition(":")
        if field == "data":
            data.append(value.removeprefix(" "))
        elif field == "event":
            name = value.removeprefix(" ")
    return SseEvent(name, "\n".join(data))


def _is_whole(data: str) -> bool:
    if data.strip() == "[DONE]":
        return True
    try:
        return isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return False
