"""The prompt view: typing, recalling, completing, and options."""

from __future__ import annotations

import pytest
from textual import events

from tests.scripted import HANG, Scripted, chain_of
from tests.tui.prompt_stage import QUICK, prompt_view
from tui.history import History
from tui.places import history_path
from tui.screens.board import BoardScreen
from tui.screens.prompt import PromptScreen
from tui.widgets.options import Options
from tui.widgets.safe_area import SafeInput

pytestmark = pytest.mark.usefixtures("own_state_folder")


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
        await hand.press("enter")
        assert "there is no prompt yet" in hand.view.line.notice
        await hand.types("hi")
        hand.view.target.put(" , ")
        await hand.press("enter")
        assert "who is to be asked" in hand.view.line.notice
        assert hand.app.focused is hand.view.target
        assert provider.calls == []
        hand.view.target.put("main")
        hand.view.prompt.focus()
        await hand.press("enter")
        await hand.until(lambda: provider.open == 1)
        await hand.press("enter")
        assert "under way" in hand.view.line.notice
        assert len(provider.calls) == 1


async def test_options_reach_the_provider() -> None:
    provider = Scripted({"a": ["ok"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.press("ctrl+o")
        await hand.types("Be brief.", "tab")
        await hand.types("40", "tab")
        await hand.types("0.5", "enter")
        await hand.types("hi", "enter")
        await hand.ends()
        (call,) = provider.calls
        assert call.messages[0] == {"role": "system", "content": "Be brief."}
        assert (call.params.max_tokens, call.params.temperature) == (40, 0.5)
        await hand.press("ctrl+o")
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
        await hand.press("up")
        assert hand.view.prompt.text == "first"
        await hand.press("up")
        assert hand.view.prompt.text == "first"
        await hand.press("down", "down")
        assert hand.view.prompt.text == "a draft"


async def test_up_and_down_move_inside_a_prompt_of_many_lines_first() -> None:
    provider = Scripted({"a": ["ok"]})
    async with prompt_view(chain_of(provider, "a", policy=QUICK)) as hand:
        await hand.types("old", "enter")
        await hand.ends()
        await hand.types("one", "ctrl+j")
        await hand.types("two", "up")
        assert hand.view.prompt.text == "one\ntwo"
        await hand.press("up")
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
        await hand.press("up")
        assert hand.view.prompt.text == "good"


async def test_a_half_typed_target_is_completed() -> None:
    async with prompt_view(chain_of(Scripted({"alpha": ["ok"], "beta": ["ok"]}), "alpha", "beta")) as hand:
        target = hand.view.target
        target.focus()
        target.put("")
        await hand.types("p/b")
        await hand.until(lambda: target._suggestion == "p/beta")
        await hand.press("right")
        assert target.value == "p/beta"
        await hand.types(", ma")
        await hand.until(lambda: target._suggestion == "p/beta, main")
        await hand.press("right")
        assert target.value == "p/beta, main"


async def test_down_goes_through_every_target_that_fits() -> None:
    async with prompt_view(chain_of(Scripted({"alpha": ["ok"], "beta": ["ok"]}), "alpha", "beta")) as hand:
        target = hand.view.target
        target.focus()
        seen = []
        for _ in range(4):
            await hand.press("down")
            seen.append(target.value)
        assert seen == ["p/alpha", "p/beta", "main", "p/alpha"]
        await hand.press("up")
        assert target.value == "main"


async def test_n_makes_ready_for_a_new_prompt_and_typing_replaces_the_old_one() -> None:
    async with prompt_view(chain_of(Scripted({"a": ["ok"]}), "a")) as hand:
        await hand.types("old words", "escape")
        await hand.until(lambda: isinstance(hand.app.screen, BoardScreen))
        await hand.press("n")
        await hand.until(lambda: isinstance(hand.app.screen, PromptScreen))
        assert hand.app.focused is hand.view.prompt
        await hand.types("new")
        assert hand.view.prompt.text == "new"
