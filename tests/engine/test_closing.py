"""An engine's end: everything is closed, whatever fails to, and nothing hangs afterwards."""

from __future__ import annotations

import asyncio

import pytest

from engine import Config, Engine, ProviderConfig
from tests.scripted import Scripted, chain_of, running
from tests.virtual_time import virtual

SECRET_WORDS = "cannot close sk-CANARY0123456789"


class Closing(Scripted):
    """Counts how often it is closed, and fails to."""

    closings = 0
    error: BaseException | None = RuntimeError(SECRET_WORDS)

    async def aclose(self) -> None:
        self.closings += 1
        if self.error is not None:
            raise self.error


def _both(stubborn: Scripted, other: Scripted) -> Config:
    adapters = {"p": stubborn, "q": other}
    return Config(providers={name: ProviderConfig(name, adapter=each) for name, each in adapters.items()})


@virtual
async def test_an_adapter_that_does_not_close_keeps_nobody_else_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stubborn, other = Closing({"a": ["ok"]}), Scripted({"b": ["ok"]})
    engine = Engine(_both(stubborn, other), clock=asyncio.get_running_loop().time)
    events = engine.events()
    await engine.complete("p/a", "hi")
    await engine.complete("q/b", "hi")
    await engine.aclose()
    assert other.closed
    assert len([event async for event in events]) > 0
    (warning,) = [record for record in caplog.records if "did not close" in record.getMessage()]
    assert (warning.name, warning.levelname) == ("standby", "WARNING")
    assert warning.getMessage() == "the adapter of p did not close: RuntimeError"
    assert warning.exc_info is None


@virtual
async def test_events_end_even_if_closing_is_cut_short() -> None:
    stubborn = Closing({"a": ["ok"]})
    stubborn.error = asyncio.CancelledError()
    engine = Engine(chain_of(stubborn, "a"), clock=asyncio.get_running_loop().time)
    events = engine.events()
    await engine.complete("main", "hi")
    with pytest.raises(asyncio.CancelledError):
        await engine.aclose()
    assert [event async for event in events][-1].event == "request.succeeded"


@virtual
async def test_closing_twice_closes_adapters_once() -> None:
    provider = Closing({"a": ["ok"]})
    provider.error = None
    async with running(chain_of(provider, "a")) as (engine, _):
        await engine.complete("main", "hi")
        await engine.aclose()
    assert provider.closings == 1


@virtual
async def test_a_feed_taken_after_the_end_is_over_at_once() -> None:
    provider = Scripted({"a": ["ok"]})
    engine = Engine(chain_of(provider, "a"), clock=asyncio.get_running_loop().time)
    await engine.aclose()
    assert [event async for event in engine.events()] == []
    engine.observe(lambda _: None).close()


@virtual
async def test_a_replaced_adapter_that_does_not_close_keeps_no_other_one_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stubborn, other = Closing({"a": ["ok"]}), Scripted({"b": ["ok"]})
    async with running(_both(stubborn, other)) as (engine, _):
        await engine.complete("p/a", "hi")
        await engine.complete("q/b", "hi")
        engine._take(Config())
        await engine._roster.close_idle()
        assert (stubborn.closings, other.closed) == (1, True)
        await engine._roster.close_idle()
    assert stubborn.closings == 1
    assert SECRET_WORDS not in caplog.text
