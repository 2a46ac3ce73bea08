"""The engine's face: the bench by hand, looking, listening, reloading, closing."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import (
    AllBenched,
    ChainConfig,
    ChainExhausted,
    Config,
    Engine,
    Event,
    KeySource,
    NoUsableModel,
    Policy,
    ProviderConfig,
    UnknownTarget,
    load_config,
)
from engine.durations import LONGEST_S
from engine.policy import Backoff
from tests.scripted import Heard, Scripted, chain_of, status
from tests.virtual_time import pass_time, virtual

NO_WAIT = Policy(backoff=Backoff(0, 0))


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[tuple[Engine, Heard]]:
    heard = Heard()
    async with Engine(config, name="test", clock=asyncio.get_running_loop().time) as engine:
        engine.observe(heard.append)
        yield engine, heard


def _two(policy: Policy = NO_WAIT) -> tuple[Scripted, Config]:
    provider = Scripted({"a": [status(500)], "b": ["fine"]})
    return provider, chain_of(provider, "a", "b", policy=policy)


@virtual
async def test_a_bench_by_hand_says_who_why_and_until_when() -> None:
    _, config = _two()
    async with running(config) as (engine, heard):
        engine.bench("p/a", for_=600, reason="cost", by="alice")
        (out,) = engine.benched()
        assert (out.name, out.manual, out.reason, out.by, out.for_s) == ("p/a", True, "cost", "alice", 600)
        assert engine.is_benched("p/a")
        (event,) = heard.of("model.benched")
        assert (event.model, event.manual, event.by, event.for_s) == ("p/a", True, "alice", 600)
        assert event.until == out.until
        assert engine.unbench("p/a", by="bob")
        assert not engine.is_benched("p/a")
        assert not engine.unbench("p/a")
    (back,) = heard.of("model.unbenched")
    assert (back.why, back.by, back.manual) == ("operator", "bob", True)


@virtual
async def test_a_bench_ends_at_the_time_it_was_given() -> None:
    _, config = _two()
    async with running(config) as (engine, _):
        engine.bench("p/a", until=datetime.now().astimezone() + timedelta(minutes=5))
        (out,) = engine.benched()
        assert out.remaining_s == pytest.approx(300, abs=1)
        await pass_time(301)
        assert engine.benched() == []


@virtual
async def test_who_benched_is_user_and_host_by_default() -> None:
    _, config = _two()
    async with running(config) as (engine, _):
        engine.bench("p/a")
        assert "@" in (engine.benched()[0].by or "")


@pytest.mark.parametrize("seconds", [0, -1, math.inf, math.nan])
@virtual
async def test_a_bench_that_does_not_end_in_the_future_is_refused(seconds: float) -> None:
    _, config = _two()
    async with running(config) as (engine, _):
        with pytest.raises(ValueError, match="future"):
            engine.bench("p/a", for_=seconds)
        assert engine.benched() == []


@pytest.mark.parametrize(
    "end",
    [
        {"for_": 1e15},
        {"for_": LONGEST_S + 1},
        {"until": datetime.max.replace(tzinfo=UTC)},
    ],
)
@virtual
async def test_a_bench_of_more_than_ten_years_is_refused(end: dict[str, Any]) -> None:
    _, config = _two()
    async with running(config) as (engine, heard):
        with pytest.raises(ValueError, match="at most 3650d"):
            engine.bench("p/a", **end)
        assert (engine.benched(), heard) == ([], [])
        engine.bench("p/a", for_=LONGEST_S)
        assert engine.is_benched("p/a")


@virtual
async def test_a_policy_with_an_endless_cooldown_benches_until_the_calendar_ends() -> None:
    _, config = _two(NO_WAIT.replace(attempts=1, cooldown=1e12, max_cooldown=1e12))
    async with running(config) as (engine, _):
        for _ in range(2):
            assert (await engine.complete("main", "hi")).model == "p/b"
        (out,) = engine.benched()
        assert (out.until, out.for_s) == ("9999-12-31T23:59:59.000Z", 1e12)
        assert engine.explain("main")[0].until == out.until


@pytest.mark.parametrize("name", ["p/a", "p/*", "p#k", "p#k/a"])
@virtual
async def test_what_a_reload_removed_from_the_configuration_can_be_unbenched(name: str) -> None:
    provider = Scripted({})
    config = chain_of(provider, "a", keys=(KeySource("k", env="X"),))
    async with running(config) as (engine, _):
        engine.bench(name)
        engine._take(Config())
        assert engine.is_benched(name)
        assert engine.unbench(name)
        assert engine.benched() == []
        assert not engine.is_benched(name)
        with pytest.raises(UnknownTarget):
            engine.bench(name)
        with pytest.raises(UnknownTarget):
            engine.unbench("q/a")


@virtual
async def test_a_removed_providers_models_come_back_from_its_bench_one_by_one_or_all() -> None:
    _, config = _two()
    async with running(config) as (engine, _):
        engine.bench("p/*")
        engine.bench("p/a")
        engine._take(Config())
        assert engine.unbench("p/b")
        assert [out.name for out in engine.benched()] == ["p/*", "p/a"]
        assert engine.unbench("p/*")
        assert engine.benched() == []


@virtual
async def test_all_models_of_a_removed_provider_are_unbenched_at_once() -> None:
    _, config = _two()
    async with running(config) as (engine, _):
        engine.bench("p/a")
        engine.bench("p/b")
        engine._take(Config())
        engine.unbench("p/*")
        assert engine.benched() == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("q/a", "there is no provider 'q'"),
        ("pp/a", "there is no provider 'pp', did you mean 'p'"),
        ("p#nokey", "provider p has no key 'nokey'"),
        ("p", "'p' is no model"),
        ("p/", "'p/' is no model"),
    ],
)
@virtual
async def test_a_name_that_cannot_be_benched_is_refused_with_what_would_do(name: str, words: str) -> None:
    provider = Scripted({})
    config = chain_of(provider, "a", keys=(KeySource("main", env="X"),))
    async with running(config) as (engine, _):
        with pytest.raises(UnknownTarget, match=words):
            engine.bench(name)


@virtual
async def test_a_provider_benched_by_hand_takes_all_its_models_out() -> None:
    _, config = _two()
    async with running(config) as (engine, _):
        engine.bench("p/*", by="alice")
        assert engine.is_benched("p/*")
        assert engine.is_benched("p/b")
        with pytest.raises(AllBenched):
            await engine.complete("main", "hi")
        engine.unbench("p/b")
        assert (await engine.complete("main", "hi")).model == "p/b"


@virtual
async def test_status_tells_the_state_of_every_model_that_is_known() -> None:
    _, config = _two()
    async with running(config) as (engine, _):
        await engine.complete("main", "hi")
        engine.bench("p/b", by="alice")
        engine.bench("p/elsewhere", by="alice")
        states = {each.model: each.state for each in engine.status()}
    assert states == {"p/a": "benched", "p/b": "held", "p/elsewhere": "held"}


@virtual
async def test_explain_says_who_would_be_tried_and_why_not_the_others() -> None:
    _, config = _two()
    async with running(config) as (engine, _):
        await engine.complete("main", "hi")
        first, second, third = engine.explain("main, nonsense")
        assert (first.model, first.would, first.why) == ("p/a", "skip", "benched: server_error")
        assert first.until is not None
        assert (second.model, second.would, second.why) == ("p/b", "try", None)
        assert (third.model, third.would) == ("nonsense", "skip")


@virtual
async def test_explain_shows_the_order_in_which_benched_models_would_be_tried() -> None:
    provider = Scripted({"a": [status(429, retry_after_s=90)], "b": [status(429, retry_after_s=60)]})
    policy = NO_WAIT.replace(attempts=1)
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, _):
        with pytest.raises(ChainExhausted, match="no model of main answered"):
            await engine.complete("main", "hi")
        assert [(each.model, each.would) for each in engine.explain("main")] == [
            ("p/b", "try"),
            ("p/a", "try"),
        ]


@virtual
async def test_an_unknown_part_is_skipped_visibly_and_the_rest_answers() -> None:
    _, config = _two()
    async with running(config) as (engine, heard):
        assert (await engine.complete("nonsense, p/b", "hi")).model == "p/b"
        (skipped,) = heard.of("model.skipped")
        assert (skipped.model, skipped.why) == ("nonsense", "unresolved")
        with pytest.raises(UnknownTarget, match="did you mean 'main'"):
            await engine.complete("mian", "hi")


@virtual
async def test_only_asks_exactly_one_model() -> None:
    provider, config = _two()
    async with running(config) as (engine, _):
        assert (await engine.complete("p/b", "hi", only=True)).text == "fine"
        with pytest.raises(UnknownTarget):
            await engine.complete("main", "hi", only=True)
    assert provider.models() == ["b"]


@virtual
async def test_a_model_without_a_key_is_skipped_visibly() -> None:
    provider = Scripted({"a": ["fine"]})
    config = Config(
        providers={
            "locked": ProviderConfig(
                "locked", adapter=provider, keys=(KeySource("k", env="NOT_SET_ANYWHERE"),)
            ),
            "open": ProviderConfig("open", adapter=provider),
        },
        chains={"main": ChainConfig("main", ("locked/a", "open/a"))},
    )
    async with running(config) as (engine, heard):
        assert (await engine.complete("main", "hi")).model == "open/a"
        assert [(event.model, event.why) for event in heard.of("model.skipped")] == [("locked/a", "no_key")]
        with pytest.raises(NoUsableModel, match="NOT_SET_ANYWHERE is not set"):
            await engine.complete("locked/a", "hi")
        assert engine.status()[0].unusable is not None


@virtual
async def test_prompts_and_answers_stay_out_of_events_unless_recorded() -> None:
    provider = Scripted({"a": ["the answer"]})
    config = chain_of(provider, "a")
    async with running(config) as (engine, heard):
        await engine.complete("main", "the question")
        assert not any("question" in repr(event) or "the answer" in repr(event) for event in heard)
    recorded = Config(
        providers=config.providers, chains=config.chains, defaults=config.defaults, record_prompts=True
    )
    async with running(recorded) as (engine, heard):
        await engine.complete("main", "the question")
        assert heard.of("request.started")[0].to_json()["prompt"][0]["content"] == "the question"
        assert heard.of("request.succeeded")[0].to_json()["answer"] == "the answer"


@virtual
async def test_observers_get_the_live_request() -> None:
    provider = Scripted({"a": ["x"]})
    async with running(chain_of(provider, "a")) as (engine, heard):
        await engine.complete("main", "hi")
    (event,) = heard.of("request.started")
    assert event.live.target == "main"
    assert "live" not in event.to_json()


@virtual
async def test_events_end_with_the_engine() -> None:
    provider = Scripted({"a": ["x"]})
    engine = Engine(chain_of(provider, "a"), clock=asyncio.get_running_loop().time)
    got: list[Event] = []

    async def listen() -> None:
        got.extend([event async for event in events])

    events = engine.events()
    listening = asyncio.create_task(listen())
    await engine.complete("main", "hi")
    await engine.aclose()
    await listening
    assert got[0].event == "request.started"
    assert provider.closed


@pytest.mark.parametrize("options", [{"timeout": 0}, {"deadline": -1}, {"max_tokens": 0}])
@virtual
async def test_an_option_that_makes_no_sense_is_refused(options: dict[str, float]) -> None:
    provider = Scripted({"a": ["x"]})
    async with running(chain_of(provider, "a")) as (engine, _):
        with pytest.raises(ValueError, match="must be more than 0"):
            await engine.complete("main", "hi", **options)  # type: ignore[arg-type]  # that is the point
        with pytest.raises(TypeError, match="unknown option 'max_token'"):
            await engine.complete("main", "hi", max_token=5)  # type: ignore[call-arg]  # that is the point
    assert provider.calls == []


GOOD = """
providers: {acme: {kind: simulated, models: {fast: {first_token: 0ms}}}, other: {kind: simulated}}
chains: {main: [acme/fast, other/x]}
"""


async def test_a_good_edit_is_taken_over_without_losing_a_bench(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(GOOD)
    heard = Heard()
    async with Engine(load_config(file)) as engine:
        engine.observe(heard.append)
        engine.bench("acme/fast", by="alice")
        file.write_text(GOOD.replace("[acme/fast, other/x]", "[other/x, acme/fast, other/y]"))
        assert await engine.reload()
        assert engine.chains() == {"main": ("other/x", "acme/fast", "other/y")}
        assert engine.is_benched("acme/fast")
    (event,) = heard.of("config.reloaded")
    assert any("main" in change for change in event.changes)


async def test_a_bad_edit_is_refused_as_a_whole_and_the_old_configuration_stays(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(GOOD)
    heard = Heard()
    async with Engine(load_config(file)) as engine:
        engine.observe(heard.append)
        file.write_text(GOOD.replace("other/x", "nobody/x"))
        assert not await engine.reload()
        assert engine.chains() == {"main": ("acme/fast", "other/x")}
        assert (await engine.complete("main", "hi")).model == "acme/fast"
    (event,) = heard.of("config.rejected")
    assert "nobody" in event.faults[0]


async def test_the_file_is_watched(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(GOOD)
    async with asyncio.timeout(30), Engine(load_config(file)) as engine:
        events = engine.events()
        file.write_text(GOOD.replace("main:", "renamed:"))
        async for event in events:
            if event.event == "config.reloaded":
                break
        assert list(engine.chains()) == ["renamed"]
