"""A configuration that is replaced while a request is under way on what it no longer has."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.config.model import ChainConfig, Config, KeySource, ProviderConfig
from engine.engine import Engine
from engine.errors import ChainExhausted
from engine.messages import Delta
from engine.policy import Backoff, Policy
from tests.scripted import After, Parts, Scripted, running, status
from tests.virtual_time import pass_time, virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0), cooldown=60.0)


def _two(p: Scripted, policy: Policy = ONCE, keys: tuple[KeySource, ...] = ()) -> Config:
    """A chain of one model of each of two providers, `p` and `q`."""
    q = Scripted({"x": ["from x"]})
    return Config(
        providers={"p": ProviderConfig("p", adapter=p, keys=keys), "q": ProviderConfig("q", adapter=q)},
        chains={"main": ChainConfig("main", ("p/a", "q/x"), policy)},
        defaults=policy,
    )


def _remove_p(engine: Engine) -> None:
    config = engine.config
    chains = {"main": replace(config.chains["main"], models=("q/x",))} if config.chains else {}
    engine._take(replace(config, providers={"q": config.providers["q"]}, chains=chains))


@pytest.mark.parametrize("error", [status(500), status(401), status(429, retry_after_s=1.0)])
@pytest.mark.parametrize("attempts", [1, 3])
@pytest.mark.parametrize("mode", ["complete", "stream", "embed"])
@virtual
async def test_the_next_model_answers_if_a_provider_is_removed_and_its_attempt_then_fails(
    mode: str, attempts: int, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_ONE", "key-number-one")
    monkeypatch.setenv("KEY_TWO", "key-number-two")
    keys = KeySource("one", env="KEY_ONE"), KeySource("two", env="KEY_TWO")
    provider = Scripted({"a": [After(5, error)]})
    config = _two(provider, ONCE.replace(attempts=attempts), keys)
    async with running(config) as (engine, heard):

        async def ask() -> str:
            match mode:
                case "complete":
                    return (await engine.complete("main", "hi")).model
                case "embed":
                    return (await engine.embed("main", "hi")).model
                case _:
                    async with engine.stream("main", "hi") as stream:
                        async for _ in stream:
                            pass
                    return str(stream.model)

        asking = asyncio.create_task(ask())
        await pass_time(1)
        _remove_p(engine)
        assert await asking == "q/x"
        assert [event.model for event in heard.of("attempt.failed")] == ["p/a"]
        assert [seat.under_way for seat in engine._roster._retired] == [0]
        await engine._roster.close_idle()
        assert provider.closed


@virtual
async def test_a_stream_of_a_removed_provider_that_breaks_goes_on_with_the_next_model() -> None:
    provider = Scripted({"a": [Parts([[Delta("he")], 5, status(500)])]})
    async with running(_two(provider, ONCE.replace(mid_stream="restart"))) as (engine, heard):
        got: list[str] = []
        async with engine.stream("main", "hi") as stream:
            async for delta in stream:
                if not got:
                    _remove_p(engine)
                got.append("<restart>" if delta.restart else delta.text)
        assert got == ["he", "<restart>", "from", "x"]
        assert [(event.model, event.next_model) for event in heard.of("stream.broken")] == [("p/a", "q/x")]
        assert heard.names()[-1] == "request.succeeded"


@virtual
async def test_a_request_whose_only_provider_is_removed_ends_with_what_that_said() -> None:
    provider = Scripted({"a": [After(5, status(500))]})
    async with running(_two(provider)) as (engine, heard):
        asking = asyncio.create_task(engine.complete("p/a", "hi", only=True))
        await pass_time(1)
        _remove_p(engine)
        with pytest.raises(ChainExhausted) as ended:
            await asking
        assert [cause.status for cause in ended.value.causes] == [500]
        assert heard.names()[-1] == "request.failed"


@virtual
async def test_an_answer_of_a_removed_provider_is_an_answer() -> None:
    provider = Scripted({"a": [After(5, "from a")]})
    async with running(_two(provider)) as (engine, _):
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(1)
        _remove_p(engine)
        await engine._roster.close_idle()
        assert not provider.closed
        assert (await asking).text == "from a"
        await engine._roster.close_idle()
        assert provider.closed
