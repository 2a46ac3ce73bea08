"""The prompt view: what becomes of an answer whose model breaks off in the middle."""

from __future__ import annotations

import asyncio

import pytest

from engine import Delta, ToolCallDelta
from engine.config.model import Config
from engine.providers.base import Signal
from tests.scripted import Parts, Scripted, chain_of
from tests.tui.prompt_stage import QUICK, Hand, answers, prompt_view
from tui.text import safe_block

pytestmark = pytest.mark.usefixtures("own_state_folder")
LONG_PAUSE = 1e9
BREAK = Signal("connection", "reset")


def breaking(
    mode: str, *first: object, then: object = "whole", models: tuple[str, str] = ("a", "b")
) -> Config:
    """A model that breaks off after some batches, and one that goes on."""
    provider = Scripted({models[0]: [Parts([*first, BREAK])], models[1]: [then]})
    return chain_of(provider, *models, policy=QUICK.replace(mid_stream=mode))


async def asked(hand: Hand) -> None:
    await hand.types("hi", "enter")
    await hand.ends()


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_a_restart_drops_the_text_so_far_and_says_who_answers_now(size: tuple[int, int]) -> None:
    async with prompt_view(breaking("restart", [Delta("half an ans")]), size) as hand:
        await asked(hand)
        assert hand.blocks("text") == ["whole"]
        assert hand.blocks("note") == ["p/a broke off; p/b answers from the start"]
        await hand.until(lambda: "p/b" in hand.screen and "whole" in hand.screen)
        assert "half an ans" not in hand.screen


async def test_a_restart_is_seen_while_the_next_model_still_answers() -> None:
    slow = Parts([[Delta("new text")], LONG_PAUSE])
    async with prompt_view(breaking("restart", [Delta("old words")], then=slow)) as hand:
        await hand.types("hi", "enter")
        await hand.until(lambda: "answers from the start" in hand.screen and "new text" in hand.screen)
        assert hand.blocks("text") == ["new text"]
        assert "old words" not in hand.screen
        await hand.press("escape")


async def test_a_restart_drops_reasoning_and_tool_calls_too() -> None:
    first = ([Delta(reasoning="hm")], [Delta(tool_call=ToolCallDelta(0, "1", "find", "{"))])
    then = answers([Delta(tool_call=ToolCallDelta(0, "2", "look", "{}"))])
    async with prompt_view(breaking("restart", *first, then=then)) as hand:
        await asked(hand)
        assert hand.blocks("reasoning") == []
        assert hand.blocks("tool") == ["look {}"]


async def test_after_a_restart_only_the_new_words_count_as_tokens() -> None:
    async with prompt_view(
        breaking("restart", [Delta("x" * 400)], then=Parts([[Delta("four")], LONG_PAUSE]))
    ) as hand:
        await hand.types("hi", "enter")
        await hand.until(lambda: hand.blocks("text") == ["four"])
        await hand.until(lambda: "~1 tokens out" in hand.screen)
        await hand.press("escape")


async def test_a_reader_who_went_up_is_at_the_new_answer_after_a_restart() -> None:
    first, gone_up = [Delta("".join(f"old {number}\n" for number in range(200)))], asyncio.Event()
    then = answers(*([Delta(f"new {number}\n")] for number in range(200)))
    config = chain_of(
        Scripted({"a": [Parts([first, gone_up, BREAK])], "b": [then]}),
        "a",
        "b",
        policy=QUICK.replace(mid_stream="restart"),
    )
    async with prompt_view(config) as hand:
        await hand.types("hi", "enter")
        await hand.until(lambda: "old 199" in hand.screen)
        hand.view.answer.focus()
        await hand.press("g")
        await hand.until(lambda: "old 0" in hand.screen)
        gone_up.set()
        await hand.ends()
        await hand.until(lambda: "new 199" in hand.screen)


@pytest.mark.parametrize("mode", ["append", "continue"])
async def test_what_came_stays_and_a_line_says_where_the_model_changed(mode: str) -> None:
    async with prompt_view(breaking(mode, [Delta("one ")], then=answers([Delta("two")]))) as hand:
        await asked(hand)
        assert hand.blocks("text") == ["one ", "two"]
        assert hand.blocks("note") == ["p/a broke off; p/b goes on"]
        kinds = [next(iter(block.classes & {"text", "note"})) for block in hand.view.answer.children]
        assert kinds == ["text", "note", "text"]


async def test_a_failover_before_the_first_word_is_no_matter_for_the_answer() -> None:
    provider = Scripted({"a": [BREAK], "b": ["fine"]})
    async with prompt_view(chain_of(provider, "a", "b", policy=QUICK.replace(mid_stream="restart"))) as hand:
        await asked(hand)
        assert hand.blocks("note") == []
        assert hand.blocks("text") == ["fine"]


async def test_where_nobody_goes_on_the_text_stays_with_the_error() -> None:
    provider = Scripted({"a": [Parts([[Delta("half")], BREAK])], "b": [Signal("status", "no", status=503)]})
    async with prompt_view(chain_of(provider, "a", "b", policy=QUICK.replace(mid_stream="restart"))) as hand:
        await asked(hand)
        assert hand.blocks("text") == ["half"]
        assert hand.blocks("error")


async def test_names_in_the_line_are_shown_as_they_are() -> None:
    models = ("[/]\x1b[2J", "[bold")
    async with prompt_view(breaking("restart", [Delta("old")], models=models)) as hand:
        await asked(hand)
        assert hand.blocks("note") == [
            safe_block(f"p/{models[0]} broke off; p/{models[1]} answers from the start")
        ]
        assert "\x1b" not in hand.screen
