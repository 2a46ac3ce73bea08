"""Requests for vectors: batches, failover, and never two models in one answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine import (
    AllBenched,
    Backoff,
    ChainConfig,
    ChainExhausted,
    Config,
    DeadlineExceeded,
    EmbedLimits,
    KeySource,
    Owner,
    Policy,
    ProviderConfig,
    Usage,
    Vectors,
)
from engine.embedding import batch
from engine.providers.base import Answer, Call, EmbedCall
from tests.scripted import HANG, After, Scripted, cancelled, chain_of, running, status, vector_of
from tests.virtual_time import pass_time, virtual

NO_WAIT = Policy(backoff=Backoff(0, 0))
TWO = EmbedLimits(texts=2)
FIVE = ["one", "two", "three", "four", "five"]


def made_by(model: str, texts: Sequence[str]) -> tuple[list[float], ...]:
    return tuple(vector_of(model, text) for text in texts)


def sent(provider: Scripted) -> list[tuple[str, tuple[str, ...]]]:
    return [(call.model, call.texts) for call in provider.embeds]


@virtual
async def test_one_vector_for_each_text_in_their_order() -> None:
    provider = Scripted({"a": ["ok"], "b": ["ok"]})
    async with running(chain_of(provider, "a", "b")) as (engine, heard):
        got = await engine.embed("main", FIVE)
    assert got.vectors == made_by("a", FIVE)
    assert (len(got), got[1], got[-1], got[1:3], list(got)) == (
        5,
        vector_of("a", "two"),
        vector_of("a", "five"),
        made_by("a", FIVE[1:3]),
        list(made_by("a", FIVE)),
    )
    assert isinstance(got, Sequence)
    assert (got.model, got.usage, got.attempts, got.fallback) == ("p/a", Usage(5), 1, False)
    assert heard.names() == ["request.started", "attempt.started", "attempt.succeeded", "request.succeeded"]
    (started,), (ended,) = heard.of("request.started"), heard.of("request.succeeded")
    assert started.mode == "embed"
    assert (ended.model, ended.attempts, ended.input_tokens, ended.request) == ("p/a", 1, 5, got.request)
    assert "vectors" not in repr(got)


@virtual
async def test_one_text_has_one_vector() -> None:
    provider = Scripted({"a": ["ok"]})
    async with running(chain_of(provider, "a")) as (engine, _):
        assert list(await engine.embed("main", "one")) == [vector_of("a", "one")]


@pytest.mark.parametrize(
    ("texts", "error", "words"),
    [
        ("", ValueError, "the text to embed is empty"),
        ([], ValueError, "there is no text to embed"),
        (["one", ""], ValueError, r"texts\[1\] is empty"),
        (["one", 2], TypeError, r"texts\[1\] is int, not text"),
        (["one", None], TypeError, r"texts\[1\] is NoneType, not text"),
        ([b"one"], TypeError, r"texts\[0\] is bytes, not text"),
        (b"one", TypeError, "is bytes, not text or a list of texts"),
        (None, TypeError, "is NoneType, not text or a list of texts"),
        ({"one": 1}, TypeError, "is dict, not text or a list of texts"),
    ],
)
@virtual
async def test_what_is_no_text_is_refused_and_nothing_sent(
    texts: Any, error: type[Exception], words: str
) -> None:
    provider = Scripted({"a": ["ok"]})
    async with running(chain_of(provider, "a")) as (engine, heard):
        with pytest.raises(error, match=words):
            await engine.embed("main", texts)
    assert provider.embeds == []
    assert heard == []


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"system": "Be brief."}, TypeError, "unknown option 'system'"),
        ({"max_tokens": 5}, TypeError, "unknown option 'max_tokens'"),
        ({"dimensions": 0}, ValueError, "dimensions must be more than 0"),
        ({"dimensions": 1.5}, TypeError, "dimensions is float, not a whole number"),
        ({"dimensions": True}, TypeError, "dimensions is bool"),
        ({"deadline": 0}, ValueError, "deadline must be more than 0"),
    ],
)
@virtual
async def test_an_option_that_makes_no_sense_is_refused(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    provider = Scripted({"a": ["ok"]})
    async with running(chain_of(provider, "a")) as (engine, _):
        with pytest.raises(error, match=words):
            await engine.embed("main", "one", **options)
    assert provider.embeds == []


@virtual
async def test_each_batch_is_an_attempt_of_its_own() -> None:
    provider = Scripted({"a": ["ok"]}, TWO)
    async with running(chain_of(provider, "a")) as (engine, heard):
        got = await engine.embed("main", FIVE)
    assert sent(provider) == [("a", ("one", "two")), ("a", ("three", "four")), ("a", ("five",))]
    assert got.vectors == made_by("a", FIVE)
    assert (got.attempts, got.usage) == (3, Usage(5))
    assert [event.attempt for event in heard.of("attempt.started")] == [1, 1, 1]
    assert [event.input_tokens for event in heard.of("attempt.succeeded")] == [2, 2, 1]
    (ended,) = heard.of("request.succeeded")
    assert (ended.attempts, ended.input_tokens) == (3, 5)


@virtual
async def test_a_failure_in_the_second_batch_retries_that_batch_alone() -> None:
    provider = Scripted({"a": ["ok", status(500), status(500), "ok"], "b": ["ok"]}, TWO)
    async with running(chain_of(provider, "a", "b", policy=NO_WAIT)) as (engine, heard):
        got = await engine.embed("main", FIVE)
        assert engine.benched() == []
    assert [texts for _, texts in sent(provider)] == [
        ("one", "two"),
        ("three", "four"),
        ("three", "four"),
        ("three", "four"),
        ("five",),
    ]
    assert got.vectors == made_by("a", FIVE)
    assert (got.model, got.attempts, got.fallback) == ("p/a", 5, False)
    assert [event.attempt for event in heard.of("attempt.started")] == [1, 1, 2, 3, 1]


@virtual
async def test_another_model_begins_anew_and_vectors_never_mix() -> None:
    provider = Scripted({"a": ["ok", "ok", status(401)], "b": ["ok"]}, TWO)
    async with running(chain_of(provider, "a", "b", policy=NO_WAIT)) as (engine, heard):
        got = await engine.embed("main", FIVE)
        assert engine.is_benched("p/a")
    assert [model for model, _ in sent(provider)] == ["a", "a", "a", "b", "b", "b"]
    assert got.vectors == made_by("b", FIVE)
    assert (got.model, got.attempts, got.fallback, got.usage) == ("p/b", 6, True, Usage(5))
    assert heard.of("attempt.failed")[0].next_model == "p/b"


@virtual
async def test_a_model_that_is_benched_between_two_batches_brings_no_more() -> None:
    provider = Scripted({"a": [After(10, "ok")], "b": ["ok"]}, TWO)
    async with running(chain_of(provider, "a", "b")) as (engine, heard):
        asking = asyncio.create_task(engine.embed("main", FIVE))
        await pass_time(15)
        engine.bench("p/a", by="alice")
        got = await asking
    assert got.vectors == made_by("b", FIVE)
    assert [model for model, _ in sent(provider)] == ["a", "a", "b", "b", "b"]
    (skipped,) = heard.of("model.skipped")
    assert (skipped.model, skipped.why) == ("p/a", "benched")


BAD: list[tuple[Vectors, str]] = [
    (Vectors([]), "0 vectors for 2 texts"),
    (Vectors([[1.0]]), "1 vectors for 2 texts"),
    (Vectors([[1.0]] * 3), "3 vectors for 2 texts"),
    (Vectors([[1.0], [1.0, 2.0]]), "differing or no length: 1, 2"),
    (Vectors([[], []]), "differing or no length: 0"),
    (Vectors([[1.0], [math.nan]]), "NaN or an infinity"),
    (Vectors([[1.0], [-math.inf]]), "NaN or an infinity"),
    (Vectors([[math.inf, -math.inf], [1.0, 1.0]]), "NaN or an infinity"),
]


@pytest.mark.parametrize(("bad", "words"), BAD)
@virtual
async def test_vectors_that_cannot_be_right_are_the_models_failure(bad: Vectors, words: str) -> None:
    provider = Scripted({"a": [bad._replace(usage=Usage(7))], "b": ["ok"]})
    async with running(chain_of(provider, "a", "b", policy=NO_WAIT)) as (engine, heard):
        got = await engine.embed("main", ["one", "two"])
        assert engine.is_benched("p/a")
    assert got.vectors == made_by("b", ["one", "two"])
    failures = heard.of("attempt.failed")
    assert [(event.reason, event.kind, event.input_tokens) for event in failures] == [
        ("protocol", "transient", 7)
    ] * 3
    assert words in failures[0].message


@virtual
async def test_huge_numbers_are_numbers_all_the_same() -> None:
    huge = Vectors([[1.7e308, 1.7e308]])
    provider = Scripted({"a": [huge]})
    async with running(chain_of(provider, "a")) as (engine, _):
        assert (await engine.embed("main", "one")).vectors == tuple(huge.vectors)


@virtual
async def test_batches_whose_vectors_differ_in_length_do_not_belong_together() -> None:
    short = Vectors([[1.0, 2.0]] * 2)
    provider = Scripted({"a": ["ok", short, "ok"]}, TWO)
    async with running(chain_of(provider, "a", policy=NO_WAIT)) as (engine, heard):
        assert (await engine.embed("main", FIVE)).vectors == made_by("a", FIVE)
    (failed,) = heard.of("attempt.failed")
    assert failed.message == "vectors of differing or no length: 2, 3"


@virtual
async def test_a_model_that_has_no_vectors_of_the_length_asked_for_is_not_benched_for_it() -> None:
    provider = Scripted({"a": ["ok"], "b": [Vectors([[1.0, 2.0]])]})
    async with running(chain_of(provider, "a", "b")) as (engine, heard):
        got = await engine.embed("main", "one", dimensions=2)
        assert engine.benched() == []
    assert (got.vectors, got.model, got.attempts) == (([1.0, 2.0],), "p/b", 2)
    assert [call.dimensions for call in provider.embeds] == [2, 2]
    (failed,) = heard.of("attempt.failed")
    assert (failed.reason, failed.message) == ("unsupported", "asked for vectors of length 2, it gave 3")


class ChatOnly:
    """An adapter of somebody's who never heard of embeddings."""

    async def complete(self, call: Call) -> Answer:
        return Answer(call.model, "stop", Usage())

    def stream(self, call: Call) -> Any:
        raise NotImplementedError

    async def aclose(self) -> None:
        pass


