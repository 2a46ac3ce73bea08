"""The loop, in virtual time, over a provider that plays a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from engine.config.model import ChainConfig, Config, KeySource, ModelConfig, ProviderConfig
from engine.engine import Engine
from engine.errors import (
    AllBenched,
    AuthDeadError,
    ChainExhausted,
    DeadlineExceeded,
    NoUsableModel,
    RequestError,
)
from engine.messages import Usage
from engine.policy import Backoff, Policy, Timeouts
from engine.providers.base import Answer, Call
from tests.scripted import HANG, After, Scripted, cancelled, chain_of, running, status
from tests.virtual_time import pass_time, virtual

NO_WAIT = Policy(backoff=Backoff(0, 0))


@virtual
async def test_the_first_model_that_answers_is_the_only_one_asked() -> None:
    provider = Scripted({"a": ["hello"], "b": ["no"]})
    async with running(chain_of(provider, "a", "b")) as (engine, heard):
        reply = await engine.complete("main", "hi")
    assert (reply.text, reply.model, reply.attempts, reply.fallback) == ("hello", "p/a", 1, False)
    assert reply.usage == Usage(3, 5)
    assert provider.models() == ["a"]
    assert heard.names() == ["request.started", "attempt.started", "attempt.succeeded", "request.succeeded"]


@virtual
async def test_a_transient_failure_is_retried_then_the_model_benched_and_the_next_answers() -> None:
    provider = Scripted({"a": [status(500)], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=NO_WAIT)) as (engine, heard):
        reply = await engine.complete("main", "hi")
        assert engine.is_benched("p/a")
    assert (reply.text, reply.attempts, reply.fallback) == ("from b", 4, True)
    assert provider.models() == ["a", "a", "a", "b"]
    failures = heard.of("attempt.failed")
    assert [(event.attempt, event.benched, event.next_model) for event in failures] == [
        (1, False, None),
        (2, False, None),
        (3, True, "p/b"),
    ]
    assert (failures[2].bench, failures[2].benched_for_s) == ("p/a", 300.0)
    (benched,) = heard.of("model.benched")
    assert (benched.model, benched.reason, benched.level, benched.manual) == (
        "p/a",
        "server_error",
        1,
        False,
    )
    assert heard.names().index("attempt.failed") < heard.names().index("model.benched")


@virtual
async def test_a_benched_model_is_skipped_visibly_and_back_when_its_bench_ends() -> None:
    provider = Scripted({"a": [status(500), status(500), status(500), "back"], "b": ["from b"]})
    async with running(chain_of(provider, "a", "b", policy=NO_WAIT)) as (engine, heard):
        await engine.complete("main", "hi")
        reply = await engine.complete("main", "hi")
        (skipped,) = heard.of("model.skipped")
        assert (skipped.request, skipped.model, skipped.why) == (reply.request, "p/a", "benched")
        assert skipped.until is not None
        await pass_time(301)
        assert [event.model for event in heard.of("model.due")] == ["p/a"]
        assert heard.of("model.unbenched") == []  # it is due, which is not healthy
        assert (await engine.complete("main", "hi")).text == "back"
        (back,) = heard.of("model.unbenched")
        assert (back.model, back.why, back.manual) == ("p/a", "success", False)
    assert provider.models() == ["a", "a", "a", "b", "b", "a"]


@virtual
async def test_when_every_model_fails_the_error_names_each_with_its_cause() -> None:
    provider = Scripted({"a": [status(500)], "b": [status(404)]})
    async with running(chain_of(provider, "a", "b", policy=NO_WAIT)) as (engine, heard):
        with pytest.raises(ChainExhausted) as caught:
            await engine.complete("main", "hi")
    error = caught.value
    assert [(cause.model, cause.reason) for cause in error.causes] == [
        *[("p/a", "server_error")] * 3,
        ("p/b", "model_not_found"),
    ]
    assert (error.kind, error.reason, error.status) == ("auth_dead", "model_not_found", 404)
    assert "p/a: server_error (HTTP 500): the provider says 500" in str(error)
    assert "p/b: model_not_found" in str(error)
    assert error.retry_after_s == 300.0
    (failed,) = heard.of("request.failed")
    assert failed.error == "ChainExhausted"
    assert failed.causes[-1]["reason"] == "model_not_found"


@virtual
async def test_a_list_of_one_fails_as_a_chain_with_one_cause() -> None:
    provider = Scripted({"a": [status(400)]})
    async with running(chain_of(provider, "a")) as (engine, _):
        with pytest.raises(ChainExhausted) as caught:
            await engine.complete("p/a", "hi")
    assert [cause.reason for cause in caught.value.causes] == ["bad_request"]


@virtual
async def test_a_bad_request_benches_nobody() -> None:
    provider = Scripted({"a": [status(400)], "b": ["fine"]})
    async with running(chain_of(provider, "a", "b")) as (engine, _):
        assert (await engine.complete("main", "hi")).text == "fine"
        assert engine.benched() == []
    assert provider.models() == ["a", "b"]


@virtual
async def test_a_policy_may_stop_at_a_bad_request_with_that_very_error() -> None:
    provider = Scripted({"a": [status(400)], "b": ["fine"]})
    async with running(chain_of(provider, "a", "b", policy=Policy(on_request_error="raise"))) as (engine, _):
        with pytest.raises(RequestError) as caught:
            await engine.complete("main", "hi")
    assert (caught.value.model, caught.value.status) == ("p/a", 400)
    assert provider.models() == ["a"]


@virtual
async def test_a_content_filter_stops_the_request() -> None:
    provider = Scripted({"a": [Answer("", "content_filter", Usage())], "b": ["fine"]})
    async with running(chain_of(provider, "a", "b")) as (engine, _):
        with pytest.raises(RequestError) as caught:
            await engine.complete("main", "hi")
        assert caught.value.reason == "content_filter"
        assert engine.benched() == []


@virtual
async def test_an_empty_answer_goes_to_the_next_model_at_once() -> None:
    provider = Scripted({"a": [""], "b": ["fine"]})
    async with running(chain_of(provider, "a", "b")) as (engine, heard):
        assert (await engine.complete("main", "hi")).text == "fine"
    assert provider.models() == ["a", "b"]
    assert heard.of("attempt.failed")[0].reason == "empty"
    assert heard.of("attempt.failed")[0].output_tokens == 5


@virtual
async def test_the_backoff_is_full_jitter_below_its_bound() -> None:
    provider = Scripted({"a": [status(500), status(500), "ok"]})
    async with running(chain_of(provider, "a")) as (engine, heard):
        await engine.complete("main", "hi")
    first, second = (event.retry_in_s for event in heard.of("attempt.failed"))
    assert 0 <= first <= 0.2
    assert 0 <= second <= 0.4


@virtual
async def test_a_silent_model_is_not_asked_twice_and_is_benched() -> None:
    provider = Scripted({"a": [HANG], "b": ["fine"]})
    policy = Policy(timeouts=Timeouts(attempt=5))
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, heard):
        reply = await engine.complete("main", "hi")
        assert engine.is_benched("p/a")
    assert reply.elapsed_s == pytest.approx(5.0)
    assert provider.models() == ["a", "b"]
    assert heard.of("attempt.failed")[0].reason == "timeout"
    assert provider.open == 0


@virtual
async def test_the_deadline_cuts_the_attempt_and_benches_nobody() -> None:
    provider = Scripted({"a": [HANG], "b": ["fine"]})
    async with running(chain_of(provider, "a", "b")) as (engine, heard):
        with pytest.raises(DeadlineExceeded):
            await engine.complete("main", "hi", deadline=3)
        assert engine.benched() == []
        assert asyncio.get_running_loop().time() == pytest.approx(3.0)
    (cancelled,) = heard.of("attempt.cancelled")
    assert (cancelled.why, cancelled.elapsed_s) == ("deadline", pytest.approx(3.0))
    assert heard.names()[-1] == "request.failed"


@virtual
async def test_nobody_is_asked_after_an_attempt_that_held_everything_up_until_the_deadline() -> None:
    now = [0.0]

    def hold_up(_: Call) -> Exception:
        now[0] = 5.0
        return status(500)

    provider = Scripted({"a": hold_up, "b": ["no"]})
    config = chain_of(provider, "a", "b", policy=Policy(attempts=1))
    async with Engine(config, clock=lambda: now[0]) as engine:
        with pytest.raises(DeadlineExceeded):
            await engine.complete("main", "hi", deadline=5)
    assert provider.models() == ["a"]


@virtual
async def test_a_backoff_that_would_outlast_the_deadline_ends_the_request_at_once() -> None:
    provider = Scripted({"a": [status(500)]})
    policy = Policy(backoff=lambda _: 5.0)
    async with running(chain_of(provider, "a", policy=policy)) as (engine, _):
        with pytest.raises(DeadlineExceeded):
            await engine.complete("main", "hi", deadline=5)
        assert asyncio.get_running_loop().time() == 0.0
    assert provider.models() == ["a"]


@virtual
async def test_a_bench_is_no_shorter_than_the_short_retry_after_before_it() -> None:
    provider = Scripted({"a": [status(429, retry_after_s=2.0)], "b": ["fine"]})
    policy = Policy(attempts=1, cooldown=1.0)
    async with running(chain_of(provider, "a", "b", policy=policy)) as (engine, _):
        await engine.complete("main", "hi")
        assert [out.for_s for out in engine.benched()] == [2.0]


@virtual
async def test_a_long_retry_after_benches_for_exactly_that_long_and_moves_on() -> None:
    provider = Scripted({"a": [status(429, retry_after_s=42.0)], "b": ["fine"]})
    async with running(chain_of(provider, "a", "b", policy=Policy(bench_after=9))) as (engine, heard):
        await engine.complete("main", "hi")
        (out,) = engine.benched()
        assert (out.name, out.for_s, out.remaining_s) == ("p/a", 42.0, 42.0)
    assert heard.of("attempt.failed")[0].benched_for_s == 42.0


@virtual
async def test_a_short_retry_after_is_waited_out_on_the_same_model() -> None:
    provider = Scripted({"a": [status(429, retry_after_s=1.5), "ok"], "b": ["no"]})
    async with running(chain_of(provider, "a", "b")) as (engine, _):
        reply = await engine.complete("main", "hi")
    assert reply.model == "p/a"
    assert 1.5 < reply.elapsed_s <= 1.65


KEYS = (KeySource("one", env="KEY_ONE"), KeySource("two", env="KEY_TWO"), KeySource("low", env="LOW", tier=2))


@pytest.fixture
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEY_ONE", "KEY_TWO", "LOW"):
        monkeypatch.setenv(name, f"secret-of-{name}")


def _by_key(answers: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    return {"a": lambda call: answers[call.key.name]}


@pytest.mark.usefixtures("_keys")
@virtual
async def test_a_dead_key_is_benched_and_the_next_one_used_without_costing_an_attempt() -> None:
    provider = Scripted(_by_key({"p#one": status(401), "p#two": "fine", "p#low": "low"}))
    async with running(chain_of(provider, "a", keys=KEYS)) as (engine, heard):
        assert (await engine.complete("main", "hi")).text == "fine"
        assert [out.name for out in engine.benched()] == ["p#one"]
        assert not engine.is_benched("p/a")
    assert [(event.key, event.attempt) for event in heard.of("attempt.started")] == [
        ("p#one", 1),
        ("p#two", 1),
    ]
    assert heard.of("attempt.failed")[0].bench == "p#one"
    assert heard.of("key.benched")[0].reason == "invalid_key"


@pytest.mark.usefixtures("_keys")
@virtual
async def test_keys_take_turns_inside_a_tier_and_lower_tiers_wait() -> None:
    provider = Scripted(_by_key({"p#one": "x", "p#two": "x", "p#low": "x"}))
    async with running(chain_of(provider, "a", keys=KEYS)) as (engine, _):
        for _ in range(4):
            await engine.complete("main", "hi")
    assert [call.key.name for call in provider.calls if call.key] == ["p#one", "p#two", "p#one", "p#two"]


@pytest.mark.usefixtures("_keys")
@virtual
async def test_a_rate_limit_benches_the_key_on_that_model_until_the_last_usable_one() -> None:
    provider = Scripted(_by_key(dict.fromkeys(("p#one", "p#two", "p#low"), status(429))))
    async with running(chain_of(provider, "a", keys=KEYS, policy=NO_WAIT)) as (engine, heard):
        with pytest.raises(ChainExhausted):
            await engine.complete("main", "hi")
        assert [out.name for out in engine.benched()] == ["p#one/a", "p#two/a", "p/a"]
    assert [event.key for event in heard.of("attempt.started")] == [
        "p#one",
        "p#two",
        "p#low",
        "p#low",
        "p#low",
    ]


@pytest.mark.usefixtures("_keys")
@virtual
async def test_a_model_none_of_whose_keys_is_usable_counts_as_benched() -> None:
    provider = Scripted({"a": [status(401)]})
    async with running(chain_of(provider, "a", keys=KEYS)) as (engine, _):
        with pytest.raises(ChainExhausted):
            await engine.complete("main", "hi")
        assert engine.is_benched("p/a")
        assert engine.unbench("p/a")
        assert engine.benched() == []


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.usefixtures("_keys")
@virtual
async def test_all_benched_with_try_asks_nobody_whose_only_key_is_dead(code: int) -> None:
    provider = Scripted({"a": [status(code), "no"]})
    async with running(chain_of(provider, "a", keys=KEYS[:1])) as (engine, _):
        with pytest.raises(ChainExhausted):
            await engine.complete("main", "hi")
        with pytest.raises(AllBenched):
            await engine.complete("main", "hi")
    assert provider.models() == ["a"]


@pytest.mark.usefixtures("_keys")
@virtual
async def test_all_benched_with_try_uses_a_benched_key_and_never_a_dead_one() -> None:
    spent = [status(429), "again"]
    provider = Scripted({"a": lambda call: spent.pop(0) if call.key.name == "p#one" else status(401)})
    async with running(chain_of(provider, "a", keys=KEYS[:2], policy=NO_WAIT)) as (engine, _):
        with pytest.raises(ChainExhausted):
            await engine.complete("main", "hi")
        assert [out.name for out in engine.benched()] == ["p#one/a", "p#two"]
        assert (await engine.complete("main", "hi")).text == "again"


@virtual
async def test_a_key_that_is_not_set_makes_the_model_unusable_and_says_which_variable() -> None:
    provider = Scripted({"a": ["no"]})
    async with running(chain_of(provider, "a", keys=(KeySource("k", env="NOT_SET_ANYWHERE"),))) as (
        engine,
        _,
    ):
        with pytest.raises(NoUsableModel, match="NOT_SET_ANYWHERE is not set"):
            await engine.complete("main", "hi")


@virtual
async def test_an_auth_error_stops_the_request_if_the_policy_says_raise() -> None:
    provider = Scripted({"a": [status(401)], "b": ["fine"]})
    async with running(chain_of(provider, "a", "b", policy=Policy(on_auth_error="raise"))) as (engine, _):
        with pytest.raises(AuthDeadError):
            await engine.complete("main", "hi")


@virtual
async def test_all_benched_with_try_asks_the_one_due_soonest_first() -> None:
    provider = Scripted(
        {"a": [status(429, retry_after_s=90.0), "a again"], "b": [status(429, retry_after_s=60.0), "b again"]}
    )
    async with running(chain_of(provider, "a", "b", policy=NO_WAIT)) as (engine, heard):
        with pytest.raises(ChainExhausted):
            await engine.complete("main", "hi")
        heard.clear()
        assert (await engine.complete("main", "hi")).text == "b again"
        assert not engine.is_benched("p/b")
        assert [event.why for event in heard.of("model.unbenched")] == ["success"]


@virtual
async def test_all_benched_with_try_never_asks_one_under_manual_bench() -> None:
    provider = Scripted({"a": ["a"], "b": ["b"]})
    async with running(chain_of(provider, "a", "b")) as (engine, _):
        engine.bench("p/a", reason="cost", by="alice")
        engine.bench("p/b", for_=60, by="bob")
        with pytest.raises(AllBenched, match=r"p/a held by alice without end \(cost\)") as caught:
            await engine.complete("main", "hi")
    assert caught.value.models == ("p/a", "p/b")
    assert caught.value.retry_after_s == 60.0
    assert provider.calls == []


@virtual
async def test_all_benched_with_fail_fails_at_once() -> None:
    provider = Scripted({"a": [status(500), status(500), status(500), "ok"]})
    policy = Policy(when_all_benched="fail", backoff=Backoff(0, 0))
    async with running(chain_of(provider, "a", policy=policy)) as (engine, _):
        with pytest.raises(ChainExhausted):
            await engine.complete("main", "hi")
        with pytest.raises(AllBenched):
            await engine.complete("main", "hi")
    assert len(provider.calls) == 3


@virtual
async def test_all_benched_with_wait_sleeps_until_the_first_is_due() -> None:
    provider = Scripted({"a": [status(500), status(500), status(500), "ok"]})
    policy = Policy(when_all_benched="wait", backoff=Backoff(0, 0))
    async with running(chain_of(provider, "a", policy=policy)) as (engine, _):
        with pytest.raises(ChainExhausted):
            await engine.complete("main", "hi")
        reply = await engine.complete("main", "hi")
    assert reply.text == "ok"
    assert reply.elapsed_s == pytest.approx(300, abs=0.1)


@virtual
async def test_a_waiting_request_goes_on_as_soon_as_somebody_unbenches() -> None:
    provider = Scripted({"a": ["ok"]})
    async with running(chain_of(provider, "a", policy=Policy(when_all_benched="wait"))) as (engine, _):
        engine.bench("p/a", for_=300)
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(10)
        engine.unbench("p/a")
        assert (await asking).elapsed_s == pytest.approx(10)


@virtual
async def test_a_model_benched_by_hand_during_a_backoff_is_not_asked_again() -> None:
    provider = Scripted({"a": [status(500)], "b": ["fine"]})
    slow = Policy(backoff=lambda _: 10.0)
    async with running(chain_of(provider, "a", "b", policy=slow)) as (engine, _):
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(5)
        engine.bench("p/a", by="alice")
        assert (await asking).model == "p/b"
    assert provider.models() == ["a", "b"]


@virtual
async def test_a_cancelled_request_stops_at_once_and_benches_nobody() -> None:
    provider = Scripted({"a": [HANG], "b": ["no"]})
    async with running(chain_of(provider, "a", "b")) as (engine, heard):
        asking = asyncio.create_task(engine.complete("main", "hi"))
        await pass_time(1)
        await cancelled(asking)
        assert engine.benched() == []
    assert heard.names()[-2:] == ["attempt.cancelled", "request.cancelled"]
    assert provider.models() == ["a"]
    assert provider.open == 0


@virtual
async def test_a_providers_own_override_decides() -> None:
    provider = Scripted({"a": [status(403)], "b": ["fine"]})
    config = Config(
        providers={"p": ProviderConfig("p", adapter=provider, errors={403: "transient"})},
        chains={"main": ChainConfig("main", ("p/a", "p/b"), NO_WAIT)},
    )
    async with running(config) as (engine, _):
        await engine.complete("main", "hi")
    assert provider.models() == ["a", "a", "a", "b"]


@virtual
async def test_a_models_own_timeouts_win_over_the_policys() -> None:
    provider = Scripted({"a": [After(50, "slow but fine")]})
    config = Config(
        providers={"p": ProviderConfig("p", adapter=provider, models={"a": ModelConfig({"attempt": 60.0})})},
        defaults=Policy().replace(timeouts=Timeouts(attempt=10.0)),
    )
    async with running(config) as (engine, _):
        assert (await engine.complete("p/a", "hi")).text == "slow but fine"


@virtual
async def test_an_error_carries_no_context_that_could_hold_a_key() -> None:
    provider = Scripted({"a": [ValueError("sk-canary-0123456789abcdef")]})
    async with running(chain_of(provider, "a", policy=NO_WAIT)) as (engine, heard):
        with pytest.raises(ChainExhausted) as caught:
            await engine.complete("main", "hi")
    error: BaseException | None = caught.value
    assert error is not None
    assert error.__context__ is None
    assert error.__cause__ is None
    assert "canary" not in str(error)
    assert all("canary" not in str(event.to_json()) for event in heard)
