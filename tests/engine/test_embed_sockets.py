"""Requests for vectors, over real sockets and simulated ones."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from engine import ChainConfig, Config, Embeddings, Engine, ProviderConfig, Usage
from tests.engine.test_cancel import CancelAt
from tests.over_sockets import PROTOCOLS, engine_over
from tests.scripted import Heard, cancelled
from tests.upstream import Upstream, steps
from tests.upstream.vectors import vector_of

EMBEDDERS = [protocol for protocol in PROTOCOLS if protocol != "anthropic"]


@pytest.mark.parametrize("protocol", EMBEDDERS)
async def test_batches_fail_over_and_the_order_is_kept(protocol: Any) -> None:
    async with engine_over(protocol, "a", "b") as (engine, up, heard):
        up.script("a", steps.vectors(), steps.status(500))
        up.script("b", steps.vectors(backwards=True))
        texts = [f"text {number}" for number in range(2050)]
        got = await engine.embed("main", texts)
        assert list(got) == [list(vector_of(text)) for text in texts]
        assert (got.model, got.usage) == ("p/b", Usage(2 * len(texts)))
        most = 2048 if protocol == "openai" else 128
        assert [len(request.body["input"]) for request in up.requests_for("a")] == [
            most,
            min(most, 2050 - most),
            min(most, 2050 - most),
        ]
        assert [text for request in up.requests_for("b") for text in request.body["input"]] == texts
        assert len(heard.of("attempt.started")) == len(up.requests)


def _wrong(change: Callable[[str], Sequence[float]]) -> Any:
    return steps.vectors(make=change, base64=True)


@pytest.mark.parametrize(
    "wrong",
    [
        _wrong(lambda text: [1.0] * len(text)),
        _wrong(lambda _: []),
        _wrong(lambda _: [math.nan]),
        steps.bad_json(),
        steps.html(),
        steps.error_in_200(),
    ],
    ids=["lengths", "none", "nan", "json", "html", "error"],
)
async def test_what_cannot_be_right_is_tried_again_and_passed_on(wrong: Any) -> None:
    async with engine_over("openai", "a", "b") as (engine, up, heard):
        up.script("a", wrong)
        got = await engine.embed("main", ["one", "three"])
        assert list(got) == [list(vector_of("one")), list(vector_of("three"))]
        assert got.model == "p/b"
        assert [event.model for event in heard.of("attempt.failed")] == ["p/a", "p/a"]
        assert [event.name for event in engine.benched()] == ["p/a"]


async def test_anthropic_is_passed_over_unasked_and_not_benched() -> None:
    async with Upstream() as up:
        providers = {
            "claude": ProviderConfig("claude", kind="anthropic", base_url=up.anthropic),
            "openai": ProviderConfig("openai", base_url=up.openai),
        }
        config = Config(providers=providers, chains={"main": ChainConfig("main", ("claude/c", "openai/e"))})
        heard = Heard()
        async with Engine(config) as engine:
            engine.observe(heard.append)
            got = await engine.embed("main", ["one"])
            assert engine.benched() == []
        assert (got.model, got.fallback) == ("openai/e", True)
        assert [request.model for request in up.requests] == ["e"]
        (failed,) = heard.of("attempt.failed")
        assert (failed.kind, failed.reason, failed.benched) == ("request_specific", "unsupported", False)


async def test_the_connection_of_a_cancelled_batch_is_closed_at_once() -> None:
    async with engine_over("openai", "a") as (engine, up, _):
        up.script("a", steps.hang())
        asking = asyncio.create_task(engine.embed("main", ["one"]))
        request = await up.arrived(1)
        await cancelled(asking)
        await request.closed.wait()


async def test_cancelled_at_any_await_a_request_leaves_nothing_behind() -> None:
    turn, reached = 0, True
    while reached:
        turn += 1
        async with engine_over("ollama", "a", "b") as (engine, up, heard):
            up.script("a", steps.vectors(), steps.status(500), steps.status(400))
            cancel = CancelAt(engine.embed("main", ["text"] * 200), turn)

            async def run(cancel: CancelAt[Embeddings] = cancel) -> Embeddings:
                return await cancel

            try:
                assert len(await asyncio.create_task(run())) == 200
            except asyncio.CancelledError:
                assert heard.names()[-1] == "request.cancelled"
            reached = cancel.reached
            assert engine.benched() == []
            ended = sum(len(heard.of(f"attempt.{end}")) for end in ("failed", "succeeded", "cancelled"))
            assert len(heard.of("attempt.started")) == ended
            assert engine._roster.seat("p/a").under_way == 0
    assert turn > 8


async def test_a_simulated_chain_embeds() -> None:
    providers = {"acme": ProviderConfig("acme", kind="simulated", seed=7)}
    async with Engine(Config(providers=providers)) as engine:
        got = await engine.embed("acme/large", ["one", "two"], dimensions=16)
        again = await engine.embed("acme/large", "one", dimensions=16)
    assert isinstance(got, Embeddings)
    assert [len(vector) for vector in got] == [16, 16]
    assert again[0] == got[0] != got[1]