@virtual
async def test_an_adapter_without_embeddings_is_passed_over_and_nobody_benched() -> None:
    provider = Scripted({"b": ["ok"]})
    providers = {
        "chat": ProviderConfig("chat", adapter=ChatOnly()),
        "p": ProviderConfig("p", adapter=provider),
    }
    config = Config(providers=providers, chains={"main": ChainConfig("main", ("chat/a", "p/b"))})
    async with running(config) as (engine, heard):
        assert (await engine.embed("main", "one")).model == "p/b"
        assert engine.benched() == []
        with pytest.raises(ChainExhausted, match="has no method `embed`") as caught:
            await engine.embed("chat/a", "one")
    assert (caught.value.kind, caught.value.reason) == ("request_specific", "unsupported")
    assert heard.of("attempt.failed")[0].bench is None


@virtual
async def test_an_adapter_that_states_no_limits_gets_what_openai_takes() -> None:
    class Plain(ChatOnly):
        def __init__(self) -> None:
            self.sizes: list[int] = []

        async def embed(self, call: EmbedCall) -> Vectors:
            self.sizes.append(len(call.texts))
            return Vectors([[1.0]] * len(call.texts))

    plain = Plain()
    async with running(Config(providers={"p": ProviderConfig("p", adapter=plain)})) as (engine, _):
        got = await engine.embed("p/a", ["x"] * 5000)
    assert (len(got), got.usage) == (5000, Usage())
    assert plain.sizes == [2048, 2048, 904]


