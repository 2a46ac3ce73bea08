"""While a trial is under way, in virtual time: those who wait for it, and readers who take their time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from engine.engine import Engine
from engine.errors import AllBenched, DeadlineExceeded, StandbyError
from engine.messages import Delta
from engine.policy import Backoff, Policy, Timeouts
from engine.providers.base import End, Finish
from tests.scripted import After, Heard, Parts, Scripted, chain_of, running, speak, status
from tests.virtual_time import pass_time, virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0), cooldown=60.0)
WAIT = ONCE.replace(when_all_benched="wait", deadline=120.0)
IMPATIENT = ONCE.replace(timeouts=Timeouts(connect=5, first_token=5, idle=5, attempt=20))
THOUGHTS = [Delta(reasoning="h")] * 30


async def let_a_be_due(engine: Engine, heard: Heard) -> None:
    """Has `a` fail, and waits until its bench has run out."""
    with suppress(StandbyError):
        await engine.complete("main", "hi")
    await pass_time(60.01)
    heard.clear()


def state_of(engine: Engine, model: str = "p/a") -> str:
    return next(each.state for each in engine.status() if each.model == model)


# Waiting for it


@pytest.mark.parametrize("takes_s", [1.0, 45.0, 110.0])
@virtual
async def test_all_that_wait_for_a_trial_get_answers_once_it_is_passed(takes_s: float) -> None:
    provider = Scripted({"a": [status(500), After(takes_s, "back"), "fine"]})
    async with running(chain_of(provider, "a", policy=WAIT)) as (engine, heard):
        await let_a_be_due(engine, heard)
        asking = [asyncio.create_task(engine.complete("main", "hi")) for _ in range(21)]
        await pass_time(takes_s / 2)
        assert state_of(engine) == "on_trial"
        assert len(provider.calls) == 2
        replies = await asyncio.gather(*asking)
        assert sorted(reply.text for reply in replies) == ["back", *["fine"] * 20]
        assert {round(reply.elapsed_s, 2) for reply in replies} == {takes_s}
        assert len(heard.of("model.trial")) == 2


@virtual
async def test_those_that_waited_for_the_bench_wait_for_the_trial_too() -> None:
    provider = Scripted({"a": [status(500), After(30, "back"), "fine"]})
    async with running(chain_of(provider, "a", policy=WAIT)) as (engine, _):
        with suppress(StandbyError):
            await engine.complete("main", "hi")
        replies = await asyncio.gather(*(engine.complete("main", "hi") for _ in range(20)))
        assert {round(reply.elapsed_s, 1) for reply in replies} == {90.0}


@virtual
async def test_who_fails_because_of_a_trial_is_not_told_when_to_come_back() -> None:
    provider = Scripted({"a": [status(500), After(20, "ok")]})
    policy = ONCE.replace(when_all_benched="fail")
    async with running(chain_of(provider, "a", policy=policy)) as (engine, heard):
        await let_a_be_due(engine, heard)
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(1)
        with pytest.raises(AllBenched, match="on trial") as caught:
            await engine.complete("main", "hi")
        assert caught.value.retry_after_s is None
        assert (await asking).text == "ok"


@virtual
async def test_beside_a_trial_the_end_of_another_models_bench_is_told() -> None:
    provider = Scripted({"a": [status(500), After(20, "ok")], "b": ["no"]})
    policy = ONCE.replace(when_all_benched="fail")
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        engine.bench("p/b", for_=100.0)
        await let_a_be_due(engine, heard)
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(1)
        with pytest.raises(AllBenched) as caught:
            await engine.complete("main", "hi")
        assert caught.value.retry_after_s == pytest.approx(38.99)
        await asking


# Reading it


@virtual
async def test_a_trial_does_not_lapse_while_its_reader_takes_time_over_what_is_not_yet_content() -> None:
    thinks = Parts([*([thought] for thought in THOUGHTS), [Delta("x")], [Finish("stop")], [End()]])
    provider = Scripted({"a": [status(500), thinks], "b": ["ok"]})
    async with running(chain_of(provider, "a", "b", policy=IMPATIENT)) as (engine, heard):
        await let_a_be_due(engine, heard)
        async with engine.stream("main", "hi") as stream:
            async for _ in stream:
                await pass_time(2)
        assert stream.reply is not None
        assert stream.reply.text == "x"
        assert heard.facts("outcome", "why") == [
            ("model.trial", None),
            ("model.trial", "success"),
            ("model.unbenched", "success"),
        ]
        assert state_of(engine) == "live"


@virtual
async def test_a_model_that_takes_its_time_over_a_trial_gets_none_for_its_readers() -> None:
    slow = Parts([batch for thought in THOUGHTS for batch in (2.0, [thought])])
    provider = Scripted({"a": [status(500), slow], "b": ["ok"]})
    async with running(chain_of(provider, "a", "b", policy=IMPATIENT)) as (engine, heard):
        await let_a_be_due(engine, heard)
        begun = asyncio.get_running_loop().time()
        async with engine.stream("main", "hi") as stream:
            async for _ in stream:
                pass
        assert stream.model == "p/b"
        assert asyncio.get_running_loop().time() - begun == pytest.approx(20.0)
        assert heard.of("model.trial")[-1].outcome == "failure"


@virtual
async def test_a_reader_who_comes_back_after_the_deadline_is_told_that_it_has_passed() -> None:
    provider = Scripted({"a": [speak("one two three four")]})
    policy = ONCE.replace(deadline=10.0)
    async with running(chain_of(provider, "a", policy=policy)) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            pieces = aiter(stream)
            assert [(await anext(pieces)).text, (await anext(pieces)).text] == ["one", "two"]
            await pass_time(12)
            with pytest.raises(DeadlineExceeded):
                await anext(pieces)
        assert engine.benched() == []
        assert heard.names()[-2:] == ["attempt.cancelled", "request.failed"]
        assert provider.open == 0


@virtual
async def test_the_time_a_reader_takes_is_not_the_attempts() -> None:
    provider = Scripted({"a": [Parts([[Delta("one")], 1, [Delta("two")], [Finish("stop"), End()]])]})
    async with running(chain_of(provider, "a", policy=IMPATIENT)) as (engine, heard):
        async with engine.stream("main", "hi") as stream:
            async for _ in stream:
                await pass_time(30)
        assert stream.text == "onetwo"
        (succeeded,) = heard.of("attempt.succeeded")
        assert (succeeded.finish_reason, heard.of("attempt.failed")) == ("stop", [])
