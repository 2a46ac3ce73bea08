"""The server that every case asks: as little work as possible, so that the client is what is measured.

It speaks just enough HTTP/1.1 and OpenAI's chat completions. Every answer was rendered before the first
request came, and leaves in one write. The model's name chooses it: `fail` is a 500; `pieces` streams
one HTTP chunk for each event, as servers do; any other streams its whole body as one; `later` thinks for a
while before it answers. A process of its own (`python -m tests.benchmarks.upstream`): it prints its port,
and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.benchmarks.machine import Cores, spawned_on

CHUNKS = 50
"""Pieces of text in a streamed answer."""

LATER_S = 0.02
"""How long the model `later` takes: a tenth of what the fastest of real ones do."""

_MODEL = re.compile(rb'"model":\s*"([^"]*)"')
_STREAM = re.compile(rb'"stream":\s*true')
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"
_TEXT = "The sky is blue because air scatters the short waves of sunlight more than the long ones."


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _whole(status: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\n"
        "date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
        "content-type: application/json\r\n"
        f"content-length: {len(body)}\r\n"
        "x-request-id: req_0123456789abcdef\r\n"
        "server: upstream\r\n\r\n"
    )
    return head.encode() + body


def _answer() -> bytes:
    message = {"role": "assistant", "content": _TEXT}
    body = {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "good",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 20, "total_tokens": 32},
    }
    return _whole("200 OK", _json(body))


def _failure() -> bytes:
    error = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}
    return _whole("500 Internal Server Error", _json({"error": error}))


def _events() -> list[bytes]:
    def chunk(choices: list[dict[str, Any]], **more: Any) -> bytes:
        body = {
            "id": "chatcmpl-0123456789abcdef",
            "object": "chat.completion.chunk",
            "created": 1767225600,
            "model": "good",
            "choices": choices,
        }
        return b"data: " + _json(body | more) + b"\n\n"

    def said(delta: dict[str, str], reason: str | None = None) -> bytes:
        return chunk([{"index": 0, "delta": delta, "finish_reason": reason}])

    usage = {"prompt_tokens": 12, "completion_tokens": CHUNKS, "total_tokens": 12 + CHUNKS}
    return [
        said({"role": "assistant", "content": ""}),
        *(said({"content": f" tok{number:02}"}) for number in range(CHUNKS)),
        said({}, "stop"),
        chunk([], usage=usage),
        b"data: [DONE]\n\n",
    ]


def _stream(chunks: list[bytes]) -> bytes:
    head = (
        b"HTTP/1.1 200 OK\r\n"
        b"date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
        b"content-type: text/event-stream\r\n"
        b"transfer-encoding: chunked\r\n"
        b"x-request-id: req_0123456789abcdef\r\n"
        b"server: upstream\r\n\r\n"
    )
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head + body + b"0\r\n\r\n"


_ANSWER = _answer()
_FAILURE = _failure()
_IN_PIECES = _stream(_events())
_AT_ONCE = _stream([b"".join(_events())])


def _response(model: bytes, body: bytes) -> bytes:
    if model == b"fail":
        return _FAILURE
    if not _STREAM.search(body):
        return _ANSWER
    return _IN_PIECES if model == b"pieces" else _AT_ONCE


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (head := self._waiting.find(_HEAD_END)) >= 0:
            length = _LENGTH.search(self._waiting, 0, head)
            end = head + len(_HEAD_END) + (int(length[1]) if length else 0)
            if len(self._waiting) < end:
                return
            body, self._waiting = self._waiting[head:end], self._waiting[end:]
            found = _MODEL.search(body)
            model = found[1] if found else b""
            if model == b"later":
                asyncio.get_running_loop().call_later(LATER_S, self._transport.write, _ANSWER)
            else:
                self._transport.write(_response(model, body))


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)


@contextmanager
def upstream(cores: Cores) -> Iterator[str]:
    """A server in a process of its own, on the upstream's core; gives the base URL to ask."""
    command = [sys.executable, "-m", "tests.benchmarks.upstream"]
    with (
        spawned_on(cores.upstream),
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        finally:
            server.stdin.close()


if __name__ == "__main__":
    asyncio.run(_serve())
