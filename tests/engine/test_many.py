"""A hundred requests at once on one engine: each upstream call carries its own."""

from __future__ import annotations

import asyncio

import pytest

from engine import Backoff, ChainConfig, ChainExhausted, Config, Engine, KeySource, Policy, ProviderConfig
from tests.scripted import Heard
from tests.upstream import Upstream, steps

PATIENT = Policy(attempts=2, backoff=Backoff(0, 0), bench_after=99)


async def test_a_hundred_requests_at_once_never_see_each_others_model_key_or_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    providers, chains = {}, {}
    for number in range(10):
        monkeypatch.setenv(f"KEY_{number}", f"key-of-provider-{number}")
    async with Upstream() as up, asyncio.timeout(60):
        for number in range(10):
            name = f"p{number}"
            providers[name] = ProviderConfig(
                name,
                base_url=up.openai,
                keys=(KeySource("k", env=f"KEY_{number}"),),
                headers={"x-provider": name},
            )
            up.script(f"first-{number}", steps.status(500))
            up.script(f"second-{number}", steps.ok(f"answer of {number}"))
            models = (f"{name}/first-{number}", f"{name}/second-{number}")
            chains[f"chain-{number}"] = ChainConfig(f"chain-{number}", models, PATIENT)
        heard = Heard()
        async with Engine(Config(providers=providers, chains=chains)) as engine:
            engine.observe(heard.append)

            async def ask(number: int) -> str:
                chain, prompt = f"chain-{number % 10}", f"prompt {number}"
                if number % 2:
                    return (await engine.complete(chain, prompt)).text
                async with engine.stream(chain, prompt) as stream:
                    return "".join([delta.text async for delta in stream])

            answers = await asyncio.gather(*(ask(number) for number in range(100)))
        assert answers == [f"answer of {number % 10}" for number in range(100)]
        assert len(up.requests) == 300
        for request in up.requests:
            owner = request.model.rpartition("-")[2]
            assert request.headers["authorization"] == f"Bearer key-of-provider-{owner}"
            assert request.headers["x-provider"] == f"p{owner}"
            (message,) = request.body["messages"]
            assert message["content"].removeprefix("prompt ")[-1] == owner
        by_request = {event.request for event in heard.of("request.succeeded")}
        assert len(by_request) == 100
        for event in heard.of("attempt.started"):
            assert event.chain is not None
            assert event.model.rpartition("-")[2] == event.chain.rpartition("-")[2]


async def test_a_request_that_json_cannot_express_benches_nobody_and_sends_nothing() -> None:
    async with Upstream() as up:
        config = Config(
            providers={"p": ProviderConfig("p", base_url=up.openai)},
            chains={"main": ChainConfig("main", ("p/a", "p/b"))},
        )
        async with Engine(config) as engine:
            with pytest.raises(ChainExhausted) as caught:
                await engine.complete("main", "hi", temperature=float("nan"))
            assert {cause.reason for cause in caught.value.causes} == {"unsupported"}
            assert engine.benched() == []
        assert up.requests == []
