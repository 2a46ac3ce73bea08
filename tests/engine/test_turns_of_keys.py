"""Several keys of one provider: whose turn it is, and that none is used that may not be."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from engine.config.model import KeySource
from engine.engine import Engine
from engine.errors import AllBenched, ChainExhausted, StandbyError
from engine.policy import Backoff, Policy
from engine.providers.base import Call
from tests.scripted import After, Scripted, chain_of, running, speak, status
from tests.virtual_time import pass_time, virtual

ONE, TWO = KeySource("one", env="KEY_ONE"), KeySource("two", env="KEY_TWO")
ONCE = Policy(attempts=1, backoff=Backoff(0, 0), cooldown=60.0)
PROBED = ONCE.replace(trial="probe")


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_ONE", "key-number-one")
    monkeypatch.setenv("KEY_TWO", "key-number-two")


def keys_of(provider: Scripted) -> list[str | None]:
    """The key of each call, without the provider's name."""
    return [None if call.key is None else call.key.name.removeprefix("p#") for call in provider.calls]


def state_of(engine: Engine, model: str = "p/a") -> str:
    return next(each.state for each in engine.status() if each.model == model)


async def ask(engine: Engine, mode: str, target: str = "main") -> str:
    """Who answered."""
    if mode == "complete":
        return (await engine.complete(target, "hi")).model
    async with engine.stream(target, "hi") as stream:
        async for _ in stream:
            pass
    return str(stream.model)


async def fail(engine: Engine, target: str = "main") -> None:
    with suppress(StandbyError):
        await engine.complete(target, "hi")


# Turns


@pytest.mark.parametrize("mode", ["complete", "stream"])
@pytest.mark.parametrize("takes_s", [0.0, 1.2])
@virtual
async def test_each_key_has_one_turn_an_attempt_even_if_the_first_is_back_before_the_last_has_failed(
    takes_s: float, mode: str
) -> None:
    provider = Scripted({"a": [After(takes_s, status(429, retry_after_s=1.0))], "b": ["ok"]})
    config = chain_of(provider, "a", "b", keys=(ONE, TWO), policy=Policy(attempts=3))
    async with running(config) as (engine, heard):
        assert await ask(engine, mode) == "p/b"
        tried = [(event.attempt, event.key) for event in heard.of("attempt.started")[:-1]]
        assert [number for number, _ in tried] == [1, 1, 2, 2, 3, 3]
        assert [{key for _, key in tried[at : at + 2]} for at in (0, 2, 4)] == [{"p#one", "p#two"}] * 3
        assert "p/a" in [out.name for out in engine.benched()]
    assert provider.models() == ["a"] * 6 + ["b"]


@virtual
async def test_dead_keys_that_are_benched_for_no_time_at_all_have_one_turn_each() -> None:
    provider = Scripted({"a": [After(0.05, status(401))], "b": ["ok"]})
    policy = Policy(attempts=3, cooldown=0.0)
    async with running(chain_of(provider, "a", "b", keys=(ONE, TWO), policy=policy)) as (engine, _):
        assert (await engine.complete("main", "hi")).model == "p/b"
    assert keys_of(provider)[:-1] == ["one", "two"]


@virtual
async def test_a_key_that_is_back_in_time_answers_in_the_next_attempt() -> None:
    limited = status(429, retry_after_s=1.0)
    provider = Scripted({"a": [After(1.2, limited), After(1.2, limited), "answered"]})
    async with running(chain_of(provider, "a", keys=(ONE, TWO))) as (engine, heard):
        reply = await engine.complete("main", "hi")
        assert (reply.text, reply.attempts) == ("answered", 3)
        assert [event.attempt for event in heard.of("attempt.started")] == [1, 1, 2]
        assert engine.benched() == []


# Under `when_all_benched: try`


@virtual
async def test_a_benched_model_is_not_tried_with_a_key_that_an_operator_holds() -> None:
    provider = Scripted({"a": [status(500), "no"]})
    async with running(chain_of(provider, "a", keys=(ONE,), policy=ONCE)) as (engine, _):
        await fail(engine)
        engine.bench("p#one")
        with pytest.raises(AllBenched):
            await engine.complete("main", "hi")
        engine.unbench("p#one")
        assert (await engine.complete("main", "hi")).text == "no"
    assert keys_of(provider) == ["one", "one"]


@virtual
async def test_a_benched_model_is_not_tried_with_a_dead_key() -> None:
    provider = Scripted({"a": [status(500), "no"], "c": [status(401)]})
    async with running(chain_of(provider, "a", keys=(ONE,), policy=ONCE)) as (engine, _):
        await fail(engine)
        await fail(engine, "p/c")
        with pytest.raises(AllBenched):
            await engine.complete("main", "hi")
    assert provider.models() == ["a", "c"]


