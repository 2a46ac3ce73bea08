"""Calls over HTTP with a tiny wire of their own: what every protocol has in common."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from engine.messages import Delta, Params, ToolCall, ToolCallDelta, Usage
from engine.providers import http
from engine.providers.base import Answer, Call, End, Finish, Part, Signal
from engine.providers.http import HttpProvider
from engine.providers.rejection import error_in
from engine.providers.sse import LineReader, SseReader
from engine.providers.wire import Outgoing
from engine.secret import Secret
from engine.transport import Transport
from tests.upstream import Exchange, Step, ToolUse, Upstream, steps, tasks_of_others

KEY = Secret("test#main", "sk-0123456789")
CALL = Call("m", ({"role": "user", "content": "hi"},), key=KEY, connect_timeout_s=5)
TOOL = ToolCall("call_1", "get_weather", '{"city": "Oslo"}')


class TinyWire:
    """The least of OpenAI's chat completions; its streams are events or lines."""

    embeddings = None

    def __init__(self, base_url: str, *, lines: bool = False) -> None:
        self._base_url = base_url
        self._lines = lines

    def build(self, call: Call, *, stream: bool) -> Outgoing:
        if call.params.seed is not None:
            raise Signal("unsupported", "no seeds here")
        body = {"model": call.model, "messages": call.messages, "stream": stream}
        return Outgoing(f"{self._base_url}/chat/completions", json.dumps(body).encode(), {"x-wire": "tiny"})

    def key_header(self, key: str) -> tuple[str, str]:
        return "X-Api-Key", key

    def read(self, body: Any) -> Answer:
        if signal := error_in(body):
            raise signal
        try:
            choice, usage = body["choices"][0], body["usage"]
        except (KeyError, TypeError):
            raise Signal("protocol", "no choices") from None
        message = choice["message"]
        tools = tuple(ToolCall(t["id"], **t["function"]) for t in message.get("tool_calls", ()))
        counts = Usage(usage["prompt_tokens"], usage["completion_tokens"])
        reasoning = message.get("reasoning_content", "")
        return Answer(message["content"] or "", choice["finish_reason"] or "", counts, tools, reasoning)

    def reader(self) -> TinyReader:
        return TinyReader(lines=self._lines)


class TinyReader:
    """Text, finish reasons and ends; an error behind a text is raised with the next call."""

    def __init__(self, *, lines: bool) -> None:
        self._split = LineReader() if lines else SseReader()
        self._late: Signal | None = None

    def feed(self, chunk: bytes) -> list[Part]:
        if self._late:
            raise self._late
        return self._read(self._split.feed(chunk))

    def finish(self) -> list[Part]:
        return self._read(self._split.finish())

    def _read(self, items: Sequence[Any]) -> list[Part]:
        parts: list[Part] = []
        for item in items:
            data = item if isinstance(item, str) else item.data
            if data == "[DONE]":
                parts.append(End())
                continue
            body = json.loads(data)
            self._late = error_in(body)
            for choice in body.get("choices", ()):
                if choice["delta"].get("content"):
                    parts.append(Delta(choice["delta"]["content"]))
                if choice["finish_reason"]:
                    parts.append(Finish(choice["finish_reason"]))
        if self._late and not parts:
            raise self._late
        return parts


@pytest.fixture(params=[False, True], ids=["httpx", "aiohttp"])
def fast(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    async with Upstream() as up:
        yield up


@pytest.fixture
async def provider(up: Upstream, fast: bool) -> AsyncIterator[HttpProvider]:
    provider = HttpProvider(TinyWire(up.openai), Transport(up.openai, headers={"x-team": "s"}, fast=fast))
    yield provider
    await provider.aclose()


async def parts_of(provider: HttpProvider, call: Call = CALL) -> list[Part]:
    async with provider.stream(call) as batches:
        return [part async for batch in batches for part in batch]


async def failure(provider: HttpProvider, mode: str) -> Signal:
    with pytest.raises(Signal) as caught:
        await (parts_of(provider) if mode == "stream" else provider.complete(CALL))
    return caught.value


def text_of(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Delta))


