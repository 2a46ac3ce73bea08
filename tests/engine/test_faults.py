"""The faults that break others, each by its name."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from engine.config.model import Config, ModelConfig, ProviderConfig
from engine.errors import AllBenched, ChainExhausted, DeadlineExceeded, StandbyError, StreamInterrupted
from engine.messages import Delta
from engine.policy import Backoff, Policy, Timeouts
from engine.providers.base import Call, End, Finish, Signal
from tests.over_sockets import PROTOCOLS, QUICK, Protocol, engine_over
from tests.scripted import HANG, After, Parts, Scripted, cancelled, chain_of, running, speak, status
from tests.upstream import steps
from tests.virtual_time import pass_time, virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0), cooldown=60.0)


# prefill_refused_by_the_fallback


@virtual
async def test_a_prefill_refused_by_the_fallback_costs_the_caller_nothing() -> None:
    def no_prefill(call: Call) -> Any:
        return status(400) if call.messages[-1]["role"] == "assistant" else speak("whole")

    broken = Parts([[Delta("half")], Signal("connection")])
    provider = Scripted({"a": [broken], "b": no_prefill})
    policy = ONCE.replace(mid_stream="continue", on_request_error="raise")
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            texts = [(delta.text, delta.restart) async for delta in stream]
        assert texts == [("half", False), ("", True), ("whole", False)]
        assert [out.name for out in engine.benched()] == ["p/a"]
    assert heard.names()[-1] == "request.succeeded"


# a_429_storm_shared_by_50_requests


@virtual
async def test_a_429_storm_shared_by_50_requests_is_one_bench_and_no_stampede_follows() -> None:
    storm = After(0.5, status(429, retry_after_s=42.0))
    provider = Scripted({"a": [*[storm] * 50, After(1, "calm")], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        replies = await asyncio.gather(*(engine.complete("main", "hi") for _ in range(50)))
        assert {reply.model for reply in replies} == {"p/b"}
        (benched,) = heard.of("model.benched")
        assert (benched.for_s, benched.level) == (42.0, 1)
        assert [event.benched for event in heard.of("attempt.failed")].count(True) == 1
        await pass_time(42)
        before = len(provider.calls)
        replies = await asyncio.gather(*(engine.complete("main", "hi") for _ in range(50)))
        assert [reply.model for reply in replies].count("p/a") == 1
        assert provider.models()[before:].count("a") == 1


@virtual
async def test_a_429_storm_on_the_only_model_is_waited_out_by_all_and_one_goes_first() -> None:
    storm = After(0.5, status(429, retry_after_s=42.0))
    provider = Scripted({"a": [*[storm] * 50, After(1, "calm")]})
    policy = ONCE.replace(when_all_benched="wait")
    async with running(chain_of(provider, "a", policy=policy)) as (engine, heard):
        ends = await asyncio.gather(
            *(engine.complete("main", "hi") for _ in range(50)), return_exceptions=True
        )
        assert {type(end) for end in ends} == {ChainExhausted}
        assert len(heard.of("model.benched")) == 1
        asking = [asyncio.create_task(engine.complete("main", "hi")) for _ in range(50)]
        await pass_time(42.5)
        assert len(provider.calls) == 51
        assert {reply.text for reply in await asyncio.gather(*asking)} == {"calm"}
        assert len(provider.calls) == 100
        assert len(heard.of("model.benched")) == 1


# truncated_stream_reported_as_success


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "step", [steps.cut(after=1), steps.cut(after=1, reset=True), steps.no_finish(after=1)]
)
async def test_a_truncated_stream_is_never_reported_as_success(protocol: Protocol, step: Any) -> None:
    policy = QUICK.replace(when_all_benched="fail")
    async with engine_over(protocol, "a", policy=policy) as (engine, up, heard):
        up.script("a", step)
        async with engine.stream("main", "hi") as stream:
            with pytest.raises(StreamInterrupted) as caught:
                _ = [delta async for delta in stream]
        assert caught.value.text == "Hello"
        assert stream.reply is None
        assert engine.is_benched("p/a")
        assert not {"attempt.succeeded", "request.succeeded", "model.unbenched"} & set(heard.names())
        with pytest.raises(AllBenched):
            await engine.complete("main", "hi")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_plain_answer_that_is_cut_is_never_reported_as_success(protocol: Protocol) -> None:
    async with engine_over(protocol) as (engine, up, heard):
        up.script("a", steps.cut())
        assert (await engine.complete("main", "hi")).model == "p/b"
        assert [event.model for event in heard.of("attempt.succeeded")] == ["p/b"]
        assert engine.is_benched("p/a")


# a_shorter_retry_after_after_a_longer_one


@virtual
async def test_a_shorter_retry_after_after_a_longer_one_brings_nobody_back_sooner() -> None:
    long, short = After(1, status(429, retry_after_s=90.0)), After(2, status(429, retry_after_s=5.0))
    provider = Scripted({"a": [long, short], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await asyncio.gather(*(engine.complete("main", "hi") for _ in range(2)))
        assert [out.remaining_s for out in engine.benched()] == [pytest.approx(89.0)]
        assert [event.for_s for event in heard.of("model.benched")] == [90.0]
        with suppress(StandbyError):  # asked on the bench, for nobody else is left
            await engine.complete("p/a", "hi")
        assert [out.remaining_s for out in engine.benched()] == [pytest.approx(87.0)]


@virtual
async def test_a_short_retry_after_that_ends_a_request_makes_no_bench_shorter_than_its_cooldown() -> None:
    provider = Scripted({"a": [status(429, retry_after_s=1.0)], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, _):
        await engine.complete("main", "hi")
        assert [out.for_s for out in engine.benched()] == [60.0]


# cancelled_trial


@pytest.mark.parametrize("mode", ["complete", "stream", "embed"])
@virtual
async def test_a_cancelled_trial_neither_benches_nor_blocks_the_model(mode: str) -> None:
    provider = Scripted({"a": [status(500)], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await engine.complete("main", "hi")
        await pass_time(60.01)
        provider.scripts = {"a": [HANG], "b": ["from b"]}

        async def ask() -> None:
            if mode == "stream":
                async with engine.stream("main", "hi"):
                    pytest.fail("entered")
            elif mode == "embed":
                await engine.embed("main", "hi")
            else:
                await engine.complete("main", "hi")

        trial = asyncio.create_task(ask())
        await pass_time(1)
        await cancelled(trial)
        assert [event.outcome for event in heard.of("model.trial")] == [None, "given_back"]
        assert len(heard.of("model.benched")) == 1
        provider.scripts = {"a": ["back"]}
        assert (await engine.complete("main", "hi")).model == "p/a"


# unbench_while_a_failure_is_in_flight


@virtual
async def test_unbench_while_a_failure_is_in_flight_is_not_undone_by_it() -> None:
    late = After(10, status(500))
    provider = Scripted({"a": [status(500), late, late, "fine"], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await engine.complete("main", "hi")
        tries = [asyncio.create_task(engine.complete("p/a", "hi")) for _ in range(2)]
        await pass_time(1)
        assert engine.unbench("p/a", by="alice")
        await asyncio.gather(*tries, return_exceptions=True)
        assert len(heard.of("attempt.failed")) == 3
        assert engine.benched() == []
        assert len(heard.of("model.benched")) == 1
        assert (await engine.complete("main", "hi")).model == "p/a"


# callers_timeout_benching_a_model


@virtual
async def test_a_caller_who_gives_up_benches_no_model() -> None:
    provider = Scripted({"a": [HANG], "b": ["no"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await engine.complete("main", "hi")
            with pytest.raises(DeadlineExceeded):
                await engine.complete("main", "hi", deadline=0.01)
            asking = asyncio.create_task(engine.complete("main", "hi"))
            await pass_time(0.01)
            await cancelled(asking)
        assert engine.benched() == []
        assert heard.of("attempt.failed") == []
        assert [event.why for event in heard.of("attempt.cancelled")] == ["caller", "deadline", "caller"] * 3
    assert provider.models() == ["a"] * 9


@pytest.mark.parametrize("mode", ["complete", "stream", "embed"])
@virtual
async def test_a_callers_timeout_moves_on_to_the_next_model_and_benches_nobody(mode: str) -> None:
    provider = Scripted({"a": [HANG], "b": ["fine"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        for _ in range(3):
            match mode:
                case "complete":
                    assert (await engine.complete("main", "hi", timeout=0.01)).model == "p/b"
                case "embed":
                    assert (await engine.embed("main", "hi", timeout=0.01)).model == "p/b"
                case _:
                    async with engine.stream("main", "hi", timeout=0.01) as stream:
                        assert stream.model == "p/b"
        assert engine.benched() == []
        assert [each.failures for each in engine.status()] == [0, 0]
        failed = heard.of("attempt.failed")
        assert [(event.reason, event.benched, event.next_model) for event in failed] == [
            ("timeout", False, "p/b")
        ] * 3
        assert "no complete answer within 0.01s" in failed[0].message


@virtual
async def test_a_callers_timeout_on_the_only_model_is_retried_as_any_failure_and_benches_nobody() -> None:
    provider = Scripted({"a": [HANG]})
    async with running(chain_of(provider, "a", policy=ONCE.replace(attempts=3))) as (engine, _):
        with pytest.raises(ChainExhausted) as caught:
            await engine.complete("main", "hi", timeout=0.01)
        assert [cause.reason for cause in caught.value.causes] == ["timeout"] * 3
        assert engine.benched() == []
    assert len(provider.calls) == 3


@virtual
async def test_a_callers_timeout_gives_a_trial_back() -> None:
    provider = Scripted({"a": [status(500), HANG, "back"], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await engine.complete("main", "hi")
        await pass_time(60.01)
        assert (await engine.complete("main", "hi", timeout=0.01)).model == "p/b"
        assert [event.outcome for event in heard.of("model.trial")] == [None, "given_back"]
        assert (await engine.complete("main", "hi")).model == "p/a"


@virtual
async def test_a_callers_timeout_in_the_middle_of_a_stream_benches_nobody() -> None:
    slow = Parts([[Delta("so")], 5.0, [Delta(" far")], [Finish("stop"), End()]])
    provider = Scripted({"a": [slow], "b": [speak("b")]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, _):
        async with engine.stream("main", "hi", timeout=3) as stream:
            with pytest.raises(StreamInterrupted) as caught:
                _ = [delta async for delta in stream]
        assert (caught.value.text, caught.value.cause.reason) == ("so", "timeout")
        assert engine.benched() == []


@virtual
async def test_a_callers_timeout_above_the_models_own_limit_is_the_models_failure() -> None:
    provider = Scripted({"a": [After(15, "slow but fine"), HANG], "b": ["fine"]})
    config = Config(
        providers={"p": ProviderConfig("p", adapter=provider, models={"a": ModelConfig({"attempt": 10.0})})},
        chains=chain_of(provider, "a", "b", policy=ONCE).chains,
    )
    async with running(config) as (engine, _):
        # What the caller allows replaces the limit; only who uses up both has failed.
        assert (await engine.complete("main", "hi", timeout=20)).model == "p/a"
        reply = await engine.complete("main", "hi", timeout=20)
        assert reply.model == "p/b"
        assert reply.elapsed_s == pytest.approx(20.0)
        assert engine.is_benched("p/a")


@virtual
async def test_the_limits_of_the_policy_go_on_to_count_beside_a_callers_timeout() -> None:
    provider = Scripted({"a": [HANG], "b": [speak("fine")]})
    policy = ONCE.replace(timeouts=Timeouts(first_token=5))
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        async with engine.stream("main", "hi", timeout=20) as stream:
            assert stream.model == "p/b"
        assert engine.is_benched("p/a")
        assert [event.reason for event in heard.of("attempt.failed")] == ["first_token_timeout"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_callers_timeout_benches_nobody_over_the_wire_either(protocol: Protocol) -> None:
    async with engine_over(protocol) as (engine, up, _):
        up.script("a", steps.hang())
        # The same limit holds for `b`, which a busy machine may not meet, either.
        with suppress(ChainExhausted):
            await engine.complete("main", "hi", timeout=0.5)
        await up.requests_for("a")[0].closed.wait()
        assert engine.benched() == []