@virtual
async def test_a_benched_model_is_not_tried_without_the_key_that_its_provider_needs(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("key-in-a-file")
    provider = Scripted({"a": [status(500), "with its key"]})
    keys = (KeySource("one", file=file),)
    async with running(chain_of(provider, "a", keys=keys, policy=ONCE)) as (engine, _):
        await fail(engine)
        file.unlink()
        with pytest.raises(AllBenched):
            await engine.complete("main", "hi")
        file.write_text("key-in-a-file")
        assert (await engine.complete("main", "hi")).text == "with its key"
    assert keys_of(provider) == ["one", "one"]


@pytest.mark.parametrize("out", ["dead", "held"])
@virtual
async def test_of_keys_that_are_all_out_the_one_that_is_only_rate_limited_is_tried(
    out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(call: Call) -> object:
        if call.key is not None and call.key.name == "p#two":
            return status(429, retry_after_s=1000.0) if len(provider.calls) < 4 else "again"
        return status(401)

    monkeypatch.setenv("KEY_THREE", "key-number-three")
    provider = Scripted({"a": answer})
    keys = (ONE, TWO, KeySource("three", env="KEY_THREE"))
    async with running(chain_of(provider, "a", keys=keys, policy=ONCE)) as (engine, _):
        await fail(engine)
        assert [out.name for out in engine.benched()] == ["p#one", "p#three", "p#two/a"]
        if out == "held":
            engine.unbench("p#one")
            engine.bench("p#one")  # whose turn it is
        assert (await engine.complete("main", "hi")).text == "again"
    assert keys_of(provider) == ["one", "two", "three", "two"]


@virtual
async def test_a_benched_model_is_tried_with_a_good_key_and_not_with_a_rate_limited_one() -> None:
    limited = status(429, retry_after_s=1000.0)
    provider = Scripted({"a": [limited, status(500), status(500), "again"]})
    async with running(chain_of(provider, "a", keys=(ONE, TWO), policy=ONCE)) as (engine, _):
        await fail(engine)
        assert [out.name for out in engine.benched()] == ["p#one/a", "p/a"]
        await fail(engine)
        assert (await engine.complete("main", "hi")).text == "again"
    assert keys_of(provider) == ["one", "two", "two", "two"]


# Probes in the background


@pytest.mark.parametrize("back", ["unbenched", "over"])
@virtual
async def test_a_probe_waits_for_the_end_of_its_keys_hold_and_begins_at_once_then(back: str) -> None:
    provider = Scripted({"a": [status(500), speak("OK")]})
    async with running(chain_of(provider, "a", keys=(ONE,), policy=PROBED)) as (engine, heard):
        await fail(engine)
        engine.bench("p#one", for_=None if back == "unbenched" else 100.0)
        await pass_time(99)
        assert [event.model for event in heard.of("model.due")] == ["p/a"]
        assert heard.of("model.trial") == []
        assert len(provider.calls) == 1
        if back == "unbenched":
            engine.unbench("p#one")
        await pass_time(1.01)
        assert [(event.by, event.outcome) for event in heard.of("model.trial")] == [
            ("probe", None),
            ("probe", "success"),
        ]
        assert state_of(engine) == "live"
    assert keys_of(provider) == ["one", "one"]


@virtual
async def test_a_probe_takes_the_key_that_nobody_holds() -> None:
    provider = Scripted({"a": [status(500), status(500), speak("OK")]})
    async with running(chain_of(provider, "a", keys=(ONE, TWO), policy=PROBED)) as (engine, _):
        await fail(engine)
        engine.bench("p#two")  # whose turn it is
        await pass_time(61)
        await pass_time(121)
        assert state_of(engine) == "live"
    assert keys_of(provider) == ["one", "one", "one"]


@virtual
async def test_a_probe_waits_until_its_key_is_set_and_begins_when_a_request_meets_its_model(
    tmp_path: Path,
) -> None:
    file = tmp_path / "key"
    file.write_text("key-in-a-file")
    provider = Scripted({"a": [status(500), speak("OK")]})
    keys = (KeySource("one", file=file),)
    policy = PROBED.replace(when_all_benched="fail")
    async with running(chain_of(provider, "a", keys=keys, policy=policy)) as (engine, _):
        await fail(engine)
        file.unlink()
        await pass_time(61)
        await fail(engine)
        assert len(provider.calls) == 1
        file.write_text("key-in-a-file")
        await fail(engine)
        await pass_time(1)
        assert state_of(engine) == "live"
    assert keys_of(provider) == ["one", "one"]


# Unbench


@virtual
async def test_a_model_was_not_out_if_only_one_of_its_keys_was() -> None:
    provider = Scripted({"a": [status(429, retry_after_s=1000.0), "ok"]})
    async with running(chain_of(provider, "a", keys=(ONE, TWO), policy=ONCE)) as (engine, _):
        await engine.complete("main", "hi")
        assert [out.name for out in engine.benched()] == ["p#one/a"]
        assert engine.unbench("p/a") is False
        assert engine.benched() == []


@virtual
async def test_a_model_was_out_if_all_of_its_keys_were_or_if_it_was_due_or_on_trial() -> None:
    provider = Scripted({"a": [status(401), status(401), status(500), status(500), After(5, "ok")]})
    async with running(chain_of(provider, "a", keys=(ONE, TWO), policy=ONCE)) as (engine, _):
        assert engine.unbench("p/a") is False
        with pytest.raises(ChainExhausted):
            await engine.complete("main", "hi")
        assert [out.name for out in engine.benched()] == ["p#one", "p#two"]
        assert engine.unbench("p/a") is True
        await fail(engine)
        await pass_time(61)
        assert state_of(engine) == "due"
        assert engine.unbench("p/a") is True
        await fail(engine)
        await pass_time(61)
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(1)
        assert state_of(engine) == "on_trial"
        assert engine.unbench("p/a") is True
        await asking
        assert engine.unbench("p/a") is False
