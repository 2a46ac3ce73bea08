"""Every model on the bench, in virtual time: what `try`, `wait` and `fail` do then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from engine.config.model import ChainConfig, Config, KeySource, ProviderConfig
from engine.engine import Engine
from engine.errors import AllBenched, ChainExhausted, NoUsableModel, StandbyError
from engine.events import Event, ModelSkipped
from engine.policy import Backoff, Policy
from engine.providers.base import Provider
from tests.scripted import After, Heard, Scripted, chain_of, running, speak, status
from tests.virtual_time import pass_time, virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0), cooldown=60.0)
TRY = ONCE
WAIT = ONCE.replace(when_all_benched="wait")
FAIL = ONCE.replace(when_all_benched="fail")


async def bench_all(engine: Engine, heard: Heard) -> None:
    with suppress(StandbyError):
        await engine.complete("main", "hi")
    heard.clear()


def now() -> float:
    return asyncio.get_running_loop().time()


# wait


@virtual
async def test_waiting_ends_when_the_first_model_is_due_and_its_trial_is_taken() -> None:
    provider = Scripted({"a": [status(500), "a"], "b": [status(429, retry_after_s=40.0), "b again"]})
    async with running(chain_of(provider, "a", "b", policy=WAIT)) as (engine, heard):
        await bench_all(engine, heard)
        reply = await engine.complete("main", "hi")
        assert reply.text == "b again"
        assert reply.elapsed_s == pytest.approx(40.0, abs=0.01)
        assert [event.trial for event in heard.of("attempt.started")] == [True]
        assert [event.model for event in heard.of("model.skipped")] == ["p/a", "p/b"]


@virtual
async def test_of_two_that_are_back_at_once_the_first_of_the_chain_is_asked() -> None:
    provider = Scripted({"a": [status(500), "a again"], "b": [status(500), "b again"]})
    async with running(chain_of(provider, "a", "b", policy=WAIT)) as (engine, heard):
        await bench_all(engine, heard)
        assert (await engine.complete("main", "hi")).text == "a again"


@virtual
async def test_a_model_that_comes_back_while_the_others_are_passed_over_is_asked() -> None:
    provider = Scripted({"a": ["a again"], "b": ["b"]})
    async with running(chain_of(provider, "a", "b", policy=FAIL)) as (engine, _):
        engine.bench("p/a")
        engine.bench("p/b")

        def bring_a_back(event: Event) -> None:
            if isinstance(event, ModelSkipped) and event.model == "p/b":
                engine.unbench("p/a")

        engine.observe(bring_a_back)
        assert (await engine.complete("main", "hi")).text == "a again"


@pytest.mark.parametrize("max_wait", [7.0, 1000.0])
@virtual
async def test_of_fifty_that_wait_one_takes_the_trial_and_then_all_go(max_wait: float) -> None:
    provider = Scripted({"a": [status(500), After(4, "back"), "and on"]})
    policy = WAIT.replace(max_wait=max_wait)
    async with running(chain_of(provider, "a", policy=policy)) as (engine, heard):
        await bench_all(engine, heard)
        asking = [asyncio.create_task(engine.complete("main", "hi")) for _ in range(50)]
        await pass_time(62)
        assert provider.open == 1
        assert len(provider.calls) == 2
        replies = await asyncio.gather(*asking)
        assert [reply.text for reply in replies].count("back") == 1
        assert max(reply.elapsed_s for reply in replies) == pytest.approx(64.0, abs=0.02)
        assert len(provider.calls) == 51
        assert [event.outcome for event in heard.of("model.trial")] == [None, "success"]


@virtual
async def test_when_the_trial_they_wait_for_fails_they_wait_for_the_next_one() -> None:
    provider = Scripted({"a": [status(500), After(4, status(500)), "back"]})
    async with running(chain_of(provider, "a", policy=WAIT)) as (engine, heard):
        await bench_all(engine, heard)
        asking = [asyncio.create_task(engine.complete("main", "hi")) for _ in range(5)]
        ends = await asyncio.gather(*asking, return_exceptions=True)
        failed = [end for end in ends if isinstance(end, BaseException)]
        assert [type(end) for end in failed] == [ChainExhausted]
        assert len(provider.calls) == 2 + 4
        assert now() == pytest.approx(60 + 4 + 120, abs=0.02)


@virtual
async def test_a_wait_that_would_outlast_the_deadline_is_not_begun() -> None:
    provider = Scripted({"a": [status(500), "back"]})
    async with running(chain_of(provider, "a", policy=WAIT)) as (engine, heard):
        await bench_all(engine, heard)
        await pass_time(10)
        with pytest.raises(AllBenched) as caught:
            await engine.complete("main", "hi", deadline=50.0)
        assert now() == 10.0
        assert caught.value.retry_after_s == pytest.approx(50.0)
        assert (await engine.complete("main", "hi", deadline=50.1)).text == "back"


@virtual
async def test_a_trial_under_way_is_waited_for_though_it_might_outlast_the_deadline() -> None:
    provider = Scripted({"a": [status(500), After(4, "back"), "and on"]})
    async with running(chain_of(provider, "a", policy=WAIT)) as (engine, heard):
        await bench_all(engine, heard)
        await pass_time(60.01)
        replies = await asyncio.gather(
            engine.complete("main", "hi"), engine.complete("main", "hi", deadline=20)
        )
        assert [reply.text for reply in replies] == ["back", "and on"]


@pytest.mark.parametrize("state", ["benched", "on_trial", "held", "awaits_probe"])
@virtual
async def test_who_must_never_sleep_never_does_and_never_spins(state: str) -> None:
    provider = Scripted({"a": [status(500), After(20, "back")]})
    policy = WAIT.replace(max_wait=0.0, trial="probe" if state == "awaits_probe" else "request")
    async with running(chain_of(provider, "a", policy=policy)) as (engine, heard):
        trial = None
        if state == "held":
            engine.bench("p/a", for_=5)
        else:
            await bench_all(engine, heard)
        if state in ("on_trial", "awaits_probe"):
            await pass_time(60.01)
        if state == "on_trial":
            trial = asyncio.create_task(engine.complete("main", "hi"))
            await pass_time(1)
        before = now()
        with pytest.raises(AllBenched):
            await engine.complete("main", "hi")
        assert now() == before
        if trial:
            await trial


@virtual
async def test_who_waits_for_a_model_that_awaits_its_probe_goes_on_when_that_succeeds() -> None:
    provider = Scripted({"a": [status(500), After(3, speak("OK")), "back"]})
    policy = WAIT.replace(trial="probe")
    async with running(chain_of(provider, "a", policy=policy)) as (engine, heard):
        await bench_all(engine, heard)
        replies = await asyncio.gather(*(engine.complete("main", "hi") for _ in range(10)))
        assert {reply.text for reply in replies} == {"back"}
        assert now() == pytest.approx(63.0, abs=0.02)
        assert len(provider.calls) == 12


@virtual
async def test_a_model_whose_probe_is_about_to_begin_is_passed_over_as_due() -> None:
    provider = Scripted({"a": [status(500), speak("OK"), "back"], "b": ["from b"]})
    policy = WAIT.replace(trial="probe")
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        await engine.complete("main", "hi")
        await pass_time(60)
        assert (await engine.complete("main", "hi")).model == "p/b"
        (skipped,) = heard.of("model.skipped")
        assert (skipped.model, skipped.why, skipped.until) == ("p/a", "due", None)


@virtual
async def test_nobody_waits_for_what_has_no_end() -> None:
    provider = Scripted({"a": ["a"]})
    async with running(chain_of(provider, "a", policy=WAIT)) as (engine, _):
        engine.bench("p/a", by="alice")
        with pytest.raises(AllBenched):
            await engine.complete("main", "hi")
        assert now() == 0.0


@virtual
async def test_a_hold_with_an_end_is_waited_for_and_has_no_trial() -> None:
    provider = Scripted({"a": ["a"]})
    async with running(chain_of(provider, "a", policy=WAIT)) as (engine, heard):
        engine.bench("p/a", for_=45, by="alice")
        replies = await asyncio.gather(*(engine.complete("main", "hi") for _ in range(3)))
        assert [reply.elapsed_s for reply in replies] == [pytest.approx(45.0, abs=0.01)] * 3
        assert heard.of("model.trial") == []


# fail


@virtual
async def test_fail_says_who_why_and_until_when() -> None:
    provider = Scripted({"a": [status(429, retry_after_s=90.0)], "b": [status(500)], "c": ["c"]})
    async with running(chain_of(provider, "a", "b", "c", policy=FAIL)) as (engine, heard):
        engine.bench("p/c", reason="cost", by="alice")
        await bench_all(engine, heard)
        with pytest.raises(AllBenched) as caught:
            await engine.complete("main", "hi")
        until = {out.name: out.until for out in engine.benched()}
    error = caught.value
    assert error.models == ("p/a", "p/b", "p/c")
    assert error.retry_after_s == pytest.approx(60.0)
    for part in (
        f"p/a benched until {until['p/a']} (rate_limited)",
        f"p/b benched until {until['p/b']} (server_error)",
        "p/c held by alice without end (cost)",
    ):
        assert part in str(error)
    (failed,) = heard.of("request.failed")
    assert (failed.error, failed.retry_after_s) == ("AllBenched", pytest.approx(60.0))
    assert heard.of("attempt.started") == []


@virtual
async def test_fail_takes_the_trial_of_what_is_due_and_tells_of_one_that_is_taken() -> None:
    provider = Scripted({"a": [status(500), After(5, "back")]})
    async with running(chain_of(provider, "a", policy=FAIL)) as (engine, heard):
        await bench_all(engine, heard)
        await pass_time(60.01)
        trial = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(1)
        with pytest.raises(AllBenched, match=r"p/a on trial after a bench \(server_error\)"):
            await engine.complete("main", "hi")
        assert (await trial).text == "back"


# try


@virtual
async def test_try_asks_the_one_due_soonest_first_and_then_the_others() -> None:
    back_in = {"a": 90.0, "b": 30.0, "c": 60.0}
    provider = Scripted({name: [status(429, retry_after_s=end)] for name, end in back_in.items()})
    async with running(chain_of(provider, "a", "b", "c", policy=TRY)) as (engine, heard):
        await bench_all(engine, heard)
        before = engine.benched()
        provider.calls.clear()
        with pytest.raises(ChainExhausted) as caught:
            await engine.complete("main", "hi")
        assert provider.models() == ["b", "c", "a"]
        assert caught.value.retry_after_s == pytest.approx(30.0)
        # What was tried while benched moves neither end nor level.
        assert engine.benched() == before
        assert heard.facts(of="model.b") == []


@virtual
async def test_try_never_asks_who_is_held_or_has_a_dead_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "key-number-one")
    script: dict[str, list[Any]] = {"a": [status(401)], "b": ["b"], "c": [status(500), "c again"]}
    provider = Scripted(script)
    keyed = ProviderConfig("k", adapter=provider, keys=(KeySource("one", env="ONE"),))
    config = Config(
        providers={"k": keyed, "p": ProviderConfig("p", adapter=provider)},
        chains={"main": ChainConfig("main", ("k/a", "p/b", "p/c"), TRY)},
    )
    async with running(config) as (engine, heard):
        engine.bench("p/b", by="alice")
        await bench_all(engine, heard)
        assert provider.models() == ["a", "c"]
        assert (await engine.complete("main", "hi")).text == "c again"
        engine.bench("p/c", by="alice")
        with pytest.raises(AllBenched, match=r"k#one benched until .* \(invalid_key\)"):
            await engine.complete("main", "hi")
        assert provider.models() == ["a", "c", "c"]


# Nobody who could be asked at all


@virtual
async def test_a_model_whose_adapter_cannot_be_built_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Scripted({"a": ["a"]})
    monkeypatch.setattr("engine.engine.build_provider", _builder_of(provider))
    config = chain_of(provider, "a", policy=TRY)
    config = Config(
        providers={**config.providers, "q": ProviderConfig("q", base_url="http://broken.invalid")},
        chains=config.chains,
    )
    async with running(config) as (engine, heard):
        assert (await engine.complete("q/x, p/a", "hi")).model == "p/a"
        (skipped,) = heard.of("model.skipped")
        assert (skipped.model, skipped.why) == ("q/x", "unresolved")
        with pytest.raises(NoUsableModel, match="its provider can't be set up: ValueError: no such thing"):
            await engine.complete("q/x", "hi")
        engine.bench("p/a", by="alice")
        with pytest.raises(AllBenched) as caught:
            await engine.complete("q/x, p/a", "hi")
        assert caught.value.models == ("p/a",)


def _builder_of(provider: Scripted) -> Callable[[ProviderConfig], Provider]:
    def build(config: ProviderConfig) -> Provider:
        if config.adapter is None:
            raise ValueError("no such thing")
        return provider

    return build
