"""Observers that act on the engine while they hear of it, and what all of them hear."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from engine.bus import Bus
from engine.config.model import KeySource
from engine.engine import Engine
from engine.errors import StandbyError
from engine.events import Event, ModelUnbenched
from engine.messages import Delta
from engine.policy import Backoff, Policy
from tests.scripted import HANG, After, Heard, Parts, Scripted, chain_of, running, status
from tests.virtual_time import pass_time, virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0), cooldown=60.0)


def _names_of(heard: list[Event], of: str = "model.") -> list[str]:
    return [event.event for event in heard if event.event.startswith(of)]


def _failing() -> Scripted:
    return Scripted({"a": [status(500)], "b": ["ok"]})


@pytest.mark.parametrize("when", ["attempt.failed", "model.benched"])
@virtual
async def test_every_observer_hears_of_a_bench_before_the_unbench_that_it_brought_about(when: str) -> None:
    async with running(chain_of(_failing(), "a", "b", policy=ONCE)) as (engine, before):

        def unbench(event: Event) -> None:
            if event.event == when:
                engine.unbench("p/a")

        engine.observe(unbench)
        after = Heard()
        engine.observe(after.append)
        feed = engine.events()
        before.clear()
        assert (await engine.complete("main", "hi")).model == "p/b"
        assert not engine.is_benched("p/a")
        await engine.aclose()
        read = [event async for event in feed]
    for heard in (before, after, read):
        assert _names_of(list(heard)) == ["model.benched", "model.unbenched"]
        assert [event.seq for event in heard] == sorted({event.seq for event in heard})
        assert [event.seq for event in heard] == [event.seq for event in before]


@virtual
async def test_an_observer_that_holds_a_model_as_it_fails_is_told_so_after_the_failure() -> None:
    async with running(chain_of(_failing(), "a", "b", policy=ONCE)) as (engine, _):

        def hold(event: Event) -> None:
            if event.event == "attempt.failed":
                engine.bench("p/a", by="observer")

        engine.observe(hold)
        after = Heard()
        engine.observe(after.append)
        assert (await engine.complete("main", "hi")).model == "p/b"
        assert after.facts("manual", of="model.b") == [("model.benched", False), ("model.benched", True)]
        assert after.names().index("attempt.failed") < after.names().index("model.benched")
        assert [event.seq for event in after] == list(range(1, len(after) + 1))


@virtual
async def test_observers_that_answer_each_other_are_heard_in_order_by_everybody() -> None:
    async with running(chain_of(_failing(), "a", "b", policy=ONCE)) as (engine, first):

        def bench_b(event: Event) -> None:
            if isinstance(event, ModelUnbenched) and event.model == "p/a":
                engine.bench("p/b")

        def unbench_a(event: Event) -> None:
            if event.event == "model.benched" and getattr(event, "model", "") == "p/a":
                engine.unbench("p/a")

        engine.observe(bench_b)
        engine.observe(unbench_a)
        last = Heard()
        engine.observe(last.append)
        engine.bench("p/a")
        told = [(event.seq, event.event, event.model) for event in last.of("model.benched")]
        assert told == [(1, "model.benched", "p/a"), (3, "model.benched", "p/b")]
        assert [event.seq for event in last] == [event.seq for event in first] == [1, 2, 3]


@virtual
async def test_an_observer_that_raises_while_others_answer_keeps_none_from_hearing() -> None:
    def refuse(_: Event) -> None:
        raise RuntimeError("no more")

    async with running(chain_of(_failing(), "a", "b", policy=ONCE)) as (engine, _):

        def unbench(event: Event) -> None:
            if event.event == "model.benched":
                engine.unbench("p/a")

        engine.observe(unbench)
        engine.observe(refuse)
        after = Heard()
        engine.observe(after.append)
        assert (await engine.complete("main", "hi")).model == "p/b"
        assert _names_of(list(after)) == ["model.benched", "model.unbenched"]
        assert after.names()[-1] == "request.succeeded"


def test_an_observer_whose_coroutines_nobody_would_await_is_refused() -> None:
    async def observe(event: Event) -> None:
        raise AssertionError(event)

    bus = Bus("e")
    with pytest.raises(TypeError, match="must be a plain function"):
        bus.observe(observe)
    bus.emit(ModelUnbenched(model="p/a", manual=False, why="expired"))


# What they hear


@virtual
async def test_every_event_of_a_busy_engine_is_the_same_after_a_trip_through_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEY_ONE", "key-number-one")
    monkeypatch.setenv("KEY_TWO", "key-number-two")
    keys = KeySource("one", env="KEY_ONE"), KeySource("two", env="KEY_TWO")
    broken = Parts([[Delta("he")], status(500)])
    provider = Scripted(
        {"a": [status(401), status(500), After(5, "back"), After(9, "slow")], "b": [broken, "ok"]}
    )
    policy = ONCE.replace(mid_stream="restart")
    async with running(chain_of(provider, "a", "b", keys=keys, policy=policy)) as (engine, heard):
        await _listen(engine, "main, nobody/knows")
        engine.bench("p#two", for_=5, reason="cost")
        await pass_time(61)
        await engine.embed("p/b", ["x", "y"])
        for target in ("main", "p/a, p/b"):
            with suppress(StandbyError):
                await engine.complete(target, "hi", deadline=7)
        provider.scripts = {"b": [HANG]}
        asking = asyncio.create_task(engine.complete("p/b", "hi"))
        await pass_time(1)
        asking.cancel()
        await asyncio.wait((asking,))
        engine._take(engine.config)
    assert set(heard.names()) >= {
        "request.started",
        "request.succeeded",
        "request.failed",
        "request.cancelled",
        "attempt.failed",
        "stream.broken",
        "model.skipped",
        "model.trial",
        "key.benched",
        "key.unbenched",
        "config.reloaded",
    }
    for event in heard:
        assert json.loads(json.dumps(event.to_json())) == event.to_json()
    (failed, *_) = heard.of("request.failed")
    assert isinstance(failed.to_json()["causes"], list)


async def _listen(engine: Engine, target: str) -> None:
    with suppress(StandbyError):
        async with engine.stream(target, "hi") as stream:
            async for _ in stream:
                pass


# What nobody hears of


async def _complete(engine: Engine, **options: Any) -> None:
    await engine.complete("main", "hi", **options)


async def _embed(engine: Engine, **options: Any) -> None:
    await engine.embed("main", "hi", **options)


async def _stream(engine: Engine, **options: Any) -> None:
    async with engine.stream("main", "hi", **options):
        pytest.fail("entered")


@pytest.mark.parametrize(
    ("ask", "options"),
    [
        *((ask, {name: "20s"}) for ask in (_complete, _stream, _embed) for name in ("timeout", "deadline")),
        (_complete, {"max_tokens": "20"}),
        (_embed, {"dimensions": "20"}),
        (_embed, {"dimensions": 20.0}),
    ],
)
@virtual
async def test_an_option_of_a_wrong_type_is_refused_before_any_event(
    ask: Callable[..., Any], options: dict[str, Any]
) -> None:
    provider = Scripted({"a": ["no"]})
    async with running(chain_of(provider, "a")) as (engine, heard):
        with pytest.raises(TypeError, match=next(iter(options))):
            await ask(engine, **options)
        assert heard == []
    assert (provider.calls, provider.embeds) == ([], [])