both = pytest.mark.parametrize("mode", ["plain", "stream"])


class TestAWholeAnswer:
    async def test_is_read_by_the_wire(self, provider: HttpProvider, up: Upstream) -> None:
        assert await provider.complete(CALL) == Answer("Hello there", "stop", Usage(7, 3))
        (request,) = up.requests
        assert request.body == {
            "model": "m",
            "messages": [{"role": "user", "content": "hi"}],
            "stream": False,
        }
        assert request.headers["x-api-key"] == KEY.reveal()
        assert (request.headers["x-wire"], request.headers["x-team"]) == ("tiny", "s")

    async def test_without_a_key_carries_none(self, provider: HttpProvider, up: Upstream) -> None:
        await provider.complete(Call("m", CALL.messages))
        assert "x-api-key" not in up.requests[0].headers

    async def test_that_is_an_error_is_one(self, provider: HttpProvider, up: Upstream) -> None:
        up.script("m", steps.error_in_200("too busy"))
        signal = await failure(provider, "plain")
        assert (signal.what, signal.message, signal.codes) == ("error", "too busy", ("overloaded_error",))

    @pytest.mark.parametrize(
        ("step", "words"),
        [
            (steps.html(title="Log in"), "a page instead of an answer (Log in)"),
            (steps.status(200, b"", headers={"content-type": "application/json"}), "an empty body"),
            (steps.status(204, b""), "an empty body"),
            (steps.bad_json(), "not JSON, but application/json"),
            (steps.status(200, b"the answer itself"), "not JSON, but text/plain"),
            (
                steps.status(200, b"[" * 100_000, headers={"content-type": ""}),
                "not JSON, but of no known type",
            ),
            (steps.status(200, {"hello": 1}), "no choices"),
        ],
    )
    async def test_that_can_not_be_read_says_what_it_is(
        self, provider: HttpProvider, up: Upstream, step: Step, words: str
    ) -> None:
        up.script("m", step)
        signal = await failure(provider, "plain")
        assert signal.what == "protocol"
        assert words in signal.message
        assert "the answer itself" not in signal.message

    async def test_that_is_too_large_is_refused(
        self, provider: HttpProvider, up: Upstream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "_LARGEST", 1 << 20)
        up.script("m", steps.huge_line(2 << 20))
        assert (await failure(provider, "plain")).what == "protocol"
        await up.requests[0].closed.wait()


class TestARefusal:
    @both
    async def test_carries_status_words_codes_and_patience(
        self, provider: HttpProvider, up: Upstream, mode: str
    ) -> None:
        up.script("m", steps.status(429, error_code="slow_down", headers={"retry-after": "7"}), steps.ok())
        signal = await failure(provider, mode)
        assert (signal.what, signal.status, signal.message) == ("status", 429, "scripted failure")
        assert signal.codes == ("slow_down", "rate_limit_error")
        assert signal.retry_after_s == 7.0
        await provider.complete(CALL)
        assert up.accepted == 1

    @both
    async def test_by_a_redirect_is_not_followed(
        self, provider: HttpProvider, up: Upstream, mode: str
    ) -> None:
        up.script("m", steps.redirect("https://example.com/v2?key=1"))
        signal = await failure(provider, mode)
        assert (signal.status, len(up.requests)) == (302, 1)
        assert "redirects to https://example.com/v2;" in signal.message

    @both
    async def test_with_a_huge_body_is_one_all_the_same(
        self, provider: HttpProvider, up: Upstream, mode: str
    ) -> None:
        up.script("m", steps.status(503, "<title>Busy</title>" + "x" * (1 << 20)), steps.ok())
        signal = await failure(provider, mode)
        assert (signal.what, signal.status, signal.message) == ("status", 503, "Busy")
        await up.requests[0].closed.wait()

    @both
    @pytest.mark.parametrize("ends", ["cut", "stalls"])
    async def test_whose_body_does_not_end_is_one_all_the_same(
        self, provider: HttpProvider, up: Upstream, mode: str, ends: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "_ERROR_BODY_S", 0.05)

        async def half(exchange: Exchange) -> None:
            await exchange.raw(b"HTTP/1.1 429 Slow\r\nretry-after: 3\r\ncontent-length: 99\r\n\r\nslow down")
            if ends == "cut":
                exchange.close()

        up.script("m", half)
        signal = await failure(provider, mode)
        assert (signal.what, signal.status, signal.retry_after_s) == ("status", 429, 3.0)
        await up.requests[0].closed.wait()

    @both
    async def test_by_the_wire_sends_nothing(self, provider: HttpProvider, up: Upstream, mode: str) -> None:
        call = Call("m", CALL.messages, Params(seed=1))
        with pytest.raises(Signal) as caught:
            await (parts_of(provider, call) if mode == "stream" else provider.complete(call))
        assert caught.value.what == "unsupported"
        assert up.requests == []


