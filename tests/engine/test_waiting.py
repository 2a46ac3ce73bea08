"""Requests that wait for the bench are woken by what they wait for, and by nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.config.model import KeySource
from engine.policy import Backoff, Policy
from engine.sideline import Sideline
from tests.scripted import Scripted, chain_of, running
from tests.virtual_time import pass_time, settle, virtual

WAIT = Policy(attempts=1, backoff=Backoff(0, 0), when_all_benched="wait", deadline=1000.0)


@virtual
async def test_a_bench_of_another_model_wakes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    change = Sideline.change

    async def counting(*args: Any) -> None:
        nonlocal looks
        looks += 1
        await change(*args)

    monkeypatch.setattr(Sideline, "change", counting)
    async with running(chain_of(Scripted({"a": ["fine"]}), "a", policy=WAIT)) as (engine, _):
        engine.bench("p/a", for_=400)
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await settle()
        for number in range(5):
            engine.bench(f"p/other-{number}")
            await settle()
        assert looks == 1
        assert (await asking).text == "fine"
        assert engine._sideline._waiting == {}


@pytest.mark.parametrize("name", ["p/a", "p/*", "p#k", "p#k/a"])
@virtual
async def test_the_return_of_whatever_keeps_a_model_out_wakes_who_waits_for_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAITING_KEY", "sk-waiting-0123")
    config = chain_of(Scripted({"a": ["fine"]}), "a", keys=(KeySource("k", env="WAITING_KEY"),), policy=WAIT)
    async with running(config) as (engine, _):
        engine.bench(name, for_=400)
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(10)
        engine.unbench(name)
        await settle()
        assert asking.done()
        assert (await asking).text == "fine"
