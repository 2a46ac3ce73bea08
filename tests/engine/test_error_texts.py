"""What errors say to whoever runs the thing: who, why, until when, and what would change that."""

from __future__ import annotations

import asyncio
import pickle
import random
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from engine.config.load import parse_config
from engine.config.model import ChainConfig, Config, KeySource, ModelConfig, ProviderConfig
from engine.engine import Engine
from engine.errors import (
    AllBenched,
    AuthDeadError,
    ChainExhausted,
    ConfigError,
    DeadlineExceeded,
    NoUsableModel,
    RequestError,
    StandbyError,
    StreamInterrupted,
    UnknownTarget,
)
from engine.messages import Delta, Usage
from engine.policy import Backoff, Policy
from engine.providers.base import Answer, Signal
from tests.scripted import HANG, Parts, Scripted, chain_of, status
from tests.virtual_time import virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0))
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
ONE, TWO = "sk-canary-one-0123456789", "sk-canary-two-0123456789"


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Engine]:
    async with Engine(config, clock=asyncio.get_running_loop().time, rng=random.Random(1)) as engine:
        yield engine


def scripted(policy: Policy = ONCE, keys: tuple[KeySource, ...] = (), **scripts: Any) -> Config:
    return chain_of(Scripted(scripts), *scripts, policy=policy, keys=keys)


async def said(error: type[StandbyError], config: Config, target: str = "main", **asking: Any) -> str:
    """The message of the error that a request ends in."""
    async with running(config) as engine:
        with pytest.raises(error) as caught:
            await engine.complete(target, "hi", **asking)
    return str(caught.value)


