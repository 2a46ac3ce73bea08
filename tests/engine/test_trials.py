"""Trials, in virtual time: who tries a model whose bench has run out, and how that ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from engine.config.model import KeySource
from engine.engine import Engine
from engine.errors import DeadlineExceeded, StandbyError, StreamInterrupted
from engine.messages import Delta
from engine.policy import Backoff, Policy, Timeouts
from engine.providers.base import End, Finish, Signal
from tests.scripted import HANG, After, Heard, Parts, Scripted, cancelled, chain_of, running, speak, status
from tests.virtual_time import pass_time, virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0), cooldown=60.0)
DUE_S = 60.0

TAKEN = ("model.trial", None)
PASSED = [("model.trial", "success"), ("model.unbenched", "success")]


async def let_a_be_due(engine: Engine, heard: Heard) -> None:
    """Has `a` fail, and waits until its bench has run out."""
    with suppress(StandbyError):
        await engine.complete("main", "hi")
    assert engine.is_benched("p/a")
    await pass_time(DUE_S + 0.01)
    assert not engine.is_benched("p/a")
    heard.clear()


def state_of(engine: Engine, model: str = "p/a") -> str:
    return next(each.state for each in engine.status() if each.model == model)


@virtual
async def test_exactly_one_of_fifty_takes_the_trial_and_the_others_are_told_so() -> None:
    provider = Scripted({"a": [status(500), After(2, "back")], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        assert state_of(engine) == "due"
        asking = [asyncio.create_task(engine.complete("main", "hi")) for _ in range(50)]
        await pass_time(1)
        assert state_of(engine) == "on_trial"
        assert [out.on_trial for out in engine.benched()] == [True]
        replies = await asyncio.gather(*asking)
        assert Counter(reply.model for reply in replies) == {"p/a": 1, "p/b": 49}
        assert Counter(event.why for event in heard.of("model.skipped")) == {"on_trial": 49}
        on_trial = [event.model for event in heard.of("attempt.started") if event.trial]
        assert on_trial == ["p/a"]
        assert (await engine.complete("main", "hi")).model == "p/a"
        assert not heard.of("attempt.started")[-1].trial


@virtual
async def test_the_end_of_a_bench_is_told_when_it_comes_and_not_when_somebody_asks() -> None:
    provider = Scripted({"a": [status(500)], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await engine.complete("main", "hi")
        heard.clear()
        await pass_time(DUE_S - 0.01)
        assert heard == []
        await pass_time(0.02)
        assert heard.facts("model") == [("model.due", "p/a")]
        await pass_time(DUE_S)
        assert len(heard) == 1


@virtual
async def test_a_trial_that_succeeds_brings_the_model_back_once() -> None:
    provider = Scripted({"a": [status(500), "back"], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        await engine.complete("main", "hi")
        await engine.complete("main", "hi")
        assert heard.facts("outcome", "why") == [TAKEN, *PASSED]
        assert {event.by for event in heard.of("model.trial")} == {"request"}
        assert heard.names()[:6] == [
            "request.started",
            "model.trial",
            "attempt.started",
            "attempt.succeeded",
            "model.trial",
            "model.unbenched",
        ]
        assert state_of(engine) == "live"


@virtual
async def test_a_trial_that_fails_benches_a_level_up_for_twice_as_long() -> None:
    provider = Scripted({"a": [status(500)], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        assert (await engine.complete("main", "hi")).model == "p/b"
        assert heard.facts("outcome", "level", "for_s") == [
            TAKEN,
            ("model.trial", "failure"),
            ("model.benched", 2, 120.0),
        ]
        (failed,) = heard.of("attempt.failed")
        assert (failed.benched, failed.benched_for_s, failed.next_model) == (True, 120.0, "p/b")
        assert [(out.level, out.failures, out.for_s) for out in engine.benched()] == [(2, 2, 120.0)]


@pytest.mark.parametrize("brings", [status(500), status(429, retry_after_s=1.0), Signal("connection"), ""])
@virtual
async def test_a_trial_is_one_call(brings: Any) -> None:
    provider = Scripted({"a": [status(401), brings], "b": ["from b"]})
    policy = ONCE.replace(attempts=5)
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        await let_a_be_due(engine, heard)
        await engine.complete("main", "hi")
        assert engine.is_benched("p/a")
    assert provider.models() == ["a", "b", "a", "b"]


@virtual
async def test_a_cancelled_trial_is_given_back_and_the_next_request_takes_it() -> None:
    provider = Scripted({"a": [status(500), HANG, "back"], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(1)
        await cancelled(asking)
        assert state_of(engine) == "due"
        assert (await engine.complete("main", "hi")).model == "p/a"
        assert heard.facts("outcome", "why") == [TAKEN, ("model.trial", "given_back"), TAKEN, *PASSED]


@virtual
async def test_a_trial_that_says_nothing_of_the_model_is_given_back() -> None:
    provider = Scripted({"a": [status(500), status(400), status(422), "back"], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        for _ in range(2):
            assert (await engine.complete("main", "hi")).model == "p/b"
            assert state_of(engine) == "due"
        assert (await engine.complete("main", "hi")).model == "p/a"
        given_back = [TAKEN, ("model.trial", "given_back")]
        assert heard.facts("outcome", "why") == [*given_back, *given_back, TAKEN, *PASSED]


@virtual
async def test_a_trial_that_the_deadline_cuts_is_given_back() -> None:
    provider = Scripted({"a": [status(500), HANG], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        with pytest.raises(DeadlineExceeded):
            await engine.complete("main", "hi", deadline=3)
        assert heard.facts("outcome") == [TAKEN, ("model.trial", "given_back")]
        assert state_of(engine) == "due"


THINKS = Parts([[Delta(reasoning="hm")], [Delta("back")], [Finish("stop"), End()]])
LEASE = ONCE.replace(timeouts=Timeouts(attempt=20))


@virtual
async def test_a_trial_that_nobody_settles_lapses_after_its_timeout_and_ten_seconds() -> None:
    provider = Scripted({"a": [status(500), THINKS, "back"], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=LEASE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        async with engine.stream("main", "hi"):  # which nobody reads beyond the reasoning
            await pass_time(29.9)
            assert (await engine.complete("main", "hi")).model == "p/b"
            await pass_time(0.2)
            assert heard.facts("outcome")[-1] == ("model.trial", "lapsed")
            assert state_of(engine) == "due"
            assert (await engine.complete("main", "hi")).model == "p/a"
            assert state_of(engine) == "live"
        outcomes = [event.outcome for event in heard.of("model.trial")]
        assert outcomes == [None, "lapsed", None, "success"]


@virtual
async def test_an_answer_that_comes_after_its_trial_lapsed_brings_the_model_back_all_the_same() -> None:
    provider = Scripted({"a": [status(500), THINKS], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=LEASE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        async with engine.stream("main", "hi") as stream:
            await pass_time(31)
            assert "".join([delta.text async for delta in stream]) == "back"
        assert heard.facts("outcome", "why") == [TAKEN, ("model.trial", "lapsed"), PASSED[1]]


@virtual
async def test_a_streams_trial_is_passed_with_its_first_content_and_a_later_break_is_a_fresh_failure() -> (
    None
):
    broken = Parts([[Delta(reasoning="hm")], [Delta("so")], 1.0, Signal("connection")])
    provider = Scripted({"a": [status(500), broken], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        async with engine.stream("main", "hi") as stream:
            assert state_of(engine) == "on_trial"
            deltas = aiter(stream)
            assert (await anext(deltas)).reasoning == "hm"
            assert state_of(engine) == "on_trial"
            assert (await anext(deltas)).text == "so"
            assert state_of(engine) == "live"
            with pytest.raises(StreamInterrupted):
                await anext(deltas)
        assert heard.facts("outcome", "why", "level", "failures") == [
            TAKEN,
            *PASSED,
            ("model.benched", 2, 1),
        ]


@virtual
async def test_a_stream_that_was_on_trial_when_somebody_unbenched_its_model_benches_it_no_more() -> None:
    broken = Parts([[Delta(reasoning="hm")], 5.0, [Delta("so")], Signal("connection")])
    provider = Scripted({"a": [status(500), broken], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        async with engine.stream("main", "hi") as stream:
            assert engine.unbench("p/a", by="alice")
            with pytest.raises(StreamInterrupted):
                _ = [delta async for delta in stream]
        assert not engine.is_benched("p/a")
        assert [event.outcome for event in heard.of("model.trial")] == [None, "given_back"]


@virtual
async def test_a_stream_that_breaks_before_its_first_content_has_failed_its_trial() -> None:
    broken = Parts([[Delta(reasoning="hm")], Signal("connection")])
    provider = Scripted({"a": [status(500), broken], "b": [speak("fine")]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        async with engine.stream("main", "hi") as stream:
            assert "".join([delta.text async for delta in stream]) == "fine"
        assert heard.facts("outcome", "level") == [
            TAKEN,
            ("model.trial", "failure"),
            ("model.benched", 2),
        ]


@virtual
async def test_a_dead_key_during_a_trial_gives_way_to_the_next_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "key-number-one")
    monkeypatch.setenv("TWO", "key-number-two")
    answers: list[Any] = [status(500), status(401), "back"]
    provider = Scripted({"a": answers, "b": ["from b"]})
    keys = (KeySource("one", env="ONE"), KeySource("two", env="TWO"))
    async with running(chain_of(provider, "a", "b", keys=keys, policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        assert (await engine.complete("main", "hi")).model == "p/a"
        assert [event.trial for event in heard.of("attempt.started")] == [True, True]
        assert heard.facts("outcome", "why") == [TAKEN, ("model.trial", "given_back"), TAKEN, *PASSED]
        assert [event.reason for event in heard.of("key.benched")] == ["invalid_key"]


@virtual
async def test_an_operator_who_unbenches_a_model_on_trial_has_the_last_word() -> None:
    provider = Scripted({"a": [status(500), After(5, status(500)), "back"], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(1)
        assert engine.unbench("p/a", by="alice")
        assert state_of(engine) == "live"
        assert (await asking).model == "p/b"
        assert state_of(engine) == "live"
        assert heard.facts("outcome", "why", "by") == [
            ("model.trial", None, "request"),
            ("model.trial", "given_back", "request"),
            ("model.unbenched", "operator", "alice"),
        ]


@pytest.mark.parametrize("brings", ["back", status(500), status(400)])
@virtual
async def test_a_hold_laid_over_a_trial_stands_whatever_becomes_of_it(brings: Any) -> None:
    provider = Scripted({"a": [status(500), After(5, brings)], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(1)
        engine.bench("p/a", reason="cost", by="alice")
        await asking
        assert state_of(engine) == "held"
        settled = [event.outcome for event in heard.of("model.trial") if event.outcome]
        assert len(settled) == 1
        assert engine.unbench("p/a")
        assert state_of(engine) == "live"


@virtual
async def test_each_bench_is_longer_and_health_is_forgiven_a_cooldown_at_a_time() -> None:
    provider = Scripted({"a": [*[status(500)] * 4, "back", status(500)], "b": ["from b"]})
    policy = ONCE.replace(max_cooldown=200.0)
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        for wait_s in (60, 120, 200, 200, 2.5 * 60):
            await engine.complete("main", "hi")
            await pass_time(wait_s + 0.01)
        await engine.complete("main", "hi")
        lengths = [(event.level, event.for_s) for event in heard.of("model.benched")]
        # Two healthy cooldowns later two of the four levels are forgiven, and the next bench is one above
        # what is left.
        assert lengths == [(1, 60.0), (2, 120.0), (3, 200.0), (4, 200.0), (3, 200.0)]


@virtual
async def test_one_lucky_success_does_not_forgive() -> None:
    provider = Scripted({"a": [status(500), "back", status(500)], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE)) as (engine, heard):
        await let_a_be_due(engine, heard)
        await engine.complete("main", "hi")
        await engine.complete("main", "hi")
        assert [event.level for event in heard.of("model.benched")] == [2]


@virtual
async def test_a_failed_trial_benches_at_once_and_a_passed_one_begins_the_count_anew() -> None:
    failing = status(500)
    provider = Scripted({"a": [*[failing] * 4, "back", *[failing] * 3], "b": ["from b"]})
    policy = ONCE.replace(bench_after=3)
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        benched_after = []
        for wait_s in (0, 0, 60.01, 120.01, 0, 0, 0, 0):
            await engine.complete("main", "hi")
            benched_after.append(engine.is_benched("p/a"))
            await pass_time(wait_s)
        assert benched_after == [False, False, True, True, False, False, False, True]
        assert [event.failures for event in heard.of("model.benched")] == [3, 4, 3]


@virtual
async def test_a_bench_of_no_length_at_all_is_due_at_once() -> None:
    provider = Scripted({"a": [status(500), "back"], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=ONCE.replace(cooldown=0.0))) as (engine, _):
        assert (await engine.complete("main", "hi")).model == "p/b"
        assert (await engine.complete("main", "hi")).model == "p/a"
        assert state_of(engine) == "live"
