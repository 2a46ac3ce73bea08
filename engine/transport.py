"""Requests over the network: the one place, the simulated providers aside, that imports httpx.

httpx's transports are used without its client. A call to a model needs neither redirects nor cookies,
and must not leave its URL in a log; and the client is a good part of the time a request takes.

httpx 0.28 slows down with every connection in a pool, and falls off past some fifteen in flight; hence
many small pools. With `httpx_aiohttp` (the extra `standby[fast]`) aiohttp's connector takes their place.

No exception of an HTTP library leaves this file and `incoming`: they, and the frames they come through,
hold headers, and so keys. A `Signal` takes their place, raised where nothing of the original is at hand.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import importlib.util
import ssl
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

import httpx

from engine.incoming import Incoming, bare
from engine.providers.base import Signal
from engine.proxies import proxy_for
from engine.secret import Secret
from engine.shards import Shard, Shards
from engine.unreachable import unreachable

_FAST: Final = "httpx_aiohttp"
_ROOM: Final = 10
# No bounds here: a shard takes no more than `_ROOM` requests, and idle connections end by their age.
_KEEP_S: Final = 15.0
_LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=_KEEP_S)

_COMMON: Final = {"content-type": "application/json", "user-agent": "standby"}
_PLAIN: Final = _COMMON | {"accept": "application/json", "accept-encoding": "gzip"}
# Compressed events would wait for one another in the compressor.
_STREAM: Final = _COMMON | {"accept": "text/event-stream", "accept-encoding": "identity"}

KeyHeader = Callable[[str], tuple[str, str]]
"""Turns a key into name and value of the header that carries it."""


class Transport:
    """Sends requests to one provider.

    Args:
        base_url: Where the provider answers; scheme, host and port decide about proxy and TLS.
        headers: Go with each request, and win over all but the key.
        proxy: A proxy's URL; None leaves it to the usual environment variables.
        ca_bundle: A file of certificates to trust instead of the usual ones.
        inner: Answers instead of the network.
        fast: True for aiohttp, False for plain httpx; None for aiohttp where it is installed and no proxy
            is in the way that is better left to httpx.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        ca_bundle: Path | None = None,
        inner: httpx.AsyncBaseTransport | None = None,
        fast: bool | None = None,
    ) -> None:
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._ca_bundle = ca_bundle
        self._inner = inner
        self._proxy = None if inner else proxy_for(base_url, proxy)
        way = f" through the proxy {_place(self._proxy)}" if self._proxy else ""
        self._place = _place(base_url) + way
        self._needs_tls = any((url or "").startswith("https:") for url in (base_url, self._proxy))
        self._fast = _suits_aiohttp(self._proxy) and _is_installed(_FAST) if fast is None else fast
        self._shards = Shards[httpx.AsyncBaseTransport](lambda: inner, None) if inner else None
        self._closed = False

    def __repr__(self) -> str:
        way = "a stand-in" if self._inner else "aiohttp" if self._fast else "httpx"
        in_flight = self._shards.in_flight if self._shards else 0
        return f"<Transport to {self._place} over {way}, {in_flight} in flight>"

    async def send(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        key: Secret | None = None,
        key_header: KeyHeader | None = None,
        stream: bool = False,
        connect_timeout_s: float = 10.0,
    ) -> Incoming:
        """Sends a POST and waits for the head of its answer.

        Cancelling closes the connection.

        Args:
            url: Where to.
            body: JSON.
            headers: What the protocol wants besides the usual ones.
            key: Goes with the request, in the header that `key_header` makes of it.
            key_header: Name and value of that header.
            stream: True if the answer is to come in pieces.
            connect_timeout_s: Seconds until the connection stands, TLS included where aiohttp sends;
                httpx allows them for the connection and once more for TLS.

        Returns:
            The answer. It must be read to its end or closed.

        Raises:
            Signal: `connection` or `timeout`; the message names host and port, and holds no key.
        """
        # Headers of the configuration, and the key, become text in frames that are gone when this raises.
        build = functools.partial(
            self._request,
            url,
            body,
            {**(_STREAM if stream else _PLAIN), **(headers or {})},
            key=key,
            key_header=key_header,
            connect_timeout_s=connect_timeout_s,
        )
        answer = await self._answer(build, connect_timeout_s)
        if isinstance(answer, Signal):
            raise answer
        return answer

    async def aclose(self) -> None:
        """Closes all connections; requests under way fail."""
        self._closed = True
        if self._shards is not None:
            await self._shards.aclose()

    async def _answer(self, build: Callable[[], httpx.Request], timeout_s: float) -> Incoming | Signal:
        shards = self._shards or await self._open()
        if isinstance(shards, Signal):
            return shards
        if self._closed:
            return Signal("connection", f"the connections to {self._place} have been closed")
        ambient = sys.exc_info()[1]
        shard = shards.take()
        response = None
        try:
            response = await shard.transport.handle_async_request(build())
        except asyncio.CancelledError as error:
            # httpcore 1.0 forgets a connection that stands, but has not been used, and closes nothing if it
            # is cancelled while it cleans up. Its pool is clean again once it is closed as a whole.
            shard.retire()
            raise bare(error) from None
        except Exception as error:  # noqa: BLE001 - it may hold headers, and so keys, and must not get out
            return unreachable(error, self._place, timeout_s, ambient=ambient)
        finally:
            if response is None:
                shard.give_back()
        return self._incoming(response, shard)

    def _request(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        key: Secret | None,
        key_header: KeyHeader | None,
        connect_timeout_s: float,
    ) -> httpx.Request:
        target, host = _target(url)
        fields = {"host": host, "content-length": str(len(body)), **headers, **self._headers}
        if key is not None and key_header is not None:
            name, value = key_header(key.reveal())
            fields[name.lower()] = value
        # Only connecting is limited here; `pool` is what aiohttp takes for connecting as a whole.
        limits = {"connect": connect_timeout_s, "read": None, "write": None, "pool": connect_timeout_s}
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields.items()]
        request = httpx.Request(
            "POST", target, headers=encoded, stream=httpx.ByteStream(body), extensions={"timeout": limits}
        )
        request.read()  # so that aiohttp, too, finds bytes and not a stream
        return request

    def _incoming(self, response: httpx.Response, shard: Shard[httpx.AsyncBaseTransport]) -> Incoming:
        stream = cast("httpx.AsyncByteStream", response.stream)
        is_encoded = response.headers.get("content-encoding", "identity") != "identity"
        return Incoming(
            response.status_code,
            response.headers.raw,
            stream,
            response.aiter_bytes() if is_encoded else stream,
            shard=shard,
            place=self._place,
            is_networked=self._inner is None,
        )

    async def _open(self) -> Shards[httpx.AsyncBaseTransport] | Signal:
        try:
            make = await self._maker()
            make()  # connects nowhere, but tells whether its settings make sense
        except (OSError, ValueError, ImportError) as error:
            return self._misconfigured(error)
        # Somebody else may have opened it meanwhile.
        self._shards = self._shards or Shards(make, None if self._fast else _ROOM)
        return self._shards

    async def _maker(self) -> Callable[[], httpx.AsyncBaseTransport]:
        # Certificates and the import of aiohttp take a tenth of a second each: too long for the loop.
        tls = await asyncio.to_thread(_trusting, self._ca_bundle) if self._needs_tls else _trusting_nobody()
        proxy = httpx.Proxy(self._proxy) if self._proxy else None
        if not self._fast:
            return functools.partial(httpx.AsyncHTTPTransport, verify=tls, limits=_LIMITS, proxy=proxy)
        if _FAST not in sys.modules:
            await asyncio.to_thread(importlib.import_module, _FAST)
        return functools.partial(_aiohttp_transport, tls, proxy)

    def _misconfigured(self, error: Exception) -> Signal:
        if isinstance(error, ImportError):
            return Signal(
                "connection", f"the transport to {self._place} needs a package that is not installed"
            )
        if isinstance(error, OSError):
            why = "it is no file of certificates" if isinstance(error, ssl.SSLError) else error.strerror
            return Signal("connection", f"the certificates in {self._ca_bundle} can't be used: {why}")
        return Signal("connection", f"the URL of the proxy can't be used, on the way to {self._place}")


