"""The prompt view, with a real engine over a provider that plays a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Static

from engine import Config, Delta, Engine, Policy, ToolCallDelta, Usage
from engine.policy import Backoff
from engine.providers.base import End, Finish, Signal
from tests.scripted import HANG, Parts, Scripted, chain_of, speak
from tui.app import StandbyApp
from tui.history import History
from tui.places import history_path
from tui.screens.board import BoardScreen
from tui.screens.prompt import PromptScreen
from tui.widgets.options import Options
from tui.widgets.safe_area import SafeInput

QUICK = Policy(attempts=1, backoff=Backoff(0.0))
LONG_PAUSE = 1e9


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class Hand:
    """Whoever sits in front of the screen."""

    def __init__(self, app: StandbyApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def view(self) -> PromptScreen:
        assert isinstance(self.app.screen, PromptScreen)
        return self.app.screen

    async def types(self, text: str, *keys: str) -> None:
        for character in text:
            await self.pilot.press("space" if character == " " else character)
        await self.pilot.press(*keys)

    async def until(self, holds: Callable[[], object]) -> None:
        for _ in range(400):
            if holds():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"never came true; the screen:\n{self.screen}")

    async def ends(self) -> None:
        await self.until(lambda: self.view.exchange is not None and not self.view.is_asking)
        await self.until(lambda: self.view.exchange is not None and not self.view.exchange.pieces)
        await self.until(lambda: self.view.line._painted == self.view.line._cells())
        await self.pilot.pause()

    @property
    def screen(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    def blocks(self, kind: str) -> list[str]:
        return [str(block.content) for block in self.view.answer.query(f".{kind}").results(Static)]


@asynccontextmanager
async def prompt_view(config: Config, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Hand]:
    app = StandbyApp(Engine(config, watch=False), traffic=False)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.press("2")
        hand = Hand(app, pilot)
        await hand.until(lambda: isinstance(app.screen, PromptScreen) and app.focused is not None)
        yield hand


def answers(*batches: Any) -> Parts:
    return Parts([*batches, [Finish("stop")], [Usage(3, 5), End()]])


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
        await hand.pilot.press("escape")
        await hand.until(lambda: provider.open == 0)
        await hand.until(lambda: "cancelled" in hand.screen)
        assert hand.blocks("text") == ["half an answer"]
        assert hand.view.prompt.text == "hi"
        assert hand.app.desk.engine.benched() == []


async def test_a_request_that_nobody_answers_yet_can_be_cancelled_and_another_sent() -> None:
    provider = Scripted({"a": [HANG, "second"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter", "escape")
        await hand.until(lambda: provider.open == 0)
        await hand.pilot.press("enter")
        await hand.ends()
        assert hand.blocks("text") == ["second"]


async def test_escape_with_nothing_running_leads_out_and_nothing_typed_is_lost() -> None:
    async with prompt_view(chain_of(Scripted({"a": ["ok"]}), "a")) as hand:
        await hand.types("a long thought")
        hand.view.target.put("p/a")
        await hand.pilot.press("escape")
        await hand.until(lambda: isinstance(hand.app.screen, BoardScreen))
        await hand.pilot.press("2")
        await hand.until(lambda: isinstance(hand.app.screen, PromptScreen))
        assert hand.view.prompt.text == "a long thought"
        assert hand.view.target.value == "p/a"


async def test_a_request_goes_on_while_another_view_is_shown() -> None:
    provider = Scripted({"a": [answers([Delta("one ")], 0.3, [Delta("two")])]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.until(lambda: hand.blocks("text") == ["one "])
        hand.view.attempts.focus()
        await hand.pilot.press("1")
        await hand.until(lambda: isinstance(hand.app.screen, BoardScreen))
        await hand.until(lambda: provider.open == 0)
        await hand.pilot.press("2")
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
        assert "see that the right one is set" in error
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


async def test_enter_sends_and_ctrl_j_breaks_the_line() -> None:
    provider = Scripted({"a": ["ok"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("one", "ctrl+j")
        await hand.types("two", "enter")
        await hand.ends()
        assert provider.calls[0].messages[-1]["content"] == "one\ntwo"


async def test_keys_that_arrive_all_at_once_are_taken_in_their_order() -> None:
    provider = Scripted({"a": ["ok"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        for key in ("o", "n", "e", "ctrl+j", "t", "w", "o", "enter", "x"):
            hand.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await hand.ends()
        assert provider.calls[0].messages[-1]["content"] == "one\ntwo"
        assert hand.view.prompt.text == "one\ntwox"


async def test_nothing_is_sent_without_a_prompt_or_a_target_or_while_one_runs() -> None:
    provider = Scripted({"a": [HANG]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.pilot.press("enter")
        assert "there is no prompt yet" in hand.view.line.notice
        await hand.types("hi")
        hand.view.target.put(" , ")
        await hand.pilot.press("enter")
        assert "who is to be asked" in hand.view.line.notice
        assert hand.app.focused is hand.view.target
        assert provider.calls == []
        hand.view.target.put("main")
        hand.view.prompt.focus()
        await hand.pilot.press("enter")
        await hand.until(lambda: provider.open == 1)
        await hand.pilot.press("enter")
        assert "under way" in hand.view.line.notice
        assert len(provider.calls) == 1


async def test_options_reach_the_provider() -> None:
    provider = Scripted({"a": ["ok"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.pilot.press("ctrl+o")
        await hand.types("Be brief.", "tab")
        await hand.types("40", "tab")
        await hand.types("0.5", "enter")
        await hand.types("hi", "enter")
        await hand.ends()
        (call,) = provider.calls
        assert call.messages[0] == {"role": "system", "content": "Be brief."}
        assert (call.params.max_tokens, call.params.temperature) == (40, 0.5)
        await hand.pilot.press("ctrl+o")
        assert "options: system prompt, at most 40 tokens" in hand.screen


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("max-tokens", "0"),
        ("max-tokens", "many"),
        ("max-tokens", "²"),
        ("temperature", "hot"),
        ("temperature", "nan"),
        ("temperature", "-1"),
    ],
)
async def test_an_option_that_makes_no_sense_is_pointed_at_and_nothing_is_sent(name: str, typed: str) -> None:
    provider = Scripted({"a": ["ok"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        given = hand.view.query_one(f"#{name}", SafeInput)
        given.value = typed
        await hand.types("hi", "enter")
        assert provider.calls == []
        assert hand.view.line.notice.startswith(name.replace("-", " "))
        assert hand.view.query_one(Options).opened
        assert hand.app.focused is given


async def test_up_recalls_what_was_sent_also_after_a_restart() -> None:
    provider = Scripted({"a": ["ok"]})
    config = chain_of(provider, "a", policy=QUICK)
    async with prompt_view(config) as hand:
        await hand.types("first", "enter")
        await hand.ends()
        await hand.types("second", "enter")
        await hand.ends()
    async with prompt_view(config) as hand:
        await hand.types("a draft", "up")
        assert hand.view.prompt.text == "second"
        await hand.pilot.press("up")
        assert hand.view.prompt.text == "first"
        await hand.pilot.press("up")
        assert hand.view.prompt.text == "first"
        await hand.pilot.press("down", "down")
        assert hand.view.prompt.text == "a draft"


async def test_up_and_down_move_inside_a_prompt_of_many_lines_first() -> None:
    provider = Scripted({"a": ["ok"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("old", "enter")
        await hand.ends()
        await hand.types("one", "ctrl+j")
        await hand.types("two", "up")
        assert hand.view.prompt.text == "one\ntwo"
        await hand.pilot.press("up")
        assert hand.view.prompt.text == "old"


async def test_the_last_target_is_there_again_after_a_restart() -> None:
    provider = Scripted({"a": ["ok"], "b": ["ok"]})
    config = chain_of(provider, "a", "b", policy=QUICK)
    async with prompt_view(config) as hand:
        assert hand.view.target.value == "main"
        hand.view.target.put("p/b, main")
        await hand.types("hi", "enter")
        await hand.ends()
    async with prompt_view(config) as hand:
        assert hand.view.target.value == "p/b, main"


async def test_a_damaged_history_is_told_and_the_view_works() -> None:
    History(history_path()).add("good", "main")
    with history_path().open("ab") as file:
        file.write(b"\x00garbage[/]\n")
    async with prompt_view(chain_of(Scripted({"a": ["ok"]}), "a")) as hand:
        await hand.until(lambda: "history was damaged" in hand.screen)
        await hand.pilot.press("up")
        assert hand.view.prompt.text == "good"


async def test_a_half_typed_target_is_completed() -> None:
    async with prompt_view(chain_of(Scripted({"alpha": ["ok"], "beta": ["ok"]}), "alpha", "beta")) as hand:
        target = hand.view.target
        target.focus()
        target.put("")
        await hand.types("p/b")
        await hand.until(lambda: target._suggestion == "p/beta")
        await hand.pilot.press("right")
        assert target.value == "p/beta"
        await hand.types(", ma")
        await hand.until(lambda: target._suggestion == "p/beta, main")
        await hand.pilot.press("right")
        assert target.value == "p/beta, main"


async def test_down_goes_through_every_target_that_fits() -> None:
    async with prompt_view(chain_of(Scripted({"alpha": ["ok"], "beta": ["ok"]}), "alpha", "beta")) as hand:
        target = hand.view.target
        target.focus()
        seen = []
        for _ in range(4):
            await hand.pilot.press("down")
            seen.append(target.value)
        assert seen == ["p/alpha", "p/beta", "main", "p/alpha"]
        await hand.pilot.press("up")
        assert target.value == "main"


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
        await hand.pilot.press("enter")
        await hand.ends()
        screen = hand.screen
        assert "after" in screen
        assert "[red]brackets[/oops]" in screen
        unwanted = {char for char in screen if char != "\n" and not char.isprintable()}
        assert unwanted <= {"\u202f"}
        assert provider.calls[-1].messages[-1]["content"] == HOSTILE


async def test_a_long_answer_is_followed_until_somebody_scrolls_up() -> None:
    lines = [[Delta(f"line {number}\n")] for number in range(200)]
    provider = Scripted({"a": [answers(*lines, 0.5, [Delta("the end")])]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        answer = hand.view.answer
        await hand.until(lambda: "line 199" in hand.screen)
        answer.focus()
        await hand.pilot.press("g")
        await hand.until(lambda: "line 0" in hand.screen)
        await hand.ends()
        assert answer.scroll_y == 0
        assert "more below" in hand.screen
        await hand.pilot.press("G")
        await hand.until(lambda: "the end" in hand.screen)
        assert "more below" not in hand.screen


async def test_a_very_long_answer_is_whole_and_in_several_blocks() -> None:
    words = [f"word{number}\n" if number % 9 == 0 else f"word{number} " for number in range(4000)]
    provider = Scripted({"a": [answers(*([Delta(word)] for word in words))]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.ends()
        blocks = hand.blocks("text")
        assert len(blocks) > 3
        assert "\n".join(blocks) == "".join(words)


@pytest.mark.parametrize("size", [(200, 50), (80, 24), (56, 16), (40, 12)])
async def test_target_prompt_and_answer_are_on_the_screen_at_any_size(size: tuple[int, int]) -> None:
    provider = Scripted({"a": ["fine"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK), size) as hand:
        await hand.types("how goes it", "enter")
        await hand.ends()
        await hand.until(lambda: "fine" in hand.screen)
        assert "main" in hand.screen
        assert "how goes it" in hand.screen


async def test_n_makes_ready_for_a_new_prompt_and_typing_replaces_the_old_one() -> None:
    async with prompt_view(chain_of(Scripted({"a": ["ok"]}), "a")) as hand:
        await hand.types("old words", "escape")
        await hand.until(lambda: isinstance(hand.app.screen, BoardScreen))
        await hand.pilot.press("n")
        await hand.until(lambda: isinstance(hand.app.screen, PromptScreen))
        assert hand.app.focused is hand.view.prompt
        await hand.types("new")
        assert hand.view.prompt.text == "new"


async def test_quitting_while_a_request_runs_ends_it() -> None:
    provider = Scripted({"a": [HANG]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("hi", "enter")
        await hand.until(lambda: provider.open == 1)
    assert provider.open == 0


def test_speak_is_what_the_tests_think_it_is() -> None:
    parts: Sequence[Any] = speak("a b").batches
    assert parts[0] == [Delta("a")]
