"""Between benched and live: due, on trial, and back or a level up."""

from __future__ import annotations

import pytest

from engine import ModelDue, ModelTrial, ModelUnbenched, StreamBroken
from engine.config.model import Dashboard
from tests.tui.incidents import LEASE_S, due, fail, on_trial, relapse
from tests.tui.stage import Stage, benched, config, dashboard, told
from tui.health import Health, Place


def place(stage: Stage, model: str) -> Place:
    return next(place for place in stage.app.desk.health.chains["support"] if place.model == model)


def attempts(stage: Stage) -> list[str]:
    region = stage.view.attempts.region
    return [line for line in stage.lines[region.y + 1 : region.bottom] if line.strip()]


async def test_a_model_that_is_due_says_who_decides_and_why_it_was_out() -> None:
    async with dashboard() as stage:
        await due(stage, "p/large")
        line = stage.row("p/large")
        assert "▸ ○ due" in line
        assert "next request" in line
        assert "overloaded" in line
        assert "00:00" not in line


async def test_a_model_that_awaits_its_probe_says_so_and_another_serves() -> None:
    async with dashboard() as stage:
        await due(stage, "p/large", probe=True)
        assert "  ○ due" in stage.row("p/large")
        assert "awaits probe" in stage.row("p/large")
        assert "↳ ● live" in stage.row("p/mini")


@pytest.mark.parametrize("by", ["request", "probe"])
async def test_a_model_on_trial_says_who_tries_it(by: str) -> None:
    async with dashboard() as stage:
        await due(stage, "p/large")
        stage.engine._sideline.take_trial("p/large", "probe" if by == "probe" else "request", LEASE_S)
        await stage.beat()
        assert "◐ on trial" in stage.row("p/large")
        assert f"by a {by}" in stage.row("p/large")
        assert "for p/large" in stage.row("p/mini")


async def test_who_tries_is_left_open_where_the_event_was_lost() -> None:
    async with dashboard() as stage:
        await on_trial(stage, "p/large")
        stage.feed._count_lost(1)
        stage.clock.pass_(1.0)
        await stage.beat()
        assert "being tried" in stage.row("p/large")


async def test_a_relapse_is_a_level_up_and_says_so_in_row_and_stream() -> None:
    async with dashboard(size=(160, 40)) as stage:
        ticket = await on_trial(stage, "p/large")
        assert "level" not in stage.row("p/large")
        await relapse(stage, ticket)
        assert "✖ benched" in stage.row("p/large")
        assert ", level 2" in stage.row("p/large")
        assert "for 00:10, level 2" in stage.screen


@pytest.mark.parametrize(("width", "level"), [(160, "level 2"), (120, ", level 2"), (80, " L2"), (60, " L2")])
async def test_the_level_stands_wherever_there_is_room(width: int, level: str) -> None:
    async with dashboard(size=(width, 24)) as stage:
        await relapse(stage, await on_trial(stage, "p/large"))
        assert stage.row("p/large").endswith(level)
        assert "overloaded" in stage.row("p/large")


async def test_an_answer_brings_it_back_and_the_line_says_that_the_trial_passed() -> None:
    async with dashboard() as stage:
        ticket = await on_trial(stage, "p/large")
        assert "◐ on trial" in attempts(stage)[-1]
        stage.engine._sideline.succeeded([ticket])
        await stage.beat()
        assert "▸ ● live" in stage.row("p/large")
        assert "✓ passed" in attempts(stage)[-2]
        assert "● back" in attempts(stage)[-1]
        assert "trial passed" in attempts(stage)[-1]


async def test_a_trial_that_told_nothing_is_undecided_and_the_model_due_again() -> None:
    async with dashboard() as stage:
        ticket = await on_trial(stage, "p/large")
        stage.engine._sideline.give_back(ticket)
        await stage.beat()
        assert "○ due" in stage.row("p/large")
        assert "⊘ undecided" in attempts(stage)[-1]
        assert "it told nothing" in attempts(stage)[-1]


@pytest.mark.parametrize("width", [80, 120])
async def test_the_stream_tells_each_step_in_plain_words(width: int) -> None:
    async with dashboard(size=(width, 40)) as stage:
        ticket = await on_trial(stage, "p/large")
        was_due, trial = attempts(stage)[-2:]
        assert "○ due" in was_due
        assert "bench is over" in was_due
        assert "trial by request" in trial
        await relapse(stage, ticket)
        assert "✖ failed" in attempts(stage)[-2]
        assert "trial by request" in attempts(stage)[-2]


@pytest.mark.parametrize(
    ("mode", "words"), [("append", "adds its answer"), ("continue", "goes on"), ("restart", "answers anew")]
)
async def test_a_broken_stream_says_who_goes_on_and_how(mode: str, words: str) -> None:
    async with dashboard() as stage:
        await stage.tell(
            told(
                StreamBroken, request="r", model="p/large", delivered_chars=9, mode=mode, next_model="p/mini"
            )
        )
        assert f"→ p/mini  {words}" in attempts(stage)[-1]
        assert "after 9 chars" in attempts(stage)[-1]


async def test_a_broken_stream_that_nobody_goes_on_with_is_an_error_to_the_caller() -> None:
    async with dashboard() as stage:
        await stage.tell(told(StreamBroken, request="r", model="p/large", delivered_chars=9, mode="raise"))
        assert "the caller gets an error" in attempts(stage)[-1]


