"""Every way an upstream fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from tests.upstream.answers import JSON, ok, stream_type, words
from tests.upstream.exchange import Exchange, Step, head
from tests.upstream.protocols import Said, dumps, error_body, error_frame, frames, terminator, whole

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def status(
    code: int,
    body: Any = None,
    *,
    kind: str | None = None,
    error_code: str | None = None,
    message: str = "scripted failure",
    headers: Mapping[str, str] | None = None,
) -> Step:
    """A status with an error in the protocol's own form, or with the given body (JSON, text or bytes)."""

    async def step(exchange: Exchange) -> None:
        kind_ = kind or _TYPES.get(code, "api_error")
        own = error_body(exchange.request.protocol, message, kind_, error_code) if body is None else body
        if isinstance(own, bytes | str):
            data = own.encode() if isinstance(own, str) else own
            await exchange.whole(code, {"content-type": "text/plain", **(headers or {})}, data)
        else:
            await exchange.whole(code, {**JSON, **(headers or {})}, dumps(own))

    return step


def retry_after(value: str, *, code: int = 429, header: str = "retry-after") -> Step:
    """A status that says when to come back."""
    return status(code, headers={header: value})


def redirect(location: str, *, code: int = 302) -> Step:
    """Sends the client elsewhere."""
    return status(code, b"", headers={"location": location})


def html(*, code: int = 200, title: str = "Bad gateway") -> Step:
    """A page, as proxies and login walls send it."""
    page = (
        f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>nginx</body></html>"
    )
    return status(code, page, headers={"content-type": "text/html"})


def bad_json(*, after: int = 0) -> Step:
    """A 200 that breaks off in the middle of its JSON, though its length is right; a stream's chunk does."""

    async def step(exchange: Exchange) -> None:
        if exchange.request.stream:
            lines = exchange.request.protocol == "ollama"
            await _begin(exchange, after)
            await exchange.send(b'{"message": {"con\n' if lines else b'data: {"choices": [{"del\n\n')
            await exchange.end()
        else:
            body = dumps(whole(exchange.request.protocol, "tiny", Said()))
            await exchange.whole(200, JSON, body[: len(body) // 2])

    return step


def error_in_200(
    message: str = "scripted failure", kind: str = "overloaded_error", code: str | None = None
) -> Step:
    """A 200 whose JSON body is an error, also when a stream was asked for."""

    async def step(exchange: Exchange) -> None:
        body = error_body(exchange.request.protocol, message, kind, code)
        await exchange.whole(200, JSON, dumps(body))

    return step


def error_event(
    message: str = "scripted failure",
    kind: str = "overloaded_error",
    code: str | None = None,
    *,
    after: int = 0,
) -> Step:
    """An error in the middle of a stream; a plain call gets it as its 200."""

    async def step(exchange: Exchange) -> None:
        if not exchange.request.stream:
            await error_in_200(message, kind, code)(exchange)
            return
        await _begin(exchange, after)
        await exchange.send(error_frame(exchange.request.protocol, message, kind, code))
        await exchange.end()

    return step


def empty(**options: Any) -> Step:
    """Finishes normally, and has said nothing."""
    return ok("", **options)


def refused(text: str = "", **options: Any) -> Step:
    """Finishes because of a content filter."""
    return ok(text, finish="content_filter", **options)


def done_only() -> Step:
    """A stream with nothing but its terminator; a plain answer with no text."""

    async def step(exchange: Exchange) -> None:
        if not exchange.request.stream:
            await empty()(exchange)
            return
        await exchange.start(headers=stream_type(exchange), chunked=True)
        await exchange.send(terminator(exchange.request.protocol))
        await exchange.end()

    return step


def no_finish(*, after: int = 1) -> Step:
    """A stream that ends in good order, without finish reason and terminator; or a plain answer without."""

    async def step(exchange: Exchange) -> None:
        if not exchange.request.stream:
            await ok(finish="")(exchange)
            return
        await _begin(exchange, after)
        await exchange.end()

    return step


def reset() -> Step:
    """Breaks the connection (RST) instead of answering."""

    async def step(exchange: Exchange) -> None:
        exchange.reset()

    return step


def close() -> Step:
    """Closes the connection (FIN) instead of answering; on a kept connection, the keep-alive race."""

    async def step(exchange: Exchange) -> None:
        exchange.close()

    return step


def hang() -> Step:
    """Never answers; waits until the client goes away."""
    return _forever


def hang_headers() -> Step:
    """Stops in the middle of the headers."""

    async def step(exchange: Exchange) -> None:
        await exchange.raw(head(200, {"content-type": "application/json"})[:-4])
        await _forever(exchange)

    return step


def cut(*, after: int = 1, reset: bool = False) -> Step:
    """Closes the connection in the middle of the body; with `reset`, breaks it."""

    async def step(exchange: Exchange) -> None:
        await _begin(exchange, after)
        exchange.reset() if reset else exchange.close()

    return step


def stall(*, after: int = 1) -> Step:
    """Stops in the middle of the body, with the connection open."""

    async def step(exchange: Exchange) -> None:
        await _begin(exchange, after)
        await _forever(exchange)

    return step


async def _begin(exchange: Exchange, pieces: int) -> None:
    """The answer `Hello there` up to that many pieces of its text; of a plain one, half."""
    request = exchange.request
    said = Said(words("Hello there"))
    if not request.stream:
        body = dumps(whole(request.protocol, request.model, said))
        await exchange.raw(head(200, {**JSON, "content-length": str(len(body))}) + body[: len(body) // 2])
        return
    await exchange.start(headers=stream_type(exchange), chunked=True)
    for frame in frames(request.protocol, request.model, said):
        if frame.kind == "piece":
            pieces -= 1
        if pieces < 0:
            break
        await exchange.send(frame.data)


async def _forever(exchange: Exchange) -> NoReturn:
    await exchange.request.closed.wait()
    raise ConnectionResetError
