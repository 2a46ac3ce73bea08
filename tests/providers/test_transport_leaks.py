"""What a request leaves behind when it is cancelled or fails: no connection, no count, no task, no key."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Generator, Iterator
from typing import Any, Generic, TypeVar

import httpx
import pytest

from engine.providers.base import Signal
from engine.secret import Secret
from engine.transport import Transport
from tests.providers.networks import SELF_SIGNED, saying, self_signed
from tests.scripted import cancelled
from tests.upstream import Step, Upstream, steps, tasks_of_others

T = TypeVar("T")

CANARY = "sk-canary-7f3a9c51d2e8"
KEY = Secret("test#main", CANARY)
BODY = b'{"model":"m","messages":[]}'
STREAM = b'{"model":"m","messages":[],"stream":true}'


@pytest.fixture(params=[False, True], ids=["httpx", "aiohttp"])
def fast(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    async with Upstream() as up:
        yield up


class CancelledAt(Generic[T]):
    """Awaits something; cancels its own task when that waits for the n-th time, and at waits after it."""

    def __init__(self, awaitable: Awaitable[T], wait: int, times: int) -> None:
        self._awaitable = awaitable
        self._wait = wait
        self._times = times
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, T]:
        inner = self._awaitable.__await__()
        error: BaseException | None = None
        while True:
            try:
                waits_for = inner.throw(error) if error else inner.send(None)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # typeshed knows no better
            self.waits += 1
            if self._wait <= self.waits < self._wait + self._times:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            error = None
            try:
                yield waits_for
            except BaseException as thrown:  # noqa: BLE001 - all of it goes to the inner one
                error = thrown


async def _await(awaitable: Awaitable[T]) -> T:
    return await awaitable


async def _ask(transport: Transport, url: str, body: bytes) -> bytes:
    incoming = await transport.send(url, body, key=KEY, key_header=_bearer, stream=body is STREAM)
    try:
        return await incoming.read(1 << 20)
    finally:
        await incoming.aclose()


def _bearer(key: str) -> tuple[str, str]:
    return "authorization", f"Bearer {key}"


@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
@pytest.mark.parametrize("times", [1, 2, 3], ids=["once", "twice", "three times"])
@pytest.mark.parametrize("body", [BODY, STREAM], ids=["plain", "stream"])
async def test_cancelled_at_any_wait_a_request_leaves_nothing(
    up: Upstream, fast: bool, body: bytes, times: int, kept: bool
) -> None:
    url = f"{up.openai}/chat/completions"
    wait, reached = 0, True
    while reached:
        wait += 1
        transport = Transport(up.openai, fast=fast)
        for _ in range(kept):
            await _ask(transport, url, body)
        tasks = tasks_of_others()
        cancelled = CancelledAt(_ask(transport, url, body), wait, times)
        await asyncio.gather(asyncio.create_task(_await(cancelled)), return_exceptions=True)
        reached = cancelled.waits >= wait
        shards = transport._shards
        assert shards is None or shards.in_flight == 0
        if shards is not None:
            await asyncio.gather(*shards._closing)
            for shard in shards._shards:
                assert _active(shard.transport) == "", f"after wait {wait}"
        assert tasks_of_others() == tasks, f"after wait {wait}"
        await _ask(transport, url, body)
        await transport.aclose()
        await up.quiet()
    assert wait >= 2


def _active(transport: httpx.AsyncBaseTransport) -> str:
    """What httpcore's pool says is still under way."""
    pool = repr(getattr(transport, "_pool", ""))
    idle = "Requests: 0 active, 0 queued | Connections: 0 active"
    return "" if not isinstance(transport, httpx.AsyncHTTPTransport) or idle in pool else pool


async def test_a_cancelled_request_closes_its_connection_at_once(up: Upstream, fast: bool) -> None:
    for step in (steps.hang(), steps.hang_headers(), steps.stall()):
        for body in (BODY, STREAM):
            transport = Transport(up.openai, fast=fast)
            up.script("m", step)
            task = asyncio.create_task(_ask(transport, f"{up.openai}/chat/completions", body))
            request = await up.arrived(len(up.requests) + 1)
            await cancelled(task)
            await request.closed.wait()
            await transport.aclose()