class TestAStream:
    async def test_brings_a_batch_for_each_read(self, provider: HttpProvider, up: Upstream) -> None:
        gates = {place: asyncio.Event() for place in (0, 1, 2)}
        up.script("m", steps.ok("a b c", hold=gates))
        parts: list[Part] = []
        async with provider.stream(CALL) as batches:
            for place, text in enumerate(("a", "a b", "a b c")):
                gates[place].set()
                while text_of(parts) != text:
                    parts += await anext(batches)
                    assert text.startswith(text_of(parts))
            parts += [part async for batch in batches for part in batch]
            assert parts[3:] == [Finish("stop"), End()]
            with pytest.raises(StopAsyncIteration):
                await anext(batches)
        assert up.requests[0].headers["x-api-key"] == KEY.reveal()

    async def test_brings_its_first_part_before_what_came_with_it_has_been_read(
        self, provider: HttpProvider, up: Upstream
    ) -> None:
        up.script("m", steps.burst())
        async with provider.stream(CALL) as batches:
            first = await anext(batches)
            assert len(first) == 1
            parts = [*first, *[part async for batch in batches for part in batch]]
        assert text_of(parts) == "Hello there"
        assert parts[-2:] == [Finish("stop"), End()]

    async def test_with_an_error_behind_its_first_part_brings_the_part_and_then_the_error(
        self, provider: HttpProvider, up: Upstream
    ) -> None:
        chunk = {"choices": [{"delta": {"content": "so"}, "finish_reason": None}]}
        events = [chunk, chunk, {"error": {"message": "far"}}]

        async def step(exchange: Exchange) -> None:
            await exchange.start(headers={"content-type": "text/event-stream"}, chunked=True)
            await exchange.send("".join(f"data: {json.dumps(event)}\n\n" for event in events).encode())
            await exchange.request.closed.wait()

        up.script("m", step)
        async with provider.stream(CALL) as batches:
            assert [text_of(await anext(batches)) for _ in range(2)] == ["so", "so"]
            with pytest.raises(Signal, match="far"):
                await anext(batches)

    async def test_shows_comments_as_empty_batches(self, provider: HttpProvider, up: Upstream) -> None:
        more = asyncio.Event()

        async def step(exchange: Exchange) -> None:
            await exchange.start(headers={"content-type": "text/event-stream"}, chunked=True)
            await exchange.send(b": one\n\n")
            await more.wait()
            await steps.ok()(exchange)

        up.script("m", step)
        async with provider.stream(CALL) as batches:
            assert await anext(batches) == []

    @pytest.mark.parametrize(
        "step",
        [
            *(steps.ok(), steps.byte_by_byte(), steps.burst(), steps.crlf(), steps.cr(), steps.bom()),
            *(steps.commented(), steps.no_done(), steps.closing()),
        ],
    )
    async def test_may_travel_in_any_lawful_way(
        self, provider: HttpProvider, up: Upstream, step: Step
    ) -> None:
        up.script("m", step)
        parts = await parts_of(provider)
        assert text_of(parts) == "Hello there"
        assert Finish("stop") in parts

    async def test_may_be_large(self, provider: HttpProvider, up: Upstream) -> None:
        up.script("m", steps.huge_line(3 << 20))
        assert len(text_of(await parts_of(provider))) == 3 << 20

    async def test_that_ends_gives_its_connection_back(self, provider: HttpProvider, up: Upstream) -> None:
        for _ in range(3):
            await parts_of(provider)
            await provider.complete(CALL)
        assert up.accepted == 1

    async def test_that_is_left_early_closes_its_connection_at_once(
        self, provider: HttpProvider, up: Upstream
    ) -> None:
        up.script("m", steps.stall())
        before = tasks_of_others()
        async with provider.stream(CALL) as batches:
            async for _ in batches:
                break
        assert tasks_of_others() == before
        await up.requests[0].closed.wait()

    async def test_that_nobody_reads_closes_its_connection(
        self, provider: HttpProvider, up: Upstream
    ) -> None:
        up.script("m", steps.stall())
        async with provider.stream(CALL):
            pass
        await up.requests[0].closed.wait()

    async def test_whose_reader_fails_closes_its_connection(
        self, provider: HttpProvider, up: Upstream
    ) -> None:
        up.script("m", steps.stall())

        async def read() -> None:
            async with provider.stream(CALL) as batches:
                async for _ in batches:
                    raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await read()
        await up.requests[0].closed.wait()

    async def test_that_is_cut_is_a_broken_connection(self, provider: HttpProvider, up: Upstream) -> None:
        up.script("m", steps.cut())
        parts: list[Part] = []

        async def read() -> None:
            async with provider.stream(CALL) as batches:
                async for batch in batches:
                    parts.extend(batch)

        with pytest.raises(Signal) as caught:
            await read()
        assert caught.value.what == "connection"
        assert text_of(parts) == "Hello"

    async def test_tells_an_error_that_came_behind_a_text_without_waiting_for_more(
        self, provider: HttpProvider, up: Upstream
    ) -> None:
        async def step(exchange: Exchange) -> None:
            await exchange.start(headers={"content-type": "text/event-stream"}, chunked=True)
            chunk = {"choices": [{"delta": {"content": "so"}, "finish_reason": None}]}
            error = {"error": {"message": "far"}}
            await exchange.send(f"data: {json.dumps(chunk)}\n\ndata: {json.dumps(error)}\n\n".encode())
            await exchange.request.closed.wait()

        up.script("m", step)
        async with provider.stream(CALL) as batches:
            assert text_of(await anext(batches)) == "so"
            with pytest.raises(Signal, match="far"):
                await anext(batches)


