"""What `when_all_benched: try` asks although it is on the bench."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from engine.errors import AllBenched, ChainExhausted, StandbyError
from engine.policy import Backoff, Policy
from engine.providers.base import EmbedLimits
from tests.scripted import After, Scripted, chain_of, running, status, vector_of
from tests.virtual_time import pass_time, virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0), cooldown=60.0)
ONE_TEXT = EmbedLimits(texts=1)


@virtual
async def test_a_model_that_was_not_found_may_be_there_again() -> None:
    provider = Scripted({"a": [status(404), "here"]})
    async with running(chain_of(provider, "a", policy=ONCE)) as (engine, _):
        with pytest.raises(ChainExhausted):
            await engine.complete("main", "hi")
        assert [(out.name, out.reason) for out in engine.benched()] == [("p/a", "model_not_found")]
        assert (await engine.complete("main", "hi")).text == "here"
        assert engine.benched() == []


@virtual
async def test_a_model_that_is_benched_between_two_batches_is_asked_for_the_rest() -> None:
    provider = Scripted({"a": [After(5, "ok")]}, ONE_TEXT)
    async with running(chain_of(provider, "a", policy=ONCE)) as (engine, heard):
        asking = asyncio.create_task(engine.embed("main", ["x", "y", "z"]))
        await pass_time(6)  # in the second batch, which began before the bench and says nothing of it
        provider.scripts = {"a": [*[status(500)] * 9]}
        with suppress(StandbyError):
            await engine.complete("p/a", "hi")
        assert engine.is_benched("p/a")
        provider.scripts = {"a": [After(5, "ok")]}
        got = await asking
        assert got.vectors == tuple(vector_of("a", text) for text in "xyz")
        assert got.attempts == 3
        assert not engine.is_benched("p/a")
        assert heard.names()[-1] == "request.succeeded"


@virtual
async def test_a_model_that_is_held_between_two_batches_is_not_asked_for_the_rest() -> None:
    provider = Scripted({"a": [After(5, "ok")]}, ONE_TEXT)
    async with running(chain_of(provider, "a", policy=ONCE)) as (engine, _):
        asking = asyncio.create_task(engine.embed("main", ["x", "y", "z"]))
        await pass_time(1)
        engine.bench("p/a", for_=30)
        with pytest.raises(AllBenched):
            await asking
        assert len(provider.embeds) == 1


@virtual
async def test_a_hold_between_two_batches_is_waited_for_if_the_policy_says_so() -> None:
    provider = Scripted({"a": [After(5, "ok")]}, ONE_TEXT)
    policy = ONCE.replace(when_all_benched="wait")
    async with running(chain_of(provider, "a", policy=policy)) as (engine, _):
        asking = asyncio.create_task(engine.embed("main", ["x", "y", "z"]))
        await pass_time(1)
        engine.bench("p/a", for_=30)
        got = await asking
        assert len(got.vectors) == 3
        assert got.elapsed_s == pytest.approx(41.0, abs=0.01)