def is_text(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


@pytest.fixture
def two_keys(monkeypatch: pytest.MonkeyPatch) -> tuple[KeySource, ...]:
    monkeypatch.setenv("ONE", ONE)
    monkeypatch.setenv("TWO", TWO)
    return (KeySource("one", env="ONE"), KeySource("two", env="TWO"))


# ChainExhausted, for each reason there is

REASONS: list[tuple[Any, str]] = [
    (status(500), "server_error (HTTP 500): the provider says 500"),
    (status(503), "overloaded (HTTP 503): the provider says 503"),
    (status(504), "timeout (HTTP 504): the provider says 504"),
    (status(429), "rate_limited (HTTP 429): the provider says 429"),
    (status(402), "quota (HTTP 402): the provider says 402"),
    (status(401), "invalid_key (HTTP 401): the provider says 401"),
    (status(403), "forbidden (HTTP 403): the provider says 403"),
    (status(404), "model_not_found (HTTP 404): the provider says 404"),
    (status(418), "http_418 (HTTP 418): the provider says 418"),
    (Signal("connection", "could not connect to h:1"), "connection: could not connect to h:1"),
    (Signal("timeout", "no connection to h:1 within 10s"), "timeout: no connection to h:1 within 10s"),
    (Signal("protocol", "that is HTML"), "protocol: that is HTML"),
    (Answer("", "stop", Usage()), "empty: it finished normally, with neither text nor a tool call"),
    (RuntimeError("oops"), "unknown: RuntimeError: oops"),
]
NOBODY: list[tuple[Any, str]] = [
    (status(400), "bad_request (HTTP 400): the provider says 400"),
    (status(413), "too_large (HTTP 413): the provider says 413"),
    (status(400, codes=("context_length_exceeded",)), "context_length (HTTP 400): the provider says 400"),
    (Signal("unsupported", "no tools here"), "unsupported: no tools here"),
]


@pytest.mark.parametrize(("what", "why"), REASONS)
@virtual
async def test_a_chain_that_failed_names_who_why_and_until_when(what: Any, why: str) -> None:
    text = await said(ChainExhausted, scripted(a=[what]))
    told = rf"no model of main answered: p/a: {re.escape(why)} \[benched until {TIME}\]"
    assert is_text(told, text)


@pytest.mark.parametrize(("what", "why"), NOBODY)
@virtual
async def test_a_request_at_fault_is_nobodys_bench(what: Any, why: str) -> None:
    assert await said(ChainExhausted, scripted(a=[what])) == f"no model of main answered: p/a: {why}"


@pytest.mark.parametrize(
    ("batches", "why"),
    [
        ([1e9], "first_token_timeout: nothing came within 60s"),
        ([[]], "truncated: the stream ended before the answer did"),
    ],
)
@virtual
async def test_a_stream_that_never_began_says_so(batches: list[Any], why: str) -> None:
    async with running(scripted(a=[Parts(batches)])) as engine:
        with pytest.raises(ChainExhausted, match=rf"p/a: {why} \[benched until {TIME}\]"):
            async with engine.stream("main", "hi"):
                pass


@virtual
async def test_each_model_is_told_once_with_its_last_cause_and_one_that_was_skipped_with_its_bench() -> None:
    config = scripted(Policy(attempts=2, backoff=Backoff(0, 0)), a=[status(500), status(503)], b=["unused"])
    async with running(config) as engine:
        engine.bench("p/b", reason="cost", by="alice")
        with pytest.raises(ChainExhausted) as caught:
            await engine.complete("nobody/x, main", "hi")
    assert is_text(
        r"no model of nobody/x, main answered: "
        rf"p/a: overloaded \(HTTP 503\): the provider says 503 \[benched until {TIME}\]; "
        r"p/b: held by alice without end \(cost\); nobody/x: nothing has this name",
        str(caught.value),
    )


@virtual
async def test_each_key_that_is_refused_is_named(two_keys: tuple[KeySource, ...]) -> None:
    text = await said(ChainExhausted, scripted(keys=two_keys, a=[status(401)]))
    assert "p/a: invalid_key (HTTP 401) with p#one: the provider says 401" in text
    assert "p/a: invalid_key (HTTP 401) with p#two: the provider says 401 [p#one benched until " in text
    assert ONE not in text
    assert TWO not in text


@virtual
async def test_an_upstreams_words_stay_on_one_line_are_cut_and_hold_no_key(
    two_keys: tuple[KeySource, ...],
) -> None:
    words = f"line one\r\nline two {ONE} " + "x" * 1000
    config = scripted(keys=two_keys[:1], a=[Signal("status", words, status=500)])
    async with running(config) as engine:
        with pytest.raises(ChainExhausted) as caught:
            await engine.complete("main", "hi")
    text = str(caught.value)
    assert "line one line two [redacted] xxx" in text
    assert len(text.splitlines()) == 1
    assert len(text) < 400
    assert len(caught.value.causes[0].message) == 500


# AllBenched


def benching(*names: str, **facts: Any) -> Callable[[Engine], None]:
    def bench(engine: Engine) -> None:
        for name in names:
            engine.bench(name, **facts)

    return bench


async def all_benched(config: Config, bench: Callable[[Engine], None], failures: int = 0) -> str:
    """The message of an `AllBenched`, after some requests that failed and what an operator did."""
    async with running(config) as engine:
        for _ in range(failures):
            with pytest.raises(ChainExhausted):
                await engine.complete("main", "hi")
        bench(engine)
        with pytest.raises(AllBenched) as caught:
            await engine.complete("main", "hi")
    return str(caught.value)


@virtual
async def test_automatic_benches_say_until_when_and_how_to_ask_all_the_same() -> None:
    config = scripted(ONCE.replace(when_all_benched="fail"), a=[status(503)], b=[status(503)])
    assert is_text(
        rf"every model of main is on the bench: p/a, p/b benched until {TIME} \(overloaded\); "
        "`when_all_benched: try` would ask all the same, `wait` would wait",
        await all_benched(config, benching(), failures=1),
    )


@virtual
async def test_a_wait_that_does_not_fit_says_what_would() -> None:
    config = scripted(ONCE.replace(when_all_benched="wait", deadline=5), a=[status(503)])
    text = await all_benched(config, benching(), failures=1)
    assert text.endswith("; a longer `deadline` would let the request wait")


@virtual
async def test_what_an_operator_holds_says_who_holds_it_and_what_to_unbench() -> None:
    text = await all_benched(scripted(a=["unused"]), benching("p/a", reason="cost", by="alice", for_=60))
    assert is_text(
        rf"every model of main is on the bench: p/a held by alice until {TIME} \(cost\); "
        "unbench p/a, which nothing else brings back early",
        text,
    )


@virtual
async def test_a_whole_provider_that_is_held_is_named_as_what_it_is() -> None:
    config = scripted(a=["unused"], b=["unused"])
    assert await all_benched(config, benching("p/*", by="bob")) == (
        "every model of main is on the bench: p/a, p/b p/* held by bob without end; "
        "unbench p/*, which nothing else brings back early"
    )


@virtual
async def test_keys_that_are_held_are_named(two_keys: tuple[KeySource, ...]) -> None:
    config = scripted(keys=two_keys[:1], a=["unused"])
    assert await all_benched(config, benching("p#one", reason="leaked", by="bob")) == (
        "every model of main is on the bench: p/a p#one held by bob without end (leaked); "
        "unbench p#one, which nothing else brings back early"
    )


@virtual
async def test_a_dead_key_is_to_be_seen_to(two_keys: tuple[KeySource, ...]) -> None:
    text = await all_benched(scripted(keys=two_keys[:1], a=[status(401)]), benching(), failures=1)
    assert is_text(
        rf"every model of main is on the bench: p/a p#one benched until {TIME} \(invalid_key\); "
        "see to p#one, then unbench it",
        text,
    )


@virtual
async def test_a_mixture_tells_each_with_its_own_way_out() -> None:
    config = scripted(ONCE.replace(when_all_benched="fail"), a=[status(503)], b=[status(401)], c=["unused"])
    async with running(config) as engine:
        engine.bench("p/c", by="bob")
        with pytest.raises(ChainExhausted):
            await engine.complete("main", "hi")
        with pytest.raises(AllBenched) as caught:
            await engine.complete("main, nobody/x", "hi")
    assert is_text(
        rf"every model of main, nobody/x is on the bench: p/a benched until {TIME} \(overloaded\); "
        rf"p/b benched until {TIME} \(invalid_key\); p/c held by bob without end; "
        r"nobody/x: nothing has this name; unbench p/c, which nothing else brings back early; "
        r"see to p/b, then unbench it; `when_all_benched: try` would ask all the same, `wait` would wait",
        str(caught.value),
    )


# Nothing that could be asked


@virtual
async def test_a_key_that_is_not_set_is_named_once_for_all_its_models() -> None:
    config = scripted(keys=(KeySource("main", env="OPENAI_API_KEY_"),), a=["unused"], b=["unused"])
    assert await said(NoUsableModel, config, "main, nobody/x") == (
        "no model of main, nobody/x can be used: p/a, p/b: OPENAI_API_KEY_ is not set "
        "(a running process does not see a later change: start it again); "
        "nobody/x: unknown provider 'nobody'"
    )


@virtual
async def test_a_request_that_fits_no_model_says_how_long_it_is_and_what_would_help() -> None:
    config = scripted(a=["unused"])
    provider = replace(config.providers["p"], models={"a": ModelConfig(context_tokens=100)})
    config = replace(config, providers={"p": provider})
    async with running(config) as engine:
        with pytest.raises(NoUsableModel) as caught:
            await engine.complete("main", "word " * 4000)
    assert is_text(
        r"no model of main can be used: p/a: the request has about \d+ tokens, the model takes 100; "
        "shorten the request, or add a model with a larger context",
        str(caught.value),
    )
    assert caught.value.reasons == ("too_long",)


@virtual
async def test_an_adapter_that_cannot_be_built_says_why() -> None:
    config = Config(
        providers={"p": ProviderConfig("p", kind="openai", base_url="http://[")},
        chains={"main": ChainConfig("main", ("p/a",), ONCE)},
    )
    async with running(config) as engine:
        with pytest.raises(NoUsableModel) as caught:
            await engine.complete("main, nobody", "hi")
    text = str(caught.value)
    assert text.startswith(
        "no model of main, nobody can be used: p/a: its provider can't be set up: ValueError: "
    )
    assert text.endswith("; nobody: nothing has this name")
    assert caught.value.reasons == ("unresolved", "unresolved")


@virtual
async def test_an_unknown_target_says_what_was_meant_or_what_there_is() -> None:
    config = scripted(a=["unused"])
    assert await said(UnknownTarget, config, "mian") == "unknown name 'mian', did you mean 'main'?"
    assert await said(UnknownTarget, config, "zzzz") == "unknown name 'zzzz'; known chains: main"
    assert await said(UnknownTarget, config, "main", only=True) == (
        "exactly one model is asked for, and 'main' is not the name of one; name one of p/a"
    )


# Time


@virtual
async def test_a_deadline_names_the_model_that_was_being_asked() -> None:
    assert await said(DeadlineExceeded, scripted(a=[HANG]), deadline=5) == (
        "no answer to main within its deadline of 5s: p/a had not answered yet; "
        "raise `deadline`, or lower `timeouts` so that the next model gets its turn"
    )


@virtual
async def test_a_deadline_names_those_that_had_failed_before() -> None:
    assert await said(DeadlineExceeded, scripted(a=[status(500)], b=[HANG]), deadline=90) == (
        "no answer to main within its deadline of 1m30s: "
        "p/a: server_error (HTTP 500): the provider says 500; "
        "p/b had not answered yet; "
        "raise `deadline`, or lower `timeouts` so that the next model gets its turn"
    )


# Streams


def breaks(text: str) -> Parts:
    return Parts([[Delta(text)], Signal("connection", "reset by h:1")])


async def drain(engine: Engine) -> None:
    async with engine.stream("main", "hi") as stream:
        async for _ in stream:
            pass


async def interrupted(config: Config) -> str:
    async with running(config) as engine:
        with pytest.raises(StreamInterrupted) as caught:
            await drain(engine)
    return str(caught.value)


@virtual
async def test_a_broken_stream_says_what_would_have_gone_on() -> None:
    assert await interrupted(scripted(a=[breaks("so far")], b=["unused"])) == (
        "p/a broke off after 6 characters: connection: reset by h:1; "
        "with another `mid_stream` than raise the next model would take over"
    )


@pytest.mark.parametrize("mid_stream", ["append", "continue", "restart"])
@virtual
async def test_a_broken_stream_that_nobody_took_over_says_why(mid_stream: str) -> None:
    config = scripted(ONCE.replace(mid_stream=mid_stream), a=[breaks("so far")], b=[status(503)])
    assert is_text(
        r"p/a broke off after 6 characters: connection: reset by h:1; and nobody took over: "
        rf"no model of main answered: p/a: connection: reset by h:1 \[benched until {TIME}\]; "
        rf"p/b: overloaded \(HTTP 503\): the provider says 503 \[benched until {TIME}\]",
        await interrupted(config),
    )


# An upstream's own error, where the policy says to stop at it


@virtual
async def test_an_error_at_which_the_policy_stops_names_model_and_key(
    two_keys: tuple[KeySource, ...],
) -> None:
    config = scripted(ONCE.replace(on_auth_error="raise"), two_keys[:1], a=[status(401)])
    async with running(config) as engine:
        with pytest.raises(AuthDeadError) as caught:
            await engine.complete("main", "hi")
    assert str(caught.value) == "p/a: invalid_key (HTTP 401) with p#one: the provider says 401"
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  (our own)
    assert (str(again), again.key) == (str(caught.value), "p#one")


@virtual
async def test_a_request_at_which_the_policy_stops_is_told_in_the_providers_words() -> None:
    config = scripted(ONCE.replace(on_request_error="raise"), a=[status(400)])
    assert await said(RequestError, config) == "p/a: bad_request (HTTP 400): the provider says 400"
    filtered = scripted(a=[Answer("", "content_filter", Usage())])
    assert await said(RequestError, filtered) == "p/a: content_filter: the answer was withheld"


def test_a_configuration_error_is_one_fault_a_line() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config("providers: {p: {kind: opnai}}\nchains: {main: [q/x]}\n", path="standby.yaml")
    first, second = str(caught.value).splitlines()
    assert first.startswith("standby.yaml:1:")
    assert "did you mean" in first
    assert second.startswith("standby.yaml:2:")
