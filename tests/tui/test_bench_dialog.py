"""Bench with intent."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from textual.widgets import Button, Input

from engine import Engine, StoreState
from tests.tui.incidents import due, on_trial, relapse
from tests.tui.stage import CHAINS, Stage, config, dashboard
from tui.bench_terms import next_time, what_is_left
from tui.health import Place
from tui.screens.bench_dialog import BenchDialog
from tui.widgets.choice import Choice


async def opened(stage: Stage, *keys: str) -> BenchDialog:
    await stage.press(*keys, "b")
    dialog = stage.app.screen
    assert isinstance(dialog, BenchDialog)
    return dialog


def hold(stage: Stage) -> tuple[str, float | None, str]:
    (out,) = stage.engine.benched()
    assert out.manual
    return out.name, out.for_s, out.reason


async def test_it_names_the_model_and_what_is_left_of_each_chain() -> None:
    async with dashboard() as stage:
        stage.engine.bench("q/small")
        await stage.beat()
        await opened(stage, "j")
        assert "Bench p/mini" in stage.screen
        assert "support: 1 other stays live, p/large first" in stage.screen
        assert "▲ drafts: this is its last live model" in stage.screen


async def test_the_focus_starts_on_cancel_so_that_enter_does_nothing() -> None:
    async with dashboard() as stage:
        dialog = await opened(stage)
        assert isinstance(dialog.focused, Button)
        assert dialog.focused.id == "cancel"
        await stage.press("enter")
        assert not isinstance(stage.app.screen, BenchDialog)
        assert stage.engine.benched() == []


async def test_the_key_that_opens_it_does_not_confirm_it() -> None:
    async with dashboard() as stage:
        await opened(stage)
        await stage.press("b", "b", "b")
        assert stage.engine.benched() == []


async def test_escape_leaves_and_nothing_has_happened() -> None:
    async with dashboard() as stage:
        await opened(stage)
        await stage.press("right", "tab", "escape")
        assert not isinstance(stage.app.screen, BenchDialog)
        assert stage.engine.benched() == []


@pytest.mark.parametrize(("steps", "seconds"), [(0, 300.0), (1, 900.0), (2, 3600.0), (4, None), (5, 300.0)])
async def test_each_term_benches_for_as_long_as_it_says(steps: int, seconds: float | None) -> None:
    async with dashboard() as stage:
        await opened(stage)
        await stage.press(*["right"] * steps, "tab", "enter")
        assert hold(stage) == ("p/large", seconds, "")


async def test_a_reason_goes_along_and_enter_in_it_does_not_act() -> None:
    async with dashboard() as stage:
        dialog = await opened(stage)
        dialog.reason.focus()
        await stage.press(*"cost", "enter")
        assert stage.engine.benched() == []
        assert isinstance(dialog.focused, Button)
        assert dialog.focused.id == "bench"
        await stage.press("enter")
        assert hold(stage) == ("p/large", 300.0, "cost")


async def test_until_a_time_of_day() -> None:
    async with dashboard() as stage:
        dialog = await opened(stage)
        assert not dialog.query_one("#until-row").display
        await stage.press("right", "right", "right")
        assert dialog.query_one("#until-row").display
        wanted = datetime.now().astimezone() + timedelta(hours=3)
        dialog.until.focus()
        await stage.press(*f"{wanted:%H}", "colon", *f"{wanted:%M}", "enter", "enter")
        (out,) = stage.engine.benched()
        assert out.until is not None
        until = datetime.fromisoformat(out.until).astimezone()
        assert abs(until - wanted.replace(second=0, microsecond=0)) < timedelta(seconds=2)


async def test_a_time_that_is_none_is_told_and_nothing_typed_is_lost() -> None:
    async with dashboard() as stage:
        dialog = await opened(stage)
        await stage.press("right", "right", "right")
        dialog.reason.value = "the whole story"
        dialog.until.value = "25:99"
        dialog.query_one("#bench", Button).focus()
        await stage.press("enter")
        assert "write the time as HH:MM" in stage.screen
        assert (dialog.until.value, dialog.reason.value) == ("25:99", "the whole story")
        assert dialog.focused is dialog.until
        assert stage.engine.benched() == []


async def test_an_error_of_the_engine_is_told_in_the_dialog(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("no [/] such \x1b[31m thing")

    async with dashboard() as stage:
        dialog = await opened(stage)
        monkeypatch.setattr(Engine, "bench", refuse)
        await stage.press("tab", "enter")
        assert stage.app.screen is dialog
        assert "no [/] such ␛[31m thing" in stage.screen


async def test_the_target_stays_what_it_was_whatever_happens_below() -> None:
    async with dashboard() as stage:
        await opened(stage, "j")
        stage.retake(config({"new": ["p/a", "p/b"], **CHAINS}))
        stage.view.board.cursor = ("new", "p/a")
        stage.clock.pass_(2.0)
        await stage.beat()
        assert "Bench p/mini" in stage.screen
        await stage.press("tab", "enter")
        assert hold(stage)[0] == "p/mini"


async def test_a_model_that_is_out_already_is_said_to_be() -> None:
    async with dashboard() as stage:
        stage.engine.bench("p/large", for_=90.0, by="alice@x", reason="a [/] colleague's")
        await stage.beat()
        await opened(stage)
        wanted = "It is out already: ■ held by alice@x, 01:30 left: a [/] colleague's."
        assert wanted in " ".join(stage.screen.replace("│", " ").replace("┃", " ").split())


async def test_it_fits_the_smallest_screen_with_name_and_cancel_in_sight() -> None:
    async with dashboard(size=(40, 12)) as stage:
        await opened(stage)
        assert "Bench p/large" in stage.screen
        assert "Cancel" in stage.screen
        assert "Bench it" in stage.screen


async def test_a_choice_is_told_by_its_sign_not_only_by_its_colour() -> None:
    async with dashboard() as stage:
        dialog = await opened(stage)
        await stage.press("right")
        assert "○ 5m   ● 15m   ○ 1h" in stage.screen
        choice = dialog.query_one(Choice)
        await stage.pilot.click(choice, offset=(0, 0))
        await stage.beat()
        assert "● 5m   ○ 15m" in stage.screen


async def test_a_reason_has_a_length_that_people_read() -> None:
    async with dashboard() as stage:
        dialog = await opened(stage)
        assert dialog.query_one("#reason", Input).max_length == 200


def test_the_next_time_of_day_is_today_or_tomorrow() -> None:
    noon = datetime(2026, 3, 1, 12, 0).astimezone()
    assert next_time("18:30", noon) == noon.replace(hour=18, minute=30)
    assert next_time(" 9:05 ", noon) == noon.replace(hour=9, minute=5) + timedelta(days=1)
    assert next_time("12:00", noon) == noon + timedelta(days=1)
    for text in ("", "18", "18:", ":30", "24:00", "12:60", "noon", "-1:30"):
        with pytest.raises(ValueError, match="HH:MM"):
            next_time(text, noon)


def test_what_is_left_counts_only_models_that_play() -> None:
    chains = {
        "a": (Place("a", "m"), Place("a", "n", state="benched"), Place("a", "o", state="unusable")),
        "b": (Place("b", "n", state="held"), Place("b", "m", state="benched")),
        "c": (Place("c", "x"),),
    }
    left = what_is_left("m", chains)
    assert [(each.name, each.text, each.enough) for each in left] == [
        ("a", "this is its last live model", False),
        ("b", "no model of it is live", False),
    ]


def test_what_is_due_or_on_trial_does_not_count_as_live() -> None:
    chains = {
        "a": (Place("a", "m"), Place("a", "n", state="due")),
        "b": (Place("b", "m"), Place("b", "n", state="on_trial"), Place("b", "o")),
        "c": (Place("c", "m", state="due"), Place("c", "n", state="held")),
    }
    left = what_is_left("m", chains)
    assert [(each.name, each.text, each.enough) for each in left] == [
        ("a", "no other is live, n is due", False),
        ("b", "1 other stays live, o first", True),
        ("c", "this is its last live model", False),
    ]


async def test_the_level_of_a_bench_is_said() -> None:
    async with dashboard() as stage:
        await relapse(stage, await on_trial(stage, "p/large"))
        await opened(stage)
        assert "It is out already: ✖ benched, 00:10 left, level 2." in stage.screen


async def test_what_an_unbench_ends_is_said_with_its_level() -> None:
    async with dashboard() as stage:
        await relapse(stage, await on_trial(stage, "p/large"))
        await stage.press("u")
        wanted = "p/large is back. It was benched (overloaded, level 2)."
        await stage.until(lambda: wanted in " ".join(stage.screen.split()))


async def test_an_unbench_of_what_is_due_says_so() -> None:
    async with dashboard() as stage:
        await due(stage, "p/large")
        await stage.press("u")
        await stage.until(lambda: "It was due (overloaded)." in " ".join(stage.screen.split()))


async def again(stage: Stage) -> None:
    """Presses the button once more; one that was pressed just now takes no second press, as of a slip."""
    await stage.until(lambda: not stage.app.screen.query("Button.-active"))
    await stage.press("enter")


def words(stage: Stage) -> str:
    return " ".join(re.sub("[^\x20-\x7e]", " ", stage.screen).split())


@pytest.mark.parametrize("steps", [0, 4])
async def test_a_hold_that_somebody_laid_meanwhile_is_not_replaced_unasked(steps: int) -> None:
    async with dashboard() as stage:
        await opened(stage)
        stage.engine.bench("p/large", for_=60.0, by="alice@x", reason="hers")
        await stage.press(*["right"] * steps, "tab", "enter")
        assert hold(stage) == ("p/large", 60.0, "hers")
        assert "It is held by alice@x until" in words(stage)
        assert "left): hers. Bench it all the same?" in words(stage)
        await again(stage)
        assert hold(stage) == ("p/large", None if steps else 300.0, "")


async def test_a_hold_that_lasts_longer_is_asked_about_again_when_it_or_the_length_changes() -> None:
    async with dashboard() as stage:
        stage.engine.bench("p/large", by="alice@x")
        await stage.beat()
        await opened(stage)
        await stage.press("tab", "enter")
        assert "It is held by alice@x without end. Bench it all the same?" in words(stage)
        await stage.press("right")
        assert "all the same?" not in words(stage)
        await again(stage)
        assert "all the same?" in words(stage)
        stage.engine.bench("p/large", by="bob@y")
        await again(stage)
        assert "It is held by bob@y without end." in words(stage)
        assert hold(stage)[1] is None
        await again(stage)
        assert hold(stage)[1] == 900.0


async def test_a_hold_that_was_there_and_ends_sooner_is_replaced_at_once() -> None:
    async with dashboard() as stage:
        stage.engine.bench("p/large", for_=60.0, by="alice@x")
        await stage.beat()
        await opened(stage)
        await stage.press("tab", "enter")
        assert hold(stage)[1] == 300.0


async def test_at_40_columns_the_question_and_its_button_are_in_sight() -> None:
    async with dashboard(size=(40, 12)) as stage:
        stage.engine.bench("p/large", by="alice@x", reason="hers")
        await stage.beat()
        await opened(stage)
        await stage.press("tab", "enter")
        assert "Bench it all the same?" in words(stage)
        assert " Cancel Bench it" in words(stage)


@pytest.mark.parametrize("ok", [True, False])
async def test_while_the_store_is_away_what_is_done_is_said_to_count_here_only(
    monkeypatch: pytest.MonkeyPatch, ok: bool
) -> None:
    state = StoreState("/x.db", shared=True, ok=ok, why="" if ok else "gone")
    monkeypatch.setattr(Engine, "store", property(lambda _: state))
    async with dashboard() as stage:
        await opened(stage)
        await stage.press("tab", "enter")
        assert ("p/large is held. This process only until the store is back." in words(stage)) is not ok
        await stage.press("u")
        assert "p/large is back." in words(stage)
        assert ("It was held. This process only until the store is back." in words(stage)) is not ok
