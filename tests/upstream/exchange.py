"""What a step is given: one request, and the means to answer it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.upstream.protocols import Protocol

# A socket that closes with this linger sends RST instead of FIN.
_RST = struct.pack("ii", 1, 0)


@dataclass(eq=False, slots=True)
class Request:
    """One request as it arrived.

    Header names are lower case. `body` is decoded JSON, `raw` the bytes; `connection` numbers
    connections from 0. `closed` is set when that connection has been closed, by either side.
    """

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes
    peer: tuple[str, int]
    connection: int
    closed: asyncio.Event
    body: Any = None
    model: str = ""
    protocol: Protocol = "openai"
    stream: bool = False


class Exchange:
    """One request and the means to answer it."""

    def __init__(
        self, request: Request, transport: asyncio.Transport, write: Callable[[bytes], Awaitable[None]]
    ) -> None:
        self.request = request
        self.raw = write  # sends bytes as they are, and waits until there is room for more
        self._transport = transport
        self._chunked = False

    async def start(
        self, status: int = 200, headers: Mapping[str, str] | None = None, *, chunked: bool
    ) -> None:
        """Sends the head of an answer; with `chunked`, `send` frames what follows."""
        self._chunked = chunked
        framing = {"transfer-encoding": "chunked"} if chunked else {}
        await self.raw(head(status, {**framing, **(headers or {})}))

    async def send(self, data: bytes) -> None:
        """Sends a piece of the body."""
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    async def end(self) -> None:
        """Ends the body: the last chunk, or the end of the connection."""
        if self._chunked:
            await self.raw(b"0\r\n\r\n")
        else:
            self.close()

    async def whole(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Sends a whole answer in one write."""
        await self.raw(head(status, {"content-length": str(len(body)), **headers}) + body)

    def close(self) -> None:
        """Closes the connection in good order (FIN), after what was written has left."""
        self._transport.close()

    def reset(self) -> None:
        """Breaks the connection (RST)."""
        sock: socket.socket = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        self._transport.abort()


Step = Callable[[Exchange], Awaitable[None]]
"""How one request is answered."""


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Status line and headers."""
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
