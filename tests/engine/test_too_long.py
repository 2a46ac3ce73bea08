"""Requests that do not fit a model: passed over only where that is clear."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine.config.model import ChainConfig, Config, ModelConfig, ProviderConfig
from engine.errors import AllBenched, ChainExhausted, NoUsableModel
from engine.policy import Backoff, Policy
from tests.scripted import Scripted, running, status
from tests.virtual_time import virtual

ONCE = Policy(attempts=1, backoff=Backoff(0, 0), when_all_benched="fail")
BYTES_A_TOKEN = 4
FITS = "x" * BYTES_A_TOKEN * 110
TOO_LONG = "x" * BYTES_A_TOKEN * 111


def sized(provider: Scripted, **rooms: int | None) -> Config:
    """A chain of models, each with its `context_tokens`."""
    models = {name: ModelConfig(context_tokens=room) for name, room in rooms.items()}
    chain = ChainConfig("main", tuple(f"p/{name}" for name in rooms), ONCE)
    return Config(
        providers={"p": ProviderConfig("p", adapter=provider, models=models)}, chains={"main": chain}
    )


@virtual
async def test_a_model_is_passed_over_only_if_the_request_is_clearly_too_long_for_it() -> None:
    provider = Scripted({"a": ["a"], "b": ["b"]})
    async with running(sized(provider, a=100, b=None)) as (engine, heard):
        # An estimate up to a tenth above the limit may be wrong, so the model is asked.
        assert (await engine.complete("main", FITS)).model == "p/a"
        assert heard.of("model.skipped") == []
        assert (await engine.complete("main", TOO_LONG)).model == "p/b"
        (skipped,) = heard.of("model.skipped")
        assert (skipped.model, skipped.why, skipped.until) == ("p/a", "too_long", None)
        assert engine.benched() == []
    assert provider.models() == ["a", "b"]


@virtual
async def test_a_stream_is_measured_as_a_plain_request_is() -> None:
    provider = Scripted({"a": ["a"], "b": ["b"]})
    async with running(sized(provider, a=100, b=None)) as (engine, _):
        async with engine.stream("main", TOO_LONG) as stream:
            assert stream.model == "p/b"


TOOLS = [{"type": "function", "function": {"name": "f", "description": TOO_LONG, "parameters": {}}}]
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{TOO_LONG}"}}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": TOO_LONG}}


@pytest.mark.parametrize(
    ("asked", "model"),
    [
        ({"prompt": "hi", "tools": TOOLS}, "p/b"),
        ({"prompt": "hi", "system": TOO_LONG}, "p/b"),
        ({"prompt": [{"role": "user", "content": [{"type": "text", "text": TOO_LONG}]}]}, "p/b"),
        ({"prompt": [{"role": "user", "content": [{"type": "text", "text": "what is it?"}, IMAGE]}]}, "p/a"),
        (
            {
                "prompt": [
                    {"role": "user", "content": "hi"},
                    {"role": "assistant", "content": None, "tool_calls": [CALL]},
                    {"role": "tool", "tool_call_id": "1", "content": "done"},
                ]
            },
            "p/b",
        ),
        (
            {"prompt": [{"role": "user", "content": FITS[:240]}, {"role": "user", "content": FITS[:240]}]},
            "p/b",
        ),
        ({"prompt": "\N{SNOWMAN}" * 160}, "p/b"),  # three bytes each
    ],
)
@virtual
async def test_all_text_counts_and_no_image_does(asked: dict[str, Any], model: str) -> None:
    provider = Scripted({"a": ["a"], "b": ["b"]})
    prompt = asked["prompt"]
    options = {name: value for name, value in asked.items() if name != "prompt"}
    async with running(sized(provider, a=100, b=None)) as (engine, _):
        assert (await engine.complete("main", prompt, **options)).model == model


@virtual
async def test_when_no_model_takes_it_the_error_names_each_with_its_size() -> None:
    provider = Scripted({"a": ["a"], "b": ["b"]})
    async with running(sized(provider, a=100, b=50)) as (engine, heard):
        with pytest.raises(NoUsableModel) as caught:
            await engine.complete("main", TOO_LONG)
        assert [model for model, _ in caught.value.parts] == ["p/a", "p/b"]
        for model, room in (("p/a", 100), ("p/b", 50)):
            told = rf"{model}: the request has about 111 tokens, [a-z ]*the model takes {room}\b"
            assert re.search(told, str(caught.value))
        assert [event.why for event in heard.of("model.skipped")] == ["too_long", "too_long"]
        assert heard.of("request.failed")[0].error == "NoUsableModel"
    assert provider.calls == []


@virtual
async def test_when_the_only_one_that_takes_it_fails_the_others_are_not_asked_instead() -> None:
    provider = Scripted({"a": ["a"], "b": [status(500)]})
    async with running(sized(provider, a=100, b=1000)) as (engine, heard):
        with pytest.raises(ChainExhausted, match="p/a: the request has about 111 tokens"):
            await engine.complete("main", TOO_LONG)
        assert heard.of("attempt.failed")[0].next_model is None
        with pytest.raises(AllBenched) as caught:
            await engine.complete("main", TOO_LONG)
        assert caught.value.models == ("p/b",)
        assert (await engine.complete("main", "hi")).model == "p/a"
    assert provider.models() == ["b", "a"]


@virtual
async def test_of_what_is_embedded_the_longest_text_counts() -> None:
    provider = Scripted({"a": ["a"], "b": ["b"]})
    async with running(sized(provider, a=100, b=None)) as (engine, _):
        assert (await engine.embed("main", [FITS] * 20)).model == "p/a"
        assert (await engine.embed("main", ["short", TOO_LONG])).model == "p/b"