class TestNoStream:
    """What comes instead of one, with status 200."""

    async def test_a_whole_answer_is_one_batch(self, provider: HttpProvider, up: Upstream) -> None:
        up.script("m", steps.whole_for_a_stream(tools=[ToolUse()]))
        async with provider.stream(CALL) as batches:
            assert [batch async for batch in batches] == [
                [
                    Delta("Hello there", "Hm."),
                    Delta(tool_call=ToolCallDelta(0, TOOL.id, TOOL.name, TOOL.arguments)),
                    Finish("stop"),
                    Usage(7, 3),
                    End(),
                ]
            ]
        await provider.complete(CALL)
        assert up.accepted == 1

    @pytest.mark.parametrize("kind", ["application/json", "text/event-stream", "text/plain", ""])
    async def test_an_error_is_one_whatever_its_type(
        self, provider: HttpProvider, up: Upstream, kind: str
    ) -> None:
        body = json.dumps({"error": {"message": "too busy", "code": 503}}, indent=1).encode()
        up.script("m", steps.status(200, b"\n" + body, headers={"content-type": kind}))
        signal = await failure(provider, "stream")
        assert (signal.what, signal.status, signal.message) == ("error", 503, "too busy")

    async def test_an_error_behind_blank_lines_is_one(self, provider: HttpProvider, up: Upstream) -> None:
        later = asyncio.Event()

        async def step(exchange: Exchange) -> None:
            await exchange.start(headers={"content-type": "application/json"}, chunked=True)
            await exchange.send(b"\n\n")  # what some gateways send while they wait
            await later.wait()
            await exchange.send(b'{"error": {"message": "too busy"}}')
            await exchange.end()

        up.script("m", step)
        async with provider.stream(CALL) as batches:
            assert await anext(batches) == []
            later.set()
            with pytest.raises(Signal, match="too busy"):
                await anext(batches)

    @pytest.mark.parametrize("body", [b"<html><title>Log in</title>", b"\xef\xbb\xbf \n<p>Log in"])
    async def test_a_page_is_no_protocol(self, provider: HttpProvider, up: Upstream, body: bytes) -> None:
        up.script("m", steps.status(200, body, headers={"content-type": "text/plain"}))
        signal = await failure(provider, "stream")
        assert signal.what == "protocol"
        assert "a page instead of an answer (" in signal.message
        assert "Log in" in signal.message

    async def test_nothing_at_all_is_no_part(self, provider: HttpProvider, up: Upstream) -> None:
        up.script("m", steps.status(200, b""))
        assert await parts_of(provider) == []

    async def test_events_under_another_name_are_read(self, provider: HttpProvider, up: Upstream) -> None:
        up.script("m", steps.ok(headers={"content-type": "application/json"}))
        assert text_of(await parts_of(provider)) == "Hello there"