async def test_other_requests_do_not_notice_that_one_was_cancelled(up: Upstream, fast: bool) -> None:
    transport = Transport(up.openai, fast=fast)
    url = f"{up.openai}/chat/completions"
    together = asyncio.Event()
    up.script("m", steps.ok(hold={"head": together}))
    asking = [asyncio.create_task(_ask(transport, url, BODY)) for _ in range(20)]
    await up.arrived(20)
    for task in asking[::2]:
        task.cancel()
    together.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [isinstance(answer, bytes) for answer in answers] == [False, True] * 10
    assert transport._shards is not None
    assert transport._shards.in_flight == 0
    await transport.aclose()


WAYS = {
    "a reset": steps.reset(),
    "a close": steps.close(),
    "a cut": steps.cut(),
    "bad gzip": steps.ok(headers={"content-encoding": "gzip"}),
}


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop()
        if id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [other for other in (link.__cause__, link.__context__) if other is not None]


def _everything_said_by(error: BaseException) -> str:
    links = list(_chain(error))
    told = [traceback.TracebackException.from_exception(link, capture_locals=True) for link in links]
    return "".join("".join(one.format()) for one in told) + "".join(
        f"{link!r}{link}{link.args}{vars(link)}" for link in links
    )


async def _failure(awaitable: Awaitable[object]) -> BaseException:
    try:
        await awaitable
    except (Signal, asyncio.CancelledError, TimeoutError) as error:
        return error
    pytest.fail("it did not fail")


def _assert_safe(error: BaseException) -> None:
    assert CANARY not in _everything_said_by(error)
    if isinstance(error, Signal):
        assert list(_chain(error)) == [error]


def test_the_canary_is_found_where_it_is() -> None:
    def fail(key: str) -> None:
        raise ValueError(len(key))

    with pytest.raises(ValueError, match=str(len(CANARY))) as caught:
        fail(CANARY)
    assert CANARY in _everything_said_by(caught.value)


@pytest.mark.parametrize("step", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("body", [BODY, STREAM], ids=["plain", "stream"])
async def test_no_failure_holds_the_key(up: Upstream, fast: bool, step: Step, body: bytes) -> None:
    transport = Transport(up.openai, headers={"x-secret": CANARY}, fast=fast)
    up.script("m", step)
    error = await _failure(_ask(transport, f"{up.openai}/chat/completions?key={CANARY[::-1]}", body))
    _assert_safe(error)
    await transport.aclose()


async def test_no_failure_to_connect_holds_the_key(up: Upstream, fast: bool) -> None:
    async with Upstream(tls=self_signed()) as tls, saying(b"nonsense\r\n\r\n") as port:
        cases = {
            f"http://127.0.0.1:{port}": "closed the connection|failed",
            f"https://127.0.0.1:{port}": "TLS",
            tls.url: "certificate",
            up.url: "refused",
        }
        await up.stop()
        for url, words in cases.items():
            transport = Transport(url, headers={"x-secret": CANARY}, fast=fast)
            error = await _failure(_ask(transport, url, BODY))
            assert any(word in str(error) for word in words.split("|"))
            _assert_safe(error)
            await transport.aclose()


@pytest.mark.parametrize("damage", ["\n", "\r\nx: y", "\u20ac", "\0"])
async def test_no_failure_to_write_a_header_holds_the_key(up: Upstream, fast: bool, damage: str) -> None:
    transport = Transport(up.openai, fast=fast)
    key = Secret("test#main", CANARY + damage)
    asking = transport.send(f"{up.openai}/chat/completions", BODY, key=key, key_header=_bearer)
    _assert_safe(await _failure(asking))
    await transport.aclose()


async def test_no_cancellation_holds_the_key(up: Upstream, fast: bool) -> None:
    transport = Transport(up.openai, fast=fast)
    url = f"{up.openai}/chat/completions"

    async def limited() -> None:
        async with asyncio.timeout(0.05):
            await _ask(transport, url, STREAM)

    for step in (steps.hang(), steps.stall()):
        up.script("m", step)
        task = asyncio.create_task(_ask(transport, url, STREAM))
        await up.arrived(len(up.requests) + 1)
        task.cancel()
        _assert_safe(await _failure(task))
        _assert_safe(await _failure(limited()))
    await transport.aclose()


async def test_tls_leaves_no_connection_open(fast: bool) -> None:
    async with Upstream(tls=self_signed()) as up:
        transport = Transport(up.openai, ca_bundle=SELF_SIGNED, fast=fast)
        url = f"{up.openai}/chat/completions"
        await _ask(transport, url, BODY)
        up.script("m", steps.stall())
        task = asyncio.create_task(_ask(transport, url, STREAM))
        request = await up.arrived(2)
        task.cancel()
        await asyncio.wait([task])
        await request.closed.wait()
        await transport.aclose()
        await up.quiet()