@virtual
async def test_a_storm_of_429_moves_on_and_the_whole_chain_says_when_it_is_back() -> None:
    storm = status(429, retry_after_s=60)
    provider = Scripted({"a": ["ok", storm], "b": [storm]}, TWO)
    async with running(chain_of(provider, "a", "b", policy=NO_WAIT)) as (engine, heard):
        with pytest.raises(ChainExhausted) as caught:
            await engine.embed("main", FIVE)
        assert [(cause.model, cause.reason) for cause in caught.value.causes] == [
            ("p/a", "rate_limited"),
            ("p/b", "rate_limited"),
        ]
        assert caught.value.retry_after_s == pytest.approx(60)
        with pytest.raises(AllBenched):
            await engine.embed("main", FIVE, policy=NO_WAIT.replace(when_all_benched="fail"))
    assert heard.names()[-1] == "request.failed"


@virtual
async def test_a_key_that_is_used_up_gives_way_to_the_next_and_the_batches_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FIRST", "key-one")
    monkeypatch.setenv("SECOND", "key-two")

    def step(call: EmbedCall) -> Any:
        first = call.key is not None and call.key.name == "p#first"
        return status(429) if first and "three" in call.texts else "ok"

    provider = Scripted({"a": step}, TWO)
    keys = (KeySource("first", env="FIRST", tier=1), KeySource("second", env="SECOND", tier=2))
    async with running(chain_of(provider, "a", keys=keys)) as (engine, heard):
        got = await engine.embed("main", FIVE)
    assert got.vectors == made_by("a", FIVE)
    assert [event.key for event in heard.of("attempt.started")] == [
        "p#first",
        "p#first",
        "p#second",
        "p#second",
    ]