def _place(url: str) -> str:
    """Host and port of a URL, without anything else that may stand in one."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return "base_url"
    return f"[{parts.hostname}]:{port}" if ":" in (parts.hostname or "") else f"{parts.hostname}:{port}"


@functools.lru_cache(maxsize=256)
def _target(url: str) -> tuple[httpx.URL, str]:
    """A URL as httpx wants it, and what `Host` says; a provider has few."""
    # Credentials in a URL are not ours to send; aiohttp would make a header of them.
    parsed = httpx.URL(url).copy_with(userinfo=b"")
    return parsed, parsed.netloc.decode("ascii")


def _suits_aiohttp(proxy: str | None) -> bool:
    """False for proxies behind TLS or SOCKS, and those that want a password: aiohttp gives that up."""
    return proxy is None or (proxy.startswith("http://") and "@" not in proxy)


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@functools.cache
def _trusting_nobody() -> ssl.SSLContext:
    """For connections without TLS: a context must be there, but need not know any certificate."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _trusting(ca_bundle: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_bundle) if ca_bundle else _trusting_the_usual()


@functools.cache
def _trusting_the_usual() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _aiohttp_transport(tls: ssl.SSLContext, proxy: httpx.Proxy | None) -> httpx.AsyncBaseTransport:
    import aiohttp  # noqa: PLC0415 - only there with the extra
    from httpx_aiohttp import AiohttpTransport  # noqa: PLC0415 - an extra, and slow to import

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, ssl=tls, keepalive_timeout=_KEEP_S)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(verify=tls, proxy=proxy, client=session)
