"""The server itself: connections, requests, scripts. See the package's docstring for how to use it."""

from __future__ import annotations

import asyncio
import json
import ssl
from types import TracebackType
from typing import Any, Self

from tests.upstream import steps
from tests.upstream.exchange import Exchange, Request, Step
from tests.upstream.protocols import protocol_of

_TASK = "upstream connection"


def tasks_of_others() -> set[asyncio.Task[Any]]:
    """The tasks that are not an upstream's: those of the test, and of what it tests."""

    def is_own(task: asyncio.Task[Any]) -> bool:
        accepts = getattr(task.get_coro(), "__name__", "").startswith("_accept_connection")
        return accepts or task.get_name().startswith(_TASK)

    return {task for task in asyncio.all_tasks() if not is_own(task)}


class Upstream:
    """A scripted upstream on an ephemeral port of 127.0.0.1, or on `port`; with `tls`, over TLS.

    After `limit_s` seconds it cancels every task but its own: a test that hangs fails.
    """

    def __init__(self, *, port: int = 0, tls: ssl.SSLContext | None = None, limit_s: float = 60.0) -> None:
        self.requests: list[Request] = []
        self.accepted = 0
        self.faults: list[Exception] = []
        self.port = port
        self._tls = tls
        self._limit_s = limit_s
        self._guard: asyncio.TimerHandle | None = None
        self._scripts: dict[str, list[Step]] = {}
        self._connections: set[_Connection] = set()
        self._waiting: set[asyncio.Future[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", self.port, ssl=self._tls, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._guard = loop.call_later(self._limit_s, self._give_up)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._guard is not None:
            self._guard.cancel()
        await self.stop()
        if error is None and self.faults:
            raise self.faults[0]

    async def stop(self) -> None:
        """Stops listening and breaks what is open: from now on connections are refused."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.transport.abort()
        await self.quiet()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def openai(self) -> str:
        return f"{self.url}/v1"

    @property
    def anthropic(self) -> str:
        return f"{self.url}/v1"

    @property
    def ollama(self) -> str:
        return self.url

    @property
    def open(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    def script(self, model: str, *script: Step) -> None:
        """What the next requests for a model meet, one step each; the last one repeats."""
        self._scripts[model] = list(script)

    def requests_for(self, model: str) -> list[Request]:
        """The requests for one model, in order."""
        return [request for request in self.requests if request.model == model]

    async def arrived(self, count: int = 1, *, model: str | None = None) -> Request:
        """Waits until that many requests have come in, and returns the last of them."""
        while True:
            come = self.requests if model is None else self.requests_for(model)
            if len(come) >= count:
                return come[count - 1]
            await self._change()

    async def quiet(self, connections: int = 0) -> None:
        """Waits until no more than that many connections are open."""
        while len(self._connections) > connections:
            await self._change()

    async def _change(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def _changed(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _give_up(self) -> None:
        self.faults.append(TimeoutError(f"the test took longer than {self._limit_s:g}s"))
        for task in tasks_of_others():
            task.cancel()

    def _step_for(self, model: str) -> Step:
        script = self._scripts.get(model)
        if not script:
            return steps.ok()
        return script.pop(0) if len(script) > 1 else script[0]


class _Connection(asyncio.Protocol):
    """One connection: requests one after another, each answered by its step."""

    transport: asyncio.Transport

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._reader = asyncio.StreamReader(limit=1 << 26)
        self._writable = asyncio.Event()
        self._writable.set()
        self._closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._number = self._upstream.accepted
        self._upstream.accepted += 1
        self._upstream._connections.add(self)
        name = f"{_TASK} {self._number}"
        self._task = asyncio.get_running_loop().create_task(self._serve(), name=name)

    def data_received(self, data: bytes) -> None:
        self._reader.feed_data(data)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def eof_received(self) -> None:
        self._closed.set()  # and the transport closes itself

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - the signature is asyncio's
        self._closed.set()
        self._task.cancel()
        self._upstream._connections.discard(self)
        self._upstream._changed()

    async def _write(self, data: bytes) -> None:
        if self._closed.is_set():
            raise ConnectionResetError
        self.transport.write(data)
        await self._writable.wait()

    async def _serve(self) -> None:
        try:
            while not self.transport.is_closing():
                request = await self._request()
                self._upstream.requests.append(request)
                self._upstream._changed()
                await self._upstream._step_for(request.model)(Exchange(request, self.transport, self._write))
        except ConnectionError:
            self.transport.abort()
        except Exception as error:  # noqa: BLE001 - a broken step must fail its test, not vanish
            self._upstream.faults.append(error)
            self.transport.abort()

    async def _request(self) -> Request:
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ")
        pairs = (line.partition(":") for line in lines[1:-2])
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        raw = await self._body(headers)
        peer = self.transport.get_extra_info("peername")
        request = Request(method, path, headers, raw, peer, self._number, self._closed)
        protocol = protocol_of(path)
        if protocol:
            request.protocol = protocol
            request.body = json.loads(raw)
            request.model = request.body.get("model", "")
            request.stream = request.body.get("stream", path.endswith("/api/chat"))
        return request

    async def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" not in headers.get("transfer-encoding", ""):
            return await self._reader.readexactly(int(headers.get("content-length", 0)))
        pieces = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            pieces.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readexactly(2)
        return b"".join(pieces)