@virtual
async def test_the_deadline_spans_all_batches_and_benches_nobody() -> None:
    provider = Scripted({"a": [After(20, "ok")]}, TWO)
    async with running(chain_of(provider, "a")) as (engine, heard):
        with pytest.raises(DeadlineExceeded):
            await engine.embed("main", FIVE, deadline=50)
        assert engine.benched() == []
    assert asyncio.get_running_loop().time() == pytest.approx(50, abs=0.01)
    assert provider.open == 0
    assert heard.names()[-2:] == ["attempt.cancelled", "request.failed"]


@virtual
async def test_a_batch_that_takes_too_long_is_a_timeout() -> None:
    provider = Scripted({"a": ["ok", HANG], "b": ["ok"]}, TWO)
    async with running(chain_of(provider, "a", "b")) as (engine, heard):
        got = await engine.embed("main", FIVE, timeout=30)
    assert got.vectors == made_by("b", FIVE)
    assert heard.of("attempt.failed")[0].reason == "timeout"


@virtual
async def test_cancelled_between_its_batches_it_leaves_nothing_behind() -> None:
    provider = Scripted({"a": ["ok", HANG]}, TWO)
    async with running(chain_of(provider, "a")) as (engine, heard):
        asking = asyncio.create_task(engine.embed("main", FIVE))
        await pass_time(1)
        await cancelled(asking)
        assert engine.benched() == []
    assert provider.open == 0
    assert heard.names()[-2:] == ["attempt.cancelled", "request.cancelled"]


@virtual
async def test_texts_enter_events_if_they_are_recorded_and_vectors_never_do() -> None:
    provider = Scripted({"a": ["ok"]})
    config = chain_of(provider, "a")
    async with running(config) as (engine, heard):
        await engine.embed("main", ["secret text"])
        assert not any("secret" in repr(event) for event in heard)
    recorded = Config(
        providers=config.providers, chains=config.chains, defaults=config.defaults, record_prompts=True
    )
    async with running(recorded) as (engine, heard):
        await engine.embed("main", ["secret text"])
    assert heard.of("request.started")[0].to_json()["prompt"] == ["secret text"]
    assert heard.of("request.succeeded")[0].to_json().get("answer") is None


@virtual
async def test_the_global_fallback_is_for_answers_and_never_for_vectors() -> None:
    provider = Scripted({"a": [status(404)], "last": ["from the last"]})
    config = replace(chain_of(provider, "a"), fallback=("p/last",))
    async with running(config) as (engine, heard):
        assert (await engine.complete("main", "hi")).model == "p/last"
        engine.unbench("p/a")
        with pytest.raises(ChainExhausted):
            await engine.embed("main", "one")
    assert [call.model for call in provider.embeds] == ["a"]
    assert heard.of("request.started")[-1].models == ("p/a",)


@virtual
async def test_an_owners_names_come_first() -> None:
    provider = Scripted({"a": ["ok"], "mine": ["ok"]})
    owners = {"alice": Owner("alice", aliases={"cheap": ("p/mine",)})}
    config = replace(chain_of(provider, "a"), aliases={"cheap": ("p/a",)}, owners=owners)
    async with running(config) as (engine, heard):
        assert (await engine.embed("cheap", "one", owner="alice")).model == "p/mine"
        assert (await engine.embed("cheap", "one")).model == "p/a"
    assert [event.owner for event in heard.of("request.started")] == ["alice", None]


@given(st.lists(st.text(min_size=1, max_size=30), max_size=30), st.integers(1, 5), st.integers(1, 60))
def test_batches_are_all_texts_once_in_order_and_within_the_limits(
    listed: list[str], most: int, size: int
) -> None:
    texts, at, batches = tuple(listed), 0, []
    while at < len(texts):
        batches.append(batch(texts, at, EmbedLimits(most, size)))
        at += len(batches[-1])
    assert tuple(text for each in batches for text in each) == texts
    for each in batches:
        assert 1 <= len(each) <= most
        assert len(each) == 1 or sum(len(text.encode()) for text in each) <= size


def test_a_lone_surrogate_has_a_size_too() -> None:
    assert batch(("\ud800", "b"), 0, EmbedLimits(9, 9)) == ("\ud800", "b")
