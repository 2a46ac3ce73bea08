"""What stands between a client and its upstream: TLS, proxies, name servers, full queues."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

SELF_SIGNED = Path(__file__).parents[1] / "upstream" / "selfsigned.pem"
"""Key and certificate of a server at 127.0.0.1 that nobody has signed."""


def self_signed() -> ssl.SSLContext:
    """For an upstream with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)
    return context


@dataclass
class Proxy:
    """A proxy, and the first line of each request it got."""

    url: str
    asked: list[str] = field(default_factory=list)


@contextlib.asynccontextmanager
async def tunnelling_proxy(status: int = 200) -> AsyncIterator[Proxy]:
    """A proxy that connects its clients to whoever they ask for, or refuses with another status."""
    proxy = Proxy("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        proxy.asked.append(head[0])
        writer.write(f"HTTP/1.1 {status} Scripted\r\ncontent-length: 0\r\n\r\n".encode())
        if status == 200:
            host, _, port = head[0].split(" ")[1].partition(":")
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()


@contextlib.asynccontextmanager
async def saying(words: bytes) -> AsyncIterator[int]:
    """A port where whatever is asked is answered with the same words."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(1 << 16)
        writer.write(words)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
    writer.close()


@contextlib.contextmanager
def full_queue() -> Iterator[int]:
    """A port that takes no further connections and refuses none: connecting to it hangs."""
    with contextlib.ExitStack() as open_sockets:
        server = open_sockets.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            client = open_sockets.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@contextlib.contextmanager
def refusing() -> Iterator[int]:
    """A port where nobody listens, and that nobody else can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def no_such_host(*_: object, **__: object) -> NoReturn:
    """Stands in for `socket.getaddrinfo` where the name servers know nothing."""
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
