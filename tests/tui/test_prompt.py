"""The prompt view: what becomes of a prompt that was sent."""

from __future__ import annotations

import asyncio

import pytest

from engine import Delta, ToolCallDelta
from engine.providers.base import End, Finish, Signal
from tests.scripted import HANG, Parts, Scripted, chain_of
from tests.tui.prompt_stage import QUICK, answers, prompt_view
from tui.screens.board import BoardScreen
from tui.screens.prompt import PromptScreen

pytestmark = pytest.mark.usefixtures("own_state_folder")
LONG_PAUSE = 1e9


async def test_answer_and_attempts_arrive_together() -> None:
    provider = Scripted({"a": [Signal("status", "busy", status=503)], "b": ["Hello there"]})
    async with prompt_view(chain_of(provider, "a", "b", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.ends()
        assert hand.blocks("text") == ["Hellothere"]
        await hand.until(lambda: "503" in hand.screen and "✓ ok" in hand.screen)
        assert "✓ p/b " in hand.screen
        assert "fallback" in hand.screen
        assert provider.calls[0].messages == ({"role": "user", "content": "hi"},)


async def test_escape_cancels_and_what_came_stays() -> None:
    provider = Scripted({"a": [Parts([[Delta("half an answer")], LONG_PAUSE])]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.until(lambda: hand.blocks("text") == ["half an answer"])
        await hand.press("escape")
        await hand.until(lambda: provider.open == 0)
        await hand.until(lambda: "cancelled" in hand.screen)
        assert hand.blocks("text") == ["half an answer"]
        assert hand.view.prompt.text == "hi"
        assert hand.app.desk.engine.benched() == []


async def test_a_request_that_nobody_answers_yet_can_be_cancelled_and_another_sent() -> None:
    provider = Scripted({"a": [HANG, "second"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.until(lambda: provider.open == 1)
        await hand.press("escape")
        await hand.until(lambda: provider.open == 0 and not hand.view.is_asking)
        await hand.press("enter")
        await hand.ends()
        assert hand.blocks("text") == ["second"]


async def test_escape_with_nothing_running_leads_out_and_nothing_typed_is_lost() -> None:
    async with prompt_view(chain_of(Scripted({"a": ["ok"]}), "a")) as hand:
        await hand.types("a long thought")
        hand.view.target.put("p/a")
        await hand.press("escape")
        await hand.until(lambda: isinstance(hand.app.screen, BoardScreen))
        await hand.press("2")
        await hand.until(lambda: isinstance(hand.app.screen, PromptScreen))
        assert hand.view.prompt.text == "a long thought"
        assert hand.view.target.value == "p/a"


async def test_a_request_goes_on_while_another_view_is_shown() -> None:
    away = asyncio.Event()
    provider = Scripted({"a": [answers([Delta("one ")], away, [Delta("two")])]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.until(lambda: hand.blocks("text") == ["one "])
        hand.view.attempts.focus()
        await hand.press("1")
        await hand.until(lambda: isinstance(hand.app.screen, BoardScreen))
        away.set()
        await hand.until(lambda: provider.open == 0)
        await hand.press("2")
        await hand.until(lambda: isinstance(hand.app.screen, PromptScreen))
        await hand.ends()
        assert hand.blocks("text") == ["one two"]


async def test_an_error_stands_where_the_answer_would_with_what_to_do() -> None:
    refused = Signal("status", "no such key", status=401)
    provider = Scripted({"a": [refused]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("precious words", "enter")
        await hand.ends()
        (error,) = hand.blocks("error")
        assert "p/a" in error
        assert "invalid_key" in error
        assert "name one under its `keys`" in error
        assert hand.view.prompt.text == "precious words"


async def test_a_stream_that_breaks_keeps_what_came_and_says_why() -> None:
    provider = Scripted({"a": [Parts([[Delta("half")], Signal("connection", "reset")])]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.ends()
        assert hand.blocks("text") == ["half"]
        assert "broke off" in hand.blocks("error")[0]


async def test_an_unknown_target_is_an_error_in_place_with_a_suggestion() -> None:
    async with prompt_view(chain_of(Scripted({"a": ["ok"]}), "a")) as hand:
        hand.view.target.put("mian")
        await hand.types("hi", "enter")
        await hand.ends()
        assert "did you mean 'main'" in hand.blocks("error")[0]
        assert hand.view.prompt.text == "hi"


async def test_a_fault_of_our_own_is_shown_and_the_dashboard_goes_on() -> None:
    provider = Scripted({"a": ["ok"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        hand.view.target.put("main")
        hand.app.desk.feed.watch = None  # type: ignore[method-assign, assignment]  # something breaks inside
        await hand.types("hi", "enter")
        await hand.ends()
        (error,) = hand.blocks("error")
        assert "TypeError" in error
        assert "standby.log" in error.replace("\n", "")


async def test_reasoning_stands_apart_from_the_answer() -> None:
    said = answers([Delta(reasoning="let me ")], [Delta(reasoning="think")], [Delta("42")])
    provider = Scripted({"a": [said]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.ends()
        assert hand.blocks("reasoning") == ["let me think"]
        assert hand.blocks("text") == ["42"]


async def test_tool_calls_are_shown() -> None:
    parts = [
        [Delta(tool_call=ToolCallDelta(0, "id-1", "weather", ""))],
        [Delta(tool_call=ToolCallDelta(0, arguments='{"city": "Paris"}'))],
        [Delta(tool_call=ToolCallDelta(1, "id-2", "time", "{}"))],
    ]
    provider = Scripted({"a": [Parts([*parts, [Finish("tool_calls")], [End()]])]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.ends()
        assert hand.blocks("tool") == ['weather {"city": "Paris"}\ntime {}']


HOSTILE = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\u202egnp.exe\u2066 [/] [red]brackets[/oops] \ud83d\x00"


async def test_hostile_text_reaches_the_screen_as_pictures_only() -> None:
    said = answers([Delta(HOSTILE)], [Delta(reasoning=HOSTILE)], [Delta(f"{HOSTILE}\nafter")])
    provider = Scripted({"a": [Signal("status", HOSTILE, status=500)], "b": [said]})
    async with prompt_view(chain_of(provider, "a", "b", policy=QUICK)) as hand:
        hand.view.prompt.put(HOSTILE, at_end=True)
        hand.view.target.put(f"main, {HOSTILE}")
        await hand.press("enter")
        await hand.ends()
        screen = hand.screen
        assert "after" in screen
        assert "[red]brackets[/oops]" in screen
        unwanted = {char for char in screen if char != "\n" and not char.isprintable()}
        assert unwanted <= {"\u202f"}
        assert provider.calls[-1].messages[-1]["content"] == HOSTILE


async def test_a_long_answer_is_followed_until_somebody_scrolls_up() -> None:
    lines, gone_up = [[Delta(f"line {number}\n")] for number in range(200)], asyncio.Event()
    provider = Scripted({"a": [answers(*lines, gone_up, [Delta("the end")])]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        answer = hand.view.answer
        await hand.until(lambda: "line 199" in hand.screen)
        answer.focus()
        await hand.press("g")
        await hand.until(lambda: "line 0" in hand.screen)
        gone_up.set()
        await hand.ends()
        assert answer.scroll_y == 0
        assert "more below" in hand.screen
        await hand.press("G")
        await hand.until(lambda: "the end" in hand.screen and "more below" not in hand.screen)


async def test_a_very_long_answer_is_whole_and_in_several_blocks() -> None:
    words = [f"word{number}\n" if number % 9 == 0 else f"word{number} " for number in range(4000)]
    provider = Scripted({"a": [answers(*([Delta(word)] for word in words))]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.ends()
        blocks = hand.blocks("text")
        assert len(blocks) > 3
        assert "\n".join(blocks) == "".join(words)


async def test_an_answer_in_one_huge_piece_is_cut_into_blocks_too() -> None:
    text = "a line of some length\n" * 5000 + "x" * 50_000
    provider = Scripted({"a": [answers([Delta(text)])]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.ends()
        blocks = hand.blocks("text")
        assert max(map(len, blocks)) <= 20_000
        assert "".join(blocks).replace("\n", "") == text.replace("\n", "")


@pytest.mark.parametrize("size", [(200, 50), (80, 24), (56, 16), (40, 12)])
async def test_target_prompt_and_answer_are_on_the_screen_at_any_size(size: tuple[int, int]) -> None:
    provider = Scripted({"a": ["fine"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK), size) as hand:
        await hand.types("how goes it", "enter")
        await hand.ends()
        await hand.until(lambda: "fine" in hand.screen)
        assert "main" in hand.screen
        assert "how goes it" in hand.screen


async def test_quitting_while_a_request_runs_ends_it() -> None:
    provider = Scripted({"a": [HANG]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.until(lambda: provider.open == 1)
    assert provider.open == 0
