"""Probes, in virtual time: those the engine sends by itself, and those somebody asks for."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from engine.config.model import ChainConfig, Config, KeySource, ProviderConfig
from engine.engine import Engine
from engine.errors import StandbyError, UnknownTarget
from engine.policy import Backoff, Policy
from tests.scripted import HANG, After, Heard, Scripted, chain_of, running, speak, status
from tests.virtual_time import pass_time, virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0), cooldown=60.0)
PROBED = ONCE.replace(trial="probe")


async def let_a_fail(engine: Engine, heard: Heard) -> None:
    with suppress(StandbyError):
        await engine.complete("main", "hi")
    heard.clear()


def state_of(engine: Engine, model: str = "p/a") -> str:
    return next(each.state for each in engine.status() if each.model == model)


def trials(heard: Heard) -> list[tuple[str, str | None]]:
    return [(event.by, event.outcome) for event in heard.of("model.trial")]


# By itself, when a bench runs out and its policy says `trial: probe`


@virtual
async def test_no_request_is_spent_on_a_trial_that_a_probe_takes() -> None:
    provider = Scripted({"a": [status(500), After(5, speak("OK"))], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=PROBED)) as (engine, heard):
        await let_a_fail(engine, heard)
        await pass_time(61)
        assert state_of(engine) == "on_trial"
        assert (await engine.complete("main", "hi")).model == "p/b"
        (skipped,) = heard.of("model.skipped")
        assert (skipped.model, skipped.why) == ("p/a", "on_trial")
        await pass_time(5)
        assert state_of(engine) == "live"
        assert (await engine.complete("main", "hi")).model == "p/a"
        assert heard.facts("outcome", "why") == [
            ("model.due",),
            ("model.trial", None),
            ("model.skipped", "on_trial"),
            ("model.trial", "success"),
            ("model.unbenched", "success"),
        ]
        assert {event.by for event in heard.of("model.trial")} == {"probe"}


@virtual
async def test_a_probe_is_a_tiny_prompt_of_the_engines_own() -> None:
    provider = Scripted({"a": [status(500), speak("OK")], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=PROBED)) as (engine, heard):
        await engine.complete("main", "a user's secret plans")
        heard.clear()
        await pass_time(61)
    probe = provider.calls[-1]
    assert probe.model == "a"
    assert "secret plans" not in str(probe.messages)
    assert probe.params.max_tokens == 16
    assert [event.models for event in heard.of("request.started")] == [("p/a",)]


@virtual
async def test_a_probe_that_fails_benches_a_level_up_and_the_next_end_brings_another() -> None:
    provider = Scripted({"a": [status(500), status(500), speak("OK")], "b": ["from b"]})
    policy = PROBED.replace(attempts=3, cooldown_growth=3.0)
    async with running(chain_of(provider, "a", policy=policy)) as (engine, heard):
        provider.scripts = {"a": [*[status(500)] * 4, speak("OK")]}
        await let_a_fail(engine, heard)
        assert len(provider.calls) == 3
        await pass_time(61)
        assert len(provider.calls) == 4  # one call, not retried
        assert [(out.level, out.for_s) for out in engine.benched()] == [(2, 180.0)]
        await pass_time(180)
        assert state_of(engine) == "live"
        assert trials(heard) == [("probe", None), ("probe", "failure"), ("probe", None), ("probe", "success")]
        assert len(heard.of("model.due")) == 2


@virtual
async def test_a_probe_that_is_refused_as_a_bad_request_leaves_the_trial_to_requests() -> None:
    provider = Scripted({"a": [status(500), status(400), "back"], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=PROBED)) as (engine, heard):
        await let_a_fail(engine, heard)
        await pass_time(61)
        assert state_of(engine) == "due"
        assert (await engine.complete("main", "hi")).model == "p/a"
        assert trials(heard) == [
            ("probe", None),
            ("probe", "given_back"),
            ("request", None),
            ("request", "success"),
        ]


@virtual
async def test_an_engine_that_closes_takes_its_probes_along_and_begins_no_other() -> None:
    provider = Scripted({"a": [status(500), HANG], "b": [status(429, retry_after_s=90.0), HANG]})
    async with running(chain_of(provider, "a", "b", policy=PROBED)) as (engine, heard):
        await let_a_fail(engine, heard)
        await pass_time(61)
        assert provider.open == 1
    assert provider.open == 0
    assert trials(heard) == [("probe", None), ("probe", "given_back")]
    assert heard.names().count("request.cancelled") == 1
    await pass_time(600)  # b's bench is long over
    engine.status()
    await pass_time(1)
    assert provider.models() == ["a", "b", "a"]


# Because somebody asks


@virtual
async def test_a_probe_tells_how_fast_a_model_answers() -> None:
    provider = Scripted({"a": [After(2, speak("OK OK"))]})
    async with running(chain_of(provider, "a")) as (engine, heard):
        found = await engine.probe("p/a")
        assert (found.model, found.ok, found.error, found.state) == ("p/a", True, None, "live")
        assert found.first_token_s == pytest.approx(2.0)
        assert found.elapsed_s == pytest.approx(2.0)
        assert not found.brought_back
        assert heard.facts("model") == []


@virtual
async def test_a_live_model_that_fails_a_probe_is_not_benched_nor_is_it_counted() -> None:
    provider = Scripted({"a": [status(500)]})
    policy = ONCE.replace(bench_after=2)
    async with running(chain_of(provider, "a", policy=policy)) as (engine, _):
        for _ in range(5):
            found = await engine.probe("p/a")
            assert (found.ok, found.state) == (False, "live")
            assert found.error is not None
            assert "server_error (HTTP 500)" in found.error
        await let_a_fail(engine, Heard())
        assert state_of(engine) == "live"
    assert len(provider.calls) == 6


@virtual
async def test_an_answer_to_a_probe_ends_an_automatic_bench() -> None:
    provider = Scripted({"a": [status(500), speak("OK")]})
    async with running(chain_of(provider, "a", policy=ONCE)) as (engine, heard):
        await let_a_fail(engine, heard)
        found = await engine.probe("p/a")
        assert (found.ok, found.brought_back, found.state) == (True, True, "live")
        assert heard.facts("why") == [("model.unbenched", "success")]


@virtual
async def test_a_probe_that_fails_leaves_a_bench_as_it_is() -> None:
    provider = Scripted({"a": [status(500), status(429, retry_after_s=900.0)]})
    async with running(chain_of(provider, "a", policy=ONCE)) as (engine, heard):
        await let_a_fail(engine, heard)
        await pass_time(10)
        found = await engine.probe("p/a")
        assert (found.ok, found.brought_back, found.state) == (False, False, "benched")
        (out,) = engine.benched()
        assert out.level == 1
        assert out.remaining_s == pytest.approx(50.0)
        assert heard.facts() == []


@pytest.mark.parametrize(
    ("brings", "level", "state"), [(speak("OK"), 0, "live"), (status(500), 2, "benched")]
)
@virtual
async def test_a_probe_of_a_model_that_is_due_is_its_trial(brings: Any, level: int, state: str) -> None:
    provider = Scripted({"a": [status(500), brings], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_fail(engine, heard)
        await pass_time(61)
        found = await engine.probe("p/a")
        assert (found.ok, found.brought_back, found.state) == (not level, not level, state)
        assert trials(heard) == [("probe", None), ("probe", "failure" if level else "success")]
        assert [out.level for out in engine.benched()] == ([level] if level else [])


@virtual
async def test_an_answer_to_a_probe_settles_the_trial_that_a_request_has_taken() -> None:
    provider = Scripted({"a": [status(500), HANG, speak("OK")], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_fail(engine, heard)
        await pass_time(61)
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(1)
        assert (await engine.probe("p/a")).brought_back
        assert state_of(engine) == "live"
        assert (await asking).model == "p/b"
        assert state_of(engine) == "live"
        assert len([outcome for _, outcome in trials(heard) if outcome]) == 1


@virtual
async def test_a_hold_outlasts_a_probe_that_succeeds() -> None:
    provider = Scripted({"a": [status(500), speak("OK")]})
    async with running(chain_of(provider, "a", policy=ONCE)) as (engine, heard):
        await let_a_fail(engine, heard)
        engine.bench("p/a", for_=10, reason="cost", by="alice")
        found = await engine.probe("p/a")
        assert (found.ok, found.brought_back, found.state) == (True, False, "held")
        await pass_time(11)
        assert state_of(engine) == "live"  # the automatic bench below it is gone


@virtual
async def test_a_probe_tries_a_dead_key_and_brings_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "key-number-one")
    provider = Scripted({"a": [status(401), speak("OK")]})
    keys = (KeySource("one", env="ONE"),)
    async with running(chain_of(provider, "a", keys=keys, policy=ONCE)) as (engine, heard):
        await let_a_fail(engine, heard)
        assert [out.name for out in engine.benched()] == ["p#one"]
        found = await engine.probe("p/a")
        assert (found.ok, found.brought_back, found.state) == (True, True, "live")
        assert [event.key for event in heard.of("key.unbenched")] == ["p#one"]


@virtual
async def test_a_model_without_a_key_is_not_probed_and_the_answer_says_which_is_missing() -> None:
    provider = Scripted({"a": ["no"]})
    async with running(chain_of(provider, "a", keys=(KeySource("one", env="NOT_SET_ANYWHERE"),))) as (
        engine,
        _,
    ):
        found = await engine.probe("p/a")
    assert not found.ok
    assert found.error is not None
    assert "NOT_SET_ANYWHERE is not set" in found.error
    assert provider.calls == []


@virtual
async def test_an_alias_may_be_probed_and_an_unknown_name_may_not() -> None:
    provider = Scripted({"a": [speak("OK")]})
    config = Config(
        providers={"p": ProviderConfig("p", adapter=provider)},
        aliases={"cheap": ("p/a",)},
        chains={"main": ChainConfig("main", ("cheap",))},
    )
    async with running(config) as (engine, _):
        assert (await engine.probe("cheap")).model == "p/a"
        with pytest.raises(UnknownTarget):
            await engine.probe("cheep")


@virtual
async def test_a_held_model_is_not_probed_until_the_hold_is_over() -> None:
    provider = Scripted({"a": [status(503), "back"], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=PROBED)) as (engine, heard):
        await let_a_fail(engine, heard)
        engine.bench("p/a", for_=1000)
        await pass_time(400)
        assert [event.model for event in heard.of("model.due")] == ["p/a"]
        assert provider.models() == ["a", "b"]
        await pass_time(700)
        assert provider.models() == ["a", "b", "a"]
        assert state_of(engine) == "live"


def test_a_bench_that_ran_out_while_no_loop_was_running_is_probed_once_a_request_meets_it() -> None:
    provider = Scripted({"a": [status(503), "back"], "b": ["from b"]})
    now = [0.0]
    engine = Engine(chain_of(provider, "a", "b", policy=PROBED), clock=lambda: now[0])

    async def ask() -> None:
        await engine.complete("main", "hi")

    async def ask_until_a_is_back() -> None:
        back = asyncio.Event()
        with engine.observe(lambda event: back.set() if event.event == "model.unbenched" else None):
            await ask()
            await back.wait()
        await engine.aclose()

    asyncio.run(ask())
    now[0] = 61.0
    assert state_of(engine) == "due"
    asyncio.run(asyncio.wait_for(ask_until_a_is_back(), 30))
    assert provider.models() == ["a", "b", "b", "a"]
