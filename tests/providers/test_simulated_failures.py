"""Every way in which a simulated model fails, as the real adapters see it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from engine.config.model import Incident, Protocol, SimulatedModel
from engine.providers.base import Signal
from engine.providers.simulated import build_simulated
from engine.providers.simulated_errors import refusal
from tests.providers.simulation import (
    always,
    call,
    config,
    every_protocol,
    listen,
    now,
    plain_and_streamed,
    post,
    provider,
    read,
    signal_of,
)
from tests.virtual_time import virtual


@every_protocol
@plain_and_streamed
@pytest.mark.parametrize(
    "status", [400, 401, 402, 403, 404, 408, 413, 418, 422, 429, 500, 502, 503, 504, 529]
)
@virtual
async def test_a_status_is_told_as_the_protocol_tells_it(
    protocol: Protocol, stream: bool, status: int
) -> None:
    async with provider(protocol, always(status)) as adapter:
        seen = await signal_of(adapter, call(), stream=stream)
    assert (seen.what, seen.status, seen.retry_after_s) == ("status", status, None)
    assert seen.message


@pytest.mark.parametrize(
    ("protocol", "status", "code"),
    [
        ("openai", 401, "invalid_api_key"),
        ("openai", 402, "insufficient_quota"),
        ("openai", 404, "model_not_found"),
        ("openai", 429, "rate_limit_exceeded"),
        ("anthropic", 400, "invalid_request_error"),
        ("anthropic", 401, "authentication_error"),
        ("anthropic", 402, "billing_error"),
        ("anthropic", 403, "permission_error"),
        ("anthropic", 404, "not_found_error"),
        ("anthropic", 413, "request_too_large"),
        ("anthropic", 429, "rate_limit_error"),
        ("anthropic", 500, "api_error"),
        ("anthropic", 504, "timeout_error"),
        ("anthropic", 529, "overloaded_error"),
    ],
)
@virtual
async def test_a_refusal_carries_the_providers_code(protocol: Protocol, status: int, code: str) -> None:
    async with provider(protocol, always(status)) as adapter:
        assert code in (await signal_of(adapter, call(), stream=True)).codes


@every_protocol
def test_a_proxys_refusal_is_a_page(protocol: Protocol) -> None:
    said = refusal(protocol, 502, model="m", request_id="r")
    assert said.headers["content-type"] == "text/html"
    assert b"502 Bad Gateway" in said.body


def test_a_wait_is_told_in_whole_seconds_and_if_need_be_in_milliseconds() -> None:
    whole = refusal("openai", 429, model="m", request_id="r", retry_after=12.0).headers
    broken = refusal("openai", 429, model="m", request_id="r", retry_after=1.5).headers
    assert (whole["retry-after"], whole.get("retry-after-ms")) == ("12", None)
    assert (broken["retry-after"], broken["retry-after-ms"]) == ("2", "1500")


@every_protocol
@virtual
async def test_an_incident_names_when_to_come_back(protocol: Protocol) -> None:
    for asked, heard in ((12.0, 12.0), (1.5, 1.5)):
        incident = Incident(every=60.0, lasts=59.0, way=429, retry_after=asked, after=0.0)
        async with provider(protocol, SimulatedModel(incident=incident)) as adapter:
            assert (await signal_of(adapter, call(), stream=False)).retry_after_s == heard


@every_protocol
@virtual
async def test_a_cut_stream_breaks_off_after_some_text(protocol: Protocol) -> None:
    async with provider(protocol, always("cut", tokens=3)) as adapter:
        for _ in range(20):
            heard: list[str] = []
            with pytest.raises(Signal) as caught:
                await listen(adapter, heard)
            assert caught.value.what == "connection"
            assert 0 < len("".join(heard).split()) < 3


@every_protocol
@virtual
async def test_a_cut_plain_answer_is_a_lost_connection(protocol: Protocol) -> None:
    async with provider(protocol, always("cut")) as adapter:
        assert (await signal_of(adapter, call(), stream=False)).what == "connection"


@every_protocol
@virtual
async def test_a_stalled_stream_says_something_and_stays_open(protocol: Protocol) -> None:
    heard: list[str] = []
    async with provider(protocol, always("stall")) as adapter:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(listen(adapter, heard), 3600)
    assert "".join(heard)
    assert now() == 3600.0


@every_protocol
@plain_and_streamed
@pytest.mark.parametrize("way", ["hang", "stall"])
@virtual
async def test_silence_lasts_until_the_caller_gives_up(protocol: Protocol, stream: bool, way: str) -> None:
    async with provider(protocol, always(way)) as adapter:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await read(adapter, call(), stream=stream)


@every_protocol
@plain_and_streamed
@virtual
async def test_a_reset_is_a_lost_connection(protocol: Protocol, stream: bool) -> None:
    async with provider(protocol, always("reset")) as adapter:
        for _ in range(5):
            assert (await signal_of(adapter, call(), stream=stream)).what == "connection"


@virtual
async def test_resets_come_before_and_after_the_connection_stands() -> None:
    transport = build_simulated(config("openai", always("reset")))
    seen = set()
    async with httpx.AsyncClient(transport=transport) as client:
        for _ in range(20):
            with pytest.raises(httpx.TransportError) as caught:
                await post(client, "openai")
            seen.add(type(caught.value))
    assert seen == {httpx.ConnectError, httpx.ReadError}


@every_protocol
@plain_and_streamed
@virtual
async def test_an_empty_answer_finishes_normally_without_text(protocol: Protocol, stream: bool) -> None:
    async with provider(protocol, always("empty")) as adapter:
        answer = await read(adapter, call(), stream=stream)
    assert (answer.text, answer.finish_reason, answer.usage.output_tokens) == ("", "stop", 0)


@every_protocol
@plain_and_streamed
@virtual
async def test_garbage_is_a_200_that_cannot_be_read(protocol: Protocol, stream: bool) -> None:
    async with provider(protocol, always("garbage")) as adapter:
        assert (await signal_of(adapter, call(), stream=stream)).what == "protocol"