async def test_states_follow_events_without_waiting_for_the_next_look() -> None:
    async with dashboard() as stage:
        fail(stage, "p/large", 0.5)
        await stage.beat()
        stage.clock.pass_(0.3)
        await stage.beat()
        assert "✖ benched" in stage.row("p/large")
        stage.clock.pass_(0.3)
        stage.engine._sideline.expire()
        ticket = stage.engine._sideline.take_trial("p/large", "request", LEASE_S)
        await stage.beat()
        assert "◐ on trial" in stage.row("p/large")
        stage.engine._sideline.give_back(ticket)
        await stage.beat()
        assert "○ due" in stage.row("p/large")


async def test_what_no_event_told_heals_within_a_second() -> None:
    async with dashboard() as stage:
        await due(stage, "p/large")
        stage.clock.pass_(1.1)  # what was told just now is looked at more often
        await stage.beat()
        bench = stage.engine._sideline.bench
        ticket, _ = bench.take_trial("p/large", "request", LEASE_S)  # nobody is told
        await stage.beat()
        assert place(stage, "p/large").state == "due"
        stage.clock.pass_(1.0)
        await stage.beat()
        assert place(stage, "p/large").state == "on_trial"
        bench.succeeded(ticket)
        stage.clock.pass_(1.0)
        await stage.beat()
        assert place(stage, "p/large").state == "live"


async def test_a_trial_that_nobody_settles_lapses_on_the_board_too() -> None:
    async with dashboard() as stage:
        await on_trial(stage, "p/large")
        stage.clock.pass_(LEASE_S + 1.0)
        await stage.beat()
        await stage.beat()  # the look of the first one is what the engine noticed it by
        assert "○ due" in stage.row("p/large")
        assert "nobody settled it" in attempts(stage)[-1]


async def test_a_due_model_changes_nothing_while_time_passes() -> None:
    async with dashboard() as stage:
        await due(stage, "p/large")
        health = Health(stage.engine)
        health.refresh(stage.clock())
        for _ in range(5):
            stage.clock.pass_(1.7)
            assert not health.refresh(stage.clock())


async def test_only_what_is_live_counts_as_live() -> None:
    async with dashboard() as stage:
        await due(stage, "q/small")
        await on_trial(stage, "p/large")
        assert stage.row("support").endswith("1 of 3 live, 1 on trial, 1 due")
        assert stage.app.desk.health.counts() == {"live": 1, "on_trial": 1, "due": 1}
        assert [each.model for each in stage.app.desk.health.coming_back] == ["p/large", "q/small"]
        top = stage.lines[0]
        assert top.index("◐ p/large on trial") < top.index("○ q/small due") < top.index("● 1 live")


async def test_the_top_line_names_the_benched_first_and_still_counts_the_others_at_80_columns() -> None:
    async with dashboard(config({"c": ["p/a", "p/b", "p/c", "p/d", "p/e"]}), size=(80, 24)) as stage:
        await due(stage, "p/a")
        await on_trial(stage, "p/b")
        for model in ("p/c", "p/d", "p/e"):
            fail(stage, model)
        await stage.beat()
        assert stage.lines[0].endswith("✖ c 01:00  ✖ d 01:00  +1  ◐ 1 on trial  ○ 1 due")


async def test_at_40_columns_the_word_says_what_comes_next() -> None:
    async with dashboard(size=(40, 12)) as stage:
        await due(stage, "p/large")
        assert stage.row("p/large").endswith("up next")
        stage.engine._sideline.take_trial("p/large", "request", LEASE_S)
        await stage.beat()
        assert stage.row("p/large").endswith("trying")


async def test_in_ascii_each_state_has_its_own_sign_and_word() -> None:
    async with dashboard(config(dashboard=Dashboard(glyphs="ascii"))) as stage:
        await due(stage, "q/small")
        await on_trial(stage, "p/large")
        fail(stage, "p/mini")
        await stage.beat()
        assert "~ on trial" in stage.row("p/large")
        assert "x benched" in stage.row("p/mini")
        assert "o due" in stage.row("q/small")
        assert stage.screen.isascii()


async def test_rows_keep_their_place_while_models_come_back() -> None:
    async with dashboard() as stage:
        before = [each.model for each in stage.view.board.places]
        await on_trial(stage, "p/mini")
        await due(stage, "q/small")
        assert [each.model for each in stage.view.board.places] == before


async def test_a_lost_event_leaves_no_trial_that_is_said_to_run() -> None:
    async with dashboard() as stage:
        await stage.tell(told(ModelTrial, model="p/large", by="request"))
        stage.feed._count_lost(3)
        await stage.beat()
        assert "not seen" in attempts(stage)[-1]
        await stage.tell(told(ModelTrial, model="p/large", by="request", outcome="success"))
        assert "✓ passed" in attempts(stage)[-1]


async def test_the_end_of_a_trial_whose_beginning_has_left_the_ring_is_a_line() -> None:
    async with dashboard() as stage:
        await stage.tell(told(ModelTrial, model="p/x", by="probe", outcome="failure"))
        assert "✖ failed" in attempts(stage)[-1]
        assert "trial by probe" in attempts(stage)[-1]


async def test_an_answer_without_a_trial_is_not_said_to_have_passed_one() -> None:
    async with dashboard() as stage:
        await stage.tell(told(ModelDue, model="p/x"), told(ModelUnbenched, model="p/x", why="success"))
        assert "it answered" in attempts(stage)[-1]


async def test_a_first_bench_and_a_hold_have_no_level() -> None:
    async with dashboard() as stage:
        await stage.tell(benched("p/x", level=1), benched("p/y", level=3, manual=True, by="al"))
        assert "level" not in stage.screen
