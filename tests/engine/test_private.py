"""Prompts stay out of events, also where a provider's error repeats them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine import ChainExhausted, Engine, Policy, StandbyError
from engine.messages import Delta
from engine.policy import Backoff
from engine.private import without
from engine.providers.base import Signal
from tests.scripted import Parts, Scripted, chain_of

PROMPT = "my account number is 4711, and why is it closed?"
ONCE = Policy(attempts=1, backoff=Backoff(0.0))


async def told(said: str, *, recorded: bool = False, prompt: Any = PROMPT) -> str:
    """All events of a request whose model fails with these words."""
    config = chain_of(Scripted({"a": [Signal("status", said, status=500)]}), "a", policy=ONCE)
    events: list[str] = []
    async with Engine(replace(config, record_prompts=recorded), watch=False) as engine:
        engine.observe(lambda event: events.append(str(event.to_json())))
        with pytest.raises(ChainExhausted) as raised:
            await engine.complete("main", prompt, system="you are the bank's own assistant")
    return "\n".join([*events, str(raised.value)])


@pytest.mark.parametrize("said", [f"bad input: {PROMPT!r}", f"{PROMPT} {PROMPT}", f"cut: {PROMPT[:30]}"])
async def test_what_a_provider_repeats_of_a_prompt_is_in_no_event_and_no_error(said: str) -> None:
    text = await told(said)
    assert "account number" not in text
    assert "(prompt)" in text


async def test_system_prompts_and_parts_are_prompts_too() -> None:
    assert "own assistant" not in await told("no: you are the bank's own assistant")
    parts = [{"role": "user", "content": [{"type": "text", "text": PROMPT}]}]
    assert "4711" not in await told(f"no: {PROMPT}", prompt=parts)


async def test_addresses_of_images_are_prompts_too() -> None:
    url = "https://clinic.example/doe.png"
    parts = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]
    assert "doe.png" not in await told(f"can't fetch {url}", prompt=parts)


async def test_with_record_prompts_the_words_stay() -> None:
    assert f"bad: {PROMPT}" in await told(f"bad: {PROMPT}", recorded=True)


async def test_the_words_of_an_error_that_repeats_nothing_stay() -> None:
    assert "the disk is on fire" in await told("the disk is on fire")


@given(st.text(), st.text(min_size=12), st.text())
def test_no_line_of_a_prompt_is_left(before: str, prompt: str, after: str) -> None:
    words = without(before + prompt + after, [prompt])
    for line in prompt.splitlines():
        if len(line) >= 12 and line[:12] not in before + after + "(prompt)":
            assert line not in words


async def test_an_answer_that_another_model_goes_on_with_is_in_no_event_either() -> None:
    begun = "Your balance of 4,212 pounds"
    broken = Parts([[Delta(begun)], Signal("connection", "reset")])
    refused = Signal("status", f"no prefill: {begun}", status=400)
    policy = ONCE.replace(mid_stream="continue")
    provider = Scripted({"a": [broken], "b": [refused, Signal("status", "no", status=400)]})
    config = chain_of(provider, "a", "b", policy=policy)
    events: list[str] = []
    async with Engine(config, watch=False) as engine:
        engine.observe(lambda event: events.append(str(event.to_json())))
        with suppress(StandbyError):
            async with engine.stream("main", PROMPT) as stream:
                async for _ in stream:
                    pass
    assert "no prefill: (prompt)" in "\n".join(events)
    assert "4,212" not in "\n".join(events)
