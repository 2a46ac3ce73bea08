"""`/`: only what holds some words is shown, on the board and in the stream."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tests.tui.stage import Stage, answered, begun, config, dashboard, failed
from tui.ring import Line, Ring
from tui.sought import Sought


def models(stage: Stage) -> list[str]:
    return [place.model for place in stage.view.board.places]


def requests(stage: Stage) -> list[str]:
    return [line.request for line in stage.view.attempts._ring]


async def traffic(stage: Stage) -> None:
    """Three requests: one that failed and went on, one that was answered, one that runs."""
    await stage.tell(
        begun("r1", "p/large", engine="api"),
        failed("r1", "p/large", engine="api", kind="auth-dead", reason="invalid_key", status=401),
        begun("r2", "p/mini", engine="web"),
        answered("r2", "p/mini", engine="web"),
        begun("r3", "q/small", engine="web"),
    )


async def test_every_letter_narrows_board_and_stream() -> None:
    async with dashboard() as stage:
        await traffic(stage)
        await stage.press("/", "m")
        assert set(models(stage)) == {"p/mini", "q/small"}
        await stage.press(*"ini")
        assert models(stage) == ["p/mini", "p/mini"]
        assert requests(stage) == ["r2"]
        await stage.press("backspace", "backspace", "backspace", "backspace")
        assert len(models(stage)) == 5
        assert requests(stage) == ["r1", "r2", "r3"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("401", ["r1"]),
        ("auth-dead", ["r1"]),
        ("INVALID_key", ["r1"]),
        ("web", ["r2", "r3"]),
        ("web small", ["r3"]),
        ("ok", ["r2"]),
        ("support", ["r1", "r2", "r3"]),
        ("r3", ["r3"]),
        ("401 web", []),
    ],
)
async def test_a_line_of_the_stream_holds_all_the_words_somewhere(words: str, found: list[str]) -> None:
    async with dashboard() as stage:
        await traffic(stage)
        await stage.press("/", *words)
        assert requests(stage) == found


async def test_a_model_is_found_by_its_chain_state_and_reason() -> None:
    async with dashboard() as stage:
        stage.engine.bench("p/large", reason="too dear", by="alice")
        await stage.beat()
        for words in ("dear", "held", "alice"):
            await stage.press("/", "ctrl+u", *words, "enter")
            assert models(stage) == ["p/large"]
        await stage.press("/", "ctrl+u", *"drafts", "enter")
        assert models(stage) == ["q/small", "p/mini"]
        assert "support" not in "\n".join(stage.lines[1:5])


async def test_enter_keeps_the_words_and_the_keys_are_the_boards_again() -> None:
    async with dashboard() as stage:
        await stage.press("/", *"mini", "enter")
        assert stage.view.focused is stage.view.board
        assert "only mini" in stage.screen
        assert "Esc Show all" in stage.lines[-1]
        await stage.press("j")
        assert stage.view.board.cursor == ("drafts", "p/mini")


async def test_escape_shows_all_again_while_typing_and_later() -> None:
    async with dashboard() as stage:
        await stage.press("/", *"mini", "escape")
        assert len(models(stage)) == 5
        assert stage.view.focused is stage.view.board
        await stage.press("/", *"x", "enter")
        assert models(stage) == []
        await stage.press("escape")
        assert len(models(stage)) == 5
        assert "only x" not in stage.screen


async def test_the_last_words_are_there_when_it_is_opened_again_and_typing_replaces_them() -> None:
    async with dashboard() as stage:
        await stage.press("/", *"mini", "enter", "escape", "/")
        assert set(models(stage)) == {"p/mini"}
        await stage.press(*"large")
        assert models(stage) == ["p/large"]


async def test_the_cursor_stays_with_its_model_and_comes_back_to_it() -> None:
    async with dashboard() as stage:
        await stage.press("j", "/", *"mini", "enter")
        assert stage.view.board.cursor == ("support", "p/mini")
        await stage.press("escape")
        assert stage.view.board.cursor == ("support", "p/mini")


async def test_what_nothing_holds_says_so_and_how_to_see_all() -> None:
    async with dashboard() as stage:
        await stage.press("/", *"zz", "z")
        assert "No model holds zzz; Esc shows all." in stage.screen
        assert "No attempt holds zzz; Esc shows all." in stage.screen


async def test_a_paused_view_is_narrowed_and_still_paused() -> None:
    async with dashboard() as stage:
        await traffic(stage)
        await stage.press("space")
        await stage.tell(begun("r4", "p/large"))
        await stage.press("/", *"large", "enter")
        shown = stage.screen
        assert "401" in shown
        assert "paused" in shown
        await stage.tell(begun("r5", "p/large"))
        assert "r5" not in stage.screen
        assert shown.count("p/large") == stage.screen.count("p/large")


async def test_escape_clears_the_words_before_the_engine() -> None:
    async with dashboard() as stage:
        await traffic(stage)
        stage.view._only("web")
        await stage.press("/", *"small", "enter")
        assert requests(stage) == ["r3"]
        assert "only small of web" in stage.screen
        await stage.press("escape")
        assert requests(stage) == ["r2", "r3"]
        await stage.press("escape")
        assert requests(stage) == ["r1", "r2", "r3"]


async def test_hostile_words_are_shown_as_pictures() -> None:
    async with dashboard(config({"c": ["p/one"]})) as stage:
        await stage.press("/")
        assert stage.view.filter is not None
        stage.view.filter.line.value = "[bold]\x1b[31m\u202e"
        await stage.beat()
        assert "[bold]" in stage.screen
        assert "\x1b" not in stage.screen
        assert "\u202e" not in stage.screen


async def test_keys_of_the_board_are_typed_and_not_obeyed() -> None:
    async with dashboard() as stage:
        await stage.press("/", *"qb/?")
        assert stage.app.is_running
        assert stage.view.filter is not None
        assert stage.view.filter.line.value == "qb/?"
        assert "Quit" not in stage.lines[-1]
        assert "/ Filter" not in stage.lines[-1]


LINES = st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc")), max_size=60)


@given(steps=LINES)
def test_a_part_has_the_lines_that_ever_held_the_words_in_their_order(steps: list[tuple[int, str]]) -> None:
    whole, sought = Ring(8), Sought("a")
    part = whole.part(lambda line: sought.is_in(line.model))
    wanted: set[int] = set()
    for number, model in steps:
        line = Line("", "running", model=model)
        if number < whole.end:
            if whole.replace(number, line) and model == "a":
                wanted.add(number)
        elif whole.append(line) >= 0 and model == "a":
            wanted.add(whole.end - 1)
        kept = [whole.get(each) for each in range(whole.first, whole.end) if each in wanted]
        assert [part.get(each) for each in range(part.first, part.end)] == kept
        assert list(part) == kept