class TestLines:
    @pytest.fixture
    async def provider(self, up: Upstream, fast: bool) -> AsyncIterator[HttpProvider]:
        provider = HttpProvider(TinyWire(up.openai, lines=True), Transport(up.openai, fast=fast))
        yield provider
        await provider.aclose()

    @pytest.mark.parametrize("kind", ["application/x-ndjson", "application/json"])
    async def test_are_read_under_either_name(self, provider: HttpProvider, up: Upstream, kind: str) -> None:
        lines = [{"choices": [{"delta": {"content": c}, "finish_reason": ""}]} for c in "abc"]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        up.script("m", steps.status(200, body, headers={"content-type": kind}))
        assert text_of(await parts_of(provider)) == "abc"

    async def test_come_one_by_one(self, provider: HttpProvider, up: Upstream) -> None:
        async def step(exchange: Exchange) -> None:
            await exchange.start(headers={"content-type": "application/x-ndjson"}, chunked=True)
            await exchange.send(b'{"choices": [{"delta": {"content": "a"}, "finish_reason": ""}]}\n')
            await exchange.request.closed.wait()

        up.script("m", step)
        async with provider.stream(CALL) as batches:
            assert text_of(await anext(batches)) == "a"


async def test_its_repr_tells_where_it_leads_and_no_key(up: Upstream, fast: bool) -> None:
    transport = Transport(up.openai, headers={"x-team": "sk-secret"}, fast=fast)
    provider = HttpProvider(TinyWire(up.openai), transport)
    incoming = await transport.send(f"{up.openai}/chat/completions", b'{"model": "m"}')
    way = "aiohttp" if fast else "httpx"
    assert repr(provider) == (
        f"<HttpProvider TinyWire <Transport to 127.0.0.1:{up.port} over {way}, 1 in flight>>"
    )
    assert repr(incoming) == f"<Incoming 200 from 127.0.0.1:{up.port}>"
    await incoming.aclose()
    assert "closed" in repr(incoming)
    await provider.aclose()
