"""Requests over real sockets, through plain httpx and through aiohttp."""

from __future__ import annotations

import asyncio
import base64
import errno
import gc
import json
import logging
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.incoming import Incoming
from engine.providers.base import Signal
from engine.secret import Secret
from engine.transport import Transport
from tests.providers.networks import (
    SELF_SIGNED,
    full_queue,
    no_such_host,
    refusing,
    saying,
    self_signed,
    tunnelling_proxy,
)
from tests.upstream import Exchange, Step, Upstream, steps

BODY = json.dumps({"model": "m", "messages": []}).encode()
STREAM = json.dumps({"model": "m", "messages": [], "stream": True}).encode()
KEY = Secret("test#main", "sk-canary-0123456789")


@pytest.fixture(params=[False, True], ids=["httpx", "aiohttp"])
def fast(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    async with Upstream() as up:
        yield up


@pytest.fixture
async def transport(up: Upstream, fast: bool) -> AsyncIterator[Transport]:
    transport = Transport(up.openai, fast=fast)
    yield transport
    await transport.aclose()


def bearer(key: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {key}"


async def send(transport: Transport, up: Upstream, body: bytes = BODY, **options: Any) -> Incoming:
    url = f"{up.openai}/chat/completions"
    return await transport.send(url, body, key=KEY, key_header=bearer, stream=body is STREAM, **options)


async def get(transport: Transport, up: Upstream, body: bytes = BODY) -> bytes:
    incoming = await send(transport, up, body)
    try:
        return await incoming.read(1 << 20)
    finally:
        await incoming.aclose()


async def failure(transport: Transport, up: Upstream, body: bytes = BODY) -> Signal:
    with pytest.raises(Signal) as caught:
        await get(transport, up, body)
    return caught.value


async def until(holds: Callable[[], bool]) -> None:
    """Waits for what a client learns from its loop alone; the upstream's own limit ends it."""
    while True:
        if holds():
            return
        await asyncio.sleep(0)


def would_use_again(transport: Transport) -> bool:
    """Whether it takes a connection that it keeps to be open still."""
    assert transport._shards is not None
    (shard,) = transport._shards._shards
    inner: Any = shard.transport
    if isinstance(inner, httpx.AsyncHTTPTransport):
        return any(not kept.has_expired() for kept in inner._pool.connections)
    kept_by_host = inner.client.connector._conns.values()
    return any(kept.is_connected() for connections in kept_by_host for kept, _ in connections)


def in_flight(transport: Transport) -> int:
    assert transport._shards is not None
    return transport._shards.in_flight


class TestARequest:
    async def test_arrives_as_it_was_given(self, transport: Transport, up: Upstream) -> None:
        incoming = await send(transport, up, headers={"X-Wire": "1"})
        assert (incoming.status, incoming.content_type) == (200, "application/json")
        assert json.loads(await incoming.read(1 << 20))["object"] == "chat.completion"
        (request,) = up.requests
        assert (request.method, request.path, request.raw) == ("POST", "/v1/chat/completions", BODY)
        headers = request.headers
        assert headers.pop("connection", "keep-alive") == "keep-alive"
        assert headers == {
            "host": f"127.0.0.1:{up.port}",
            "content-length": str(len(BODY)),
            "content-type": "application/json",
            "accept": "application/json",
            "accept-encoding": "gzip",
            "user-agent": "standby",
            "authorization": f"Bearer {KEY.reveal()}",
            "x-wire": "1",
        }

    async def test_for_a_stream_asks_that_nothing_is_compressed(
        self, transport: Transport, up: Upstream
    ) -> None:
        await get(transport, up, STREAM)
        assert up.requests[0].headers["accept"] == "text/event-stream"
        assert up.requests[0].headers["accept-encoding"] == "identity"

    async def test_carries_the_providers_headers_over_the_wires_and_the_key_over_both(
        self, up: Upstream, fast: bool
    ) -> None:
        own = {"X-Team": "search", "User-Agent": "mine", "authorization": "nobody"}
        transport = Transport(up.openai, headers=own, fast=fast)
        await (await send(transport, up, headers={"user-agent": "wire", "x-team": "none"})).aclose()
        headers = up.requests[0].headers
        assert (headers["x-team"], headers["user-agent"]) == ("search", "mine")
        assert headers["authorization"] == f"Bearer {KEY.reveal()}"
        await transport.aclose()

    async def test_carries_no_cookies_and_follows_no_redirect(self, up: Upstream, fast: bool) -> None:
        up.script("m", steps.status(302, b"", headers={"location": "/elsewhere", "set-cookie": "a=b"}))
        url = f"http://localhost:{up.port}/v1/chat/completions"  # aiohttp keeps no cookies of numbers
        transport = Transport(url, fast=fast)
        for _ in range(2):
            incoming = await transport.send(url, BODY)
            assert incoming.status == 302
            assert await incoming.read(1) == b""
        assert [request.path for request in up.requests] == ["/v1/chat/completions"] * 2
        assert "cookie" not in up.requests[1].headers
        await transport.aclose()

    async def test_sends_no_credentials_that_stand_in_a_url(self, up: Upstream, fast: bool) -> None:
        url = f"http://user:pass@127.0.0.1:{up.port}/v1/chat/completions"
        transport = Transport(url, fast=fast)
        await (await transport.send(url, BODY)).aclose()
        headers = up.requests[0].headers
        assert headers["host"] == f"127.0.0.1:{up.port}"
        assert "authorization" not in headers
        await transport.aclose()

    async def test_has_lower_case_names_for_the_headers_of_its_answer(
        self, transport: Transport, up: Upstream
    ) -> None:
        up.script("m", steps.ok(headers={"Retry-After": "7", "X-Latin": "\xe9"}))
        incoming = await send(transport, up)
        assert incoming.headers["retry-after"] == "7"
        assert incoming.headers["x-latin"] == "\xe9"
        await incoming.aclose()

    async def test_is_not_told_of_in_any_log_with_its_url_or_key(
        self, up: Upstream, fast: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        transport = Transport(up.openai, fast=fast)
        url = f"{up.openai}/chat/completions?secret=sk-in-the-query"
        incoming = await transport.send(url, BODY, key=KEY, key_header=bearer)
        await incoming.aclose()
        await transport.aclose()
        said = "".join(record.getMessage() + repr(record.args) for record in caplog.records)
        assert "sk-" not in said
        assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


class TestTheBody:
    async def test_comes_in_pieces_as_the_network_brings_them(
        self, transport: Transport, up: Upstream
    ) -> None:
        more = asyncio.Event()
        up.script("m", steps.ok("one two", hold={1: more}))
        incoming = await send(transport, up, STREAM)
        came = b""
        while b'"one"' not in came:
            came += await incoming.next_chunk()
        assert b" two" not in came
        more.set()
        came += await incoming.read(1 << 20)
        assert came.endswith(b"data: [DONE]\n\n")
        assert await incoming.next_chunk() == b""

    async def test_is_unpacked(self, transport: Transport, up: Upstream) -> None:
        up.script("m", steps.gzipped())
        assert json.loads(await get(transport, up))["object"] == "chat.completion"

    async def test_that_claims_an_encoding_it_does_not_have_is_no_protocol(
        self, transport: Transport, up: Upstream
    ) -> None:
        up.script("m", steps.ok(headers={"content-encoding": "gzip"}))
        signal = await failure(transport, up)
        assert signal.what == "protocol"
        assert in_flight(transport) == 0

    async def test_that_is_too_large_is_refused_and_its_connection_closed(
        self, transport: Transport, up: Upstream
    ) -> None:
        up.script("m", steps.huge_line(3 << 20))
        incoming = await send(transport, up)
        with pytest.raises(Signal, match="larger than") as caught:
            await incoming.read(2 << 20)
        assert caught.value.what == "protocol"
        await up.requests[0].closed.wait()
        assert in_flight(transport) == 0

    async def test_is_read_as_far_as_wanted_or_as_it_goes(self, transport: Transport, up: Upstream) -> None:
        up.script("m", steps.ok("x" * 100), steps.cut())
        incoming = await send(transport, up)
        assert len(await incoming.read_start(50)) == 50
        await incoming.aclose()
        incoming = await send(transport, up)
        assert (await incoming.read_start(5000)).startswith(b'{"id":"c1"')
        assert in_flight(transport) == 0


class TestConnections:
    async def test_are_used_again(self, transport: Transport, up: Upstream) -> None:
        up.script("m", steps.ok(), steps.status(500), steps.ok(), steps.gzipped(), steps.ok())
        for body in (BODY, BODY, STREAM, BODY, STREAM):
            await get(transport, up, body)
        assert up.accepted == 1

    async def test_carry_a_hundred_requests_at_once_and_are_kept_after(
        self, transport: Transport, up: Upstream
    ) -> None:
        together = asyncio.Event()
        up.script("m", steps.ok(hold={"head": together}))
        asking = [asyncio.create_task(get(transport, up)) for _ in range(100)]
        await up.arrived(100)
        assert in_flight(transport) == 100
        together.set()
        await asyncio.gather(*asking)
        assert (up.accepted, in_flight(transport)) == (100, 0)
        await asyncio.gather(*(get(transport, up) for _ in range(100)))
        assert up.accepted == 100

    async def test_are_shared_out_ten_to_a_pool(self, up: Upstream) -> None:
        transport = Transport(up.openai, fast=False)
        together = asyncio.Event()
        up.script("m", steps.ok(hold={"head": together}))
        asking = [asyncio.create_task(get(transport, up)) for _ in range(25)]
        await up.arrived(25)
        assert transport._shards is not None
        assert [shard.in_flight for shard in transport._shards._shards] == [10, 10, 5]
        together.set()
        await asyncio.gather(*asking)
        await transport.aclose()

    async def test_that_are_left_early_are_closed_at_once(self, transport: Transport, up: Upstream) -> None:
        for body in (BODY, STREAM):
            up.script("m", steps.stall())
            incoming = await send(transport, up, body)
            assert await incoming.next_chunk()
            await incoming.aclose()
            await up.requests[-1].closed.wait()
            assert in_flight(transport) == 0
        up.script("m", steps.stall())
        await (await send(transport, up)).aclose()
        await up.quiet()

    async def test_that_are_left_early_leave_no_generator_for_the_loop_to_close(
        self, transport: Transport, up: Upstream
    ) -> None:
        for step in (steps.stall(after=2), steps.stall(), steps.byte_by_byte(hold={1: asyncio.Event()})):
            up.script("m", step)
            incoming = await send(transport, up, STREAM)
            await incoming.next_chunk()
            await incoming.aclose()
            before = asyncio.all_tasks()
            del incoming
            gc.collect()
            await asyncio.sleep(0)  # what the collector hands to the loop becomes a task now
            assert asyncio.all_tasks() <= before

    async def test_all_close_with_the_transport(self, transport: Transport, up: Upstream) -> None:
        up.script("m", steps.ok(), steps.stall())
        await get(transport, up)
        incoming = await send(transport, up, STREAM)
        await incoming.next_chunk()
        await transport.aclose()
        await up.quiet()
        with pytest.raises(Signal, match=f"127.0.0.1:{up.port}"):
            await incoming.read(1 << 20)
        with pytest.raises(Signal, match="have been closed"):
            await send(transport, up)
        await transport.aclose()

    async def test_that_the_server_closed_meanwhile_are_not_used_again(
        self, transport: Transport, up: Upstream
    ) -> None:
        async def answer_and_leave(exchange: Exchange) -> None:
            await steps.ok()(exchange)
            exchange.close()

        up.script("m", answer_and_leave)
        for _ in range(3):
            await get(transport, up)
            await up.quiet()
            await until(lambda: not would_use_again(transport))
        assert up.accepted == 3


FAILURES: list[tuple[Step, bytes, str]] = [
    (steps.reset(), BODY, "reset the connection"),
    (steps.close(), BODY, "closed the connection before its answer was complete"),
    (steps.cut(), BODY, "closed the connection before its answer was complete"),
    (steps.cut(), STREAM, "closed the connection before its answer was complete"),
    (steps.cut(reset=True), STREAM, "reset the connection"),
]


class TestAFailure:
    @pytest.mark.parametrize(("step", "body", "words"), FAILURES)
    async def test_of_the_connection_is_told_in_safe_words(
        self, transport: Transport, up: Upstream, fast: bool, step: Step, body: bytes, words: str
    ) -> None:
        up.script("m", steps.ok(), step)
        await get(transport, up)
        signal = await failure(transport, up, body)
        assert signal.what == "connection"
        # In the middle of a body, aiohttp does not tell how the connection ended.
        either = {words, "closed the connection before its answer was complete"} if fast else {words}
        assert signal.message in {f"127.0.0.1:{up.port} {each}" for each in either}
        assert in_flight(transport) == 0
        up.script("m", steps.ok())
        await get(transport, up)

    async def test_is_not_mixed_up_with_what_its_caller_is_handling(
        self, transport: Transport, up: Upstream
    ) -> None:
        up.script("m", steps.close(), steps.cut())
        for _ in range(2):
            try:
                _refused_elsewhere()
            except ConnectionRefusedError:
                signal = await failure(transport, up)
            assert "closed the connection before" in signal.message

    async def test_to_connect_says_that_nobody_listens(self, transport: Transport, up: Upstream) -> None:
        await up.stop()
        signal = await failure(transport, up)
        assert signal.what == "connection"
        assert signal.message == (
            f"could not connect to 127.0.0.1:{up.port}: connection refused; is the server running?"
        )

    async def test_to_find_the_host_says_so(self, fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("socket.getaddrinfo", no_such_host)
        transport = Transport("http://nowhere.test/v1", fast=fast)
        with pytest.raises(Signal) as caught:
            await transport.send("http://nowhere.test/v1/x", BODY)
        assert caught.value.what == "connection"
        assert caught.value.message == "could not look up nowhere.test:80: no such host; look at base_url"
        await transport.aclose()

    async def test_to_connect_in_time_is_a_timeout(self, fast: bool) -> None:
        with full_queue() as port:
            transport = Transport(f"http://127.0.0.1:{port}", fast=fast)
            with pytest.raises(Signal) as caught:
                await transport.send(f"http://127.0.0.1:{port}/v1", BODY, connect_timeout_s=0.05)
            assert caught.value.what == "timeout"
            assert caught.value.message == f"no connection to 127.0.0.1:{port} within 0.05s"
            await transport.aclose()

    @pytest.mark.parametrize("value", ["a\nb", "a\r\nx: y", "\u20ac", "a\0b"])
    async def test_to_write_a_header_does_not_show_it(self, up: Upstream, fast: bool, value: str) -> None:
        transport = Transport(up.openai, headers={"x-team": f"sk-secret{value}"}, fast=fast)
        signal = await failure(transport, up)
        assert signal.what == "connection"
        assert "a header holds what HTTP does not allow" in signal.message
        assert in_flight(transport) == 0
        await transport.aclose()
        assert up.requests == []

    @pytest.mark.parametrize("url", ["http://[bad", "http://", "nonsense", "ftp://x/y", "http://a:99999/"])
    async def test_to_understand_a_url_is_a_signal_too(self, fast: bool, url: str) -> None:
        transport = Transport(url, fast=fast)
        with pytest.raises(Signal) as caught:
            await transport.send(url, BODY)
        assert caught.value.what == "connection"
        await transport.aclose()


class TestTls:
    @pytest.fixture
    async def tls(self) -> AsyncIterator[Upstream]:
        async with Upstream(tls=self_signed()) as up:
            yield up

    async def test_works_with_a_bundle_of_ones_own(self, tls: Upstream, fast: bool) -> None:
        transport = Transport(tls.openai, ca_bundle=SELF_SIGNED, fast=fast)
        for body in (BODY, STREAM, BODY):
            assert await get(transport, tls, body)
        assert tls.accepted == 1
        tls.script("m", steps.stall())
        incoming = await send(transport, tls, STREAM)
        await incoming.next_chunk()
        await incoming.aclose()
        await tls.requests[-1].closed.wait()
        await transport.aclose()
        await tls.quiet()

    async def test_does_not_trust_just_anybody(self, tls: Upstream, fast: bool) -> None:
        transport = Transport(tls.openai, fast=fast)
        signal = await failure(transport, tls)
        assert signal.what == "connection"
        assert f"certificate of 127.0.0.1:{tls.port} is not trusted: self-signed" in signal.message
        assert "`ca_bundle`" in signal.message
        await transport.aclose()

    async def test_to_a_server_without_it_says_so(self, fast: bool) -> None:
        async with saying(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n") as port:
            url = f"https://127.0.0.1:{port}"
            transport = Transport(url, fast=fast)
            with pytest.raises(Signal, match=r"TLS with .* failed: .*does it speak TLS at all") as caught:
                await transport.send(url, BODY)
            assert caught.value.what == "connection"
            await transport.aclose()

    async def test_expected_by_the_server_alone_is_no_connection(self, tls: Upstream, fast: bool) -> None:
        url = f"http://127.0.0.1:{tls.port}"
        transport = Transport(url, fast=fast)
        with pytest.raises(Signal) as caught:
            await transport.send(url, BODY)
        assert caught.value.what == "connection"
        await transport.aclose()

    @pytest.mark.parametrize(
        ("name", "text", "why"),
        [("none.pem", None, "No such file"), ("bad.pem", "x", "no file of certificates")],
    )
    async def test_with_a_bundle_that_is_none_names_the_file(
        self, fast: bool, tmp_path: Path, name: str, text: str | None, why: str
    ) -> None:
        if text is not None:
            (tmp_path / name).write_text(text)
        transport = Transport("https://127.0.0.1:1", ca_bundle=tmp_path / name, fast=fast)
        with pytest.raises(Signal, match=f"{name} can't be used: .*{why}"):
            await transport.send("https://127.0.0.1:1", BODY)
        await transport.aclose()


class TestProxies:
    async def test_a_proxy_is_asked_for_the_whole_url(self, up: Upstream, fast: bool) -> None:
        url = "http://model.test/v1/chat/completions"
        transport = Transport(url, proxy=f"http://127.0.0.1:{up.port}", fast=fast)
        incoming = await transport.send(url, BODY, key=KEY, key_header=bearer)
        assert json.loads(await incoming.read(1 << 20))["object"] == "chat.completion"
        (request,) = up.requests
        assert (request.path, request.headers["host"]) == (url, "model.test")
        await transport.aclose()

    async def test_a_proxy_that_wants_a_password_gets_it(self, up: Upstream) -> None:
        transport = Transport("http://model.test", proxy=f"http://user:p%40ss@127.0.0.1:{up.port}")
        await (await transport.send("http://model.test/v1/chat/completions", BODY)).aclose()
        basic = up.requests[0].headers["proxy-authorization"].removeprefix("Basic ")
        assert base64.b64decode(basic) == b"user:p@ss"
        await transport.aclose()

    async def test_tls_goes_through_a_proxy_unseen(self, fast: bool) -> None:
        async with Upstream(tls=self_signed()) as up, tunnelling_proxy() as proxy:
            transport = Transport(up.openai, proxy=proxy.url, ca_bundle=SELF_SIGNED, fast=fast)
            assert await get(transport, up)
            assert await get(transport, up)
            assert proxy.asked == [f"CONNECT 127.0.0.1:{up.port} HTTP/1.1"]
            await transport.aclose()

    async def test_a_proxy_that_refuses_is_named_as_the_cause(self, fast: bool) -> None:
        async with tunnelling_proxy(status=407) as proxy:
            transport = Transport("https://model.test", proxy=proxy.url, fast=fast)
            with pytest.raises(Signal, match="the proxy on the way to model") as caught:
                await transport.send("https://model.test/v1", BODY)
            assert caught.value.what == "connection"
            await transport.aclose()

    async def test_a_proxy_that_is_not_there_is_named(self, fast: bool) -> None:
        with refusing() as port:
            transport = Transport("http://model.test", proxy=f"http://127.0.0.1:{port}", fast=fast)
            words = f"to model.test:80 through the proxy 127.0.0.1:{port}: connection refused"
            with pytest.raises(Signal, match=re.escape(f"could not connect {words}")):
                await transport.send("http://model.test/v1", BODY)
            await transport.aclose()

    @pytest.mark.parametrize(
        "proxy", ["socks5://127.0.0.1:1", "https://127.0.0.1:1", "gopher://x", "http://["]
    )
    async def test_a_proxy_aiohttp_does_not_know_is_left_to_httpx(self, proxy: str) -> None:
        transport = Transport("https://model.test", proxy=proxy)
        with pytest.raises(Signal) as caught:
            await transport.send("https://model.test/v1", BODY)
        assert caught.value.what == "connection"
        assert not transport._fast or proxy.startswith("http://")
        await transport.aclose()


async def test_the_way_is_aiohttp_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "aiohttp" in repr(Transport("https://model.test"))
    monkeypatch.setitem(sys.modules, "httpx_aiohttp", None)
    assert "httpx" in repr(Transport("https://model.test"))


async def test_a_stand_in_answers_instead_of_the_network() -> None:
    closed = []

    class StandIn(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert request.headers["authorization"] == f"Bearer {KEY.reveal()}"
            return httpx.Response(200, content=await request.aread())

        async def aclose(self) -> None:
            closed.append(True)

    transport = Transport("http://model.test", inner=StandIn())
    incoming = await transport.send("http://model.test/v1", BODY, key=KEY, key_header=bearer)
    assert await incoming.read(1 << 20) == BODY
    await transport.aclose()
    assert closed == [True]


def _refused_elsewhere() -> None:
    raise ConnectionRefusedError(errno.ECONNREFUSED, "somebody else's")
