"""The board, on a real engine whose clock the test turns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine import Engine, KeySource, ProviderConfig
from tests.scripted import Scripted
from tests.tui.stage import CHAINS, Stage, answered, begun, config, dashboard, failed
from tui.widgets.lined import Lined


def bench(stage: Stage, model: str, seconds: float | None = 60.0, **more: Any) -> None:
    stage.engine.bench(model, for_=seconds, **more)


def painted_lines(widget: Lined, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines that are drawn again from now on, one by one."""
    painted: list[int] = []
    monkeypatch.setattr(widget, "repaint_lines", painted.extend)
    return painted


async def test_every_chain_shows_its_models_in_fallback_order() -> None:
    async with dashboard() as stage:
        models = [word for line in stage.lines[2:9] for word in line.split() if "/" in word]
        assert "support" in stage.lines[2]
        assert "drafts" in stage.lines[6]
        assert models == [*CHAINS["support"], *CHAINS["drafts"]]


async def test_the_model_that_serves_is_marked_and_so_is_one_that_stands_in() -> None:
    async with dashboard() as stage:
        assert "▸ ● live" in stage.row("p/large")
        assert "▸" not in stage.row("p/mini")
        bench(stage, "p/large")
        await stage.beat()
        assert "✖" not in stage.row("p/mini")
        assert "■ held" in stage.row("p/large")
        assert "↳ ● live" in stage.row("p/mini")
        assert "for p/large" in stage.row("p/mini")
        assert "▸ ● live" in stage.row("q/small", 1)  # it serves drafts in its own right


async def test_a_chain_that_nobody_can_serve_says_so() -> None:
    async with dashboard(config({"solo": ["p/one"]})) as stage:
        bench(stage, "p/one", None)
        await stage.beat()
        assert "nobody can serve" in stage.row("solo")


async def test_a_countdown_runs_and_its_bar_shrinks() -> None:
    async with dashboard() as stage:
        bench(stage, "p/large", 60.0)
        await stage.beat()
        assert "━━━━━━━━" in stage.row("p/large")
        assert "01:00" in stage.row("p/large")
        stage.clock.pass_(45.0)
        await stage.beat()
        assert "00:15" in stage.row("p/large")
        assert "━━──────" in stage.row("p/large")


async def test_a_hold_without_end_says_so_and_names_who_and_why() -> None:
    async with dashboard() as stage:
        bench(stage, "p/large", None, reason="cost", by="alice")
        await stage.beat()
        line = stage.row("p/large")
        assert "no end" in line
        assert "cost" in line
        assert "by alice" in line


async def test_a_bench_that_ends_brings_the_row_back_without_an_event() -> None:
    async with dashboard() as stage:
        bench(stage, "p/large", 5.0)
        await stage.beat()
        assert "■ held" in stage.row("p/large")
        stage.clock.pass_(5.1)
        await stage.beat()
        assert "● live" in stage.row("p/large")


async def test_only_the_rows_that_count_down_are_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as stage:
        bench(stage, "p/mini", 300.0)
        await stage.beat()
        await stage.beat()
        painted = painted_lines(stage.view.board, monkeypatch)
        stage.clock.pass_(0.5)
        await stage.beat()
        assert painted == []
        stage.clock.pass_(0.5)
        await stage.beat()
        rows = stage.lines[1 : 1 + stage.view.board.size.height]
        assert sorted(set(painted)) == [y for y, line in enumerate(rows) if "held" in line]


async def test_in_the_last_seconds_a_countdown_is_painted_four_times_a_second() -> None:
    async with dashboard() as stage:
        bench(stage, "p/mini", 9.0)
        await stage.beat()
        board, stamps = stage.view.board, list[float]()
        for _ in range(8):
            stage.clock.pass_(0.125)
            await stage.beat()
            stamps.append(board._stamp)
        assert stamps == [1000.0, *(1000 + quarter / 4 for quarter in (1, 1, 2, 2, 3, 3, 4))]


async def test_a_bench_in_its_last_seconds_does_not_have_the_others_painted_more_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard() as stage:
        bench(stage, "p/large", 300.0)
        bench(stage, "q/small", 9.0)
        await stage.beat()
        painted = painted_lines(stage.view.board, monkeypatch)
        for _ in range(8):
            stage.clock.pass_(0.125)
            await stage.beat()
        row = stage.lines.index(stage.row("p/large")) - stage.view.board.region.y
        assert 0 < painted.count(row) <= 2  # its second passed once; its figures were looked at once


async def test_the_figures_of_a_model_stand_in_its_row() -> None:
    async with dashboard() as stage:
        for number in range(4):
            await stage.tell(begun(f"r{number}"), answered(f"r{number}", first_token_s=0.34))
        await stage.tell(begun("r9"), failed("r9", reason="rate_limited"))
        stage.clock.pass_(1.0)
        await stage.beat()
        line = stage.row("p/large")
        assert " 5 " in line
        assert "80%" in line
        assert "340ms" in line
        assert "rate limited" in line
        assert "█" in line


async def test_a_model_without_a_key_is_unusable_and_says_why() -> None:
    keyed = ProviderConfig("p", keys=(KeySource("main", env="NO_SUCH_KEY_IS_SET"),), adapter=Scripted({}))
    shown = config()
    async with dashboard(replace(shown, providers={**shown.providers, "p": keyed})) as stage:
        line = stage.row("p/large")
        assert "∅ unusable" in line
        assert "NO_SUCH_KEY" in line
        assert "↳" in stage.row("q/small")


async def test_the_cursor_moves_over_models_only_and_stops_at_the_ends() -> None:
    async with dashboard() as stage:
        board = stage.view.board
        assert board.cursor == ("support", "p/large")
        for keys, wanted in (
            ("j", ("support", "p/mini")),
            ("down", ("support", "q/small")),
            ("j", ("drafts", "q/small")),
            ("G", ("drafts", "p/mini")),
            ("j", ("drafts", "p/mini")),
            ("k", ("drafts", "q/small")),
            ("g", ("support", "p/large")),
            ("up", ("support", "p/large")),
        ):
            await stage.press(keys)
            assert board.cursor == wanted
        assert "▌" in stage.row("p/large")


async def test_the_cursor_stays_with_its_model_through_a_reload_that_moves_it() -> None:
    async with dashboard() as stage:
        await stage.press("j", "j", "j")
        assert stage.view.board.cursor == ("drafts", "q/small")
        y = next(y for y, line in enumerate(stage.lines) if "▌" in line)
        stage.retake(config({"new": ["p/a", "p/b"], **CHAINS}))
        stage.clock.pass_(2.0)
        await stage.beat()
        assert stage.view.board.cursor == ("drafts", "q/small")
        line = next(line for line in stage.lines if "▌" in line)
        assert "q/small" in line
        assert stage.lines.index(line) != y


async def test_the_cursor_of_a_model_that_is_gone_goes_to_the_next_one() -> None:
    async with dashboard() as stage:
        await stage.press("j")
        stage.retake(config({"support": ["p/large", "q/small"], "drafts": ["q/small"]}))
        stage.clock.pass_(2.0)
        await stage.beat()
        assert stage.view.board.cursor == ("support", "q/small")


async def test_rows_keep_their_place_whatever_happens_to_the_models() -> None:
    async with dashboard() as stage:
        models = [next((word for word in line.split() if "/" in word), "") for line in stage.lines[2:9]]
        bench(stage, "p/large")
        await stage.tell(*(begun(f"r{number}", "q/small") for number in range(20)))
        stage.clock.pass_(1.0)
        await stage.beat()
        after = [next((word for word in line.split() if "/" in word), "") for line in stage.lines[2:9]]
        assert models == after


async def test_a_click_takes_the_cursor_along() -> None:
    async with dashboard() as stage:
        y = next(y for y, line in enumerate(stage.lines) if "q/small" in line)
        await stage.pilot.click(offset=(10, y))
        await stage.beat()
        assert stage.view.board.cursor == ("support", "q/small")


async def test_a_board_longer_than_its_window_follows_the_cursor_and_says_where_it_is() -> None:
    chains = {f"chain{number}": ["p/a", "p/b"] for number in range(20)}
    async with dashboard(config(chains), size=(100, 24)) as stage:
        assert "of 60" in stage.screen
        await stage.press("G")
        assert "chain19" in stage.screen
        assert "chain0 " not in stage.screen
        await stage.press("g")
        assert "chain0 " in stage.screen


async def test_without_chains_the_board_says_what_to_do() -> None:
    async with dashboard(config({})) as stage:
        assert "There are no chains yet." in stage.screen
        assert "standby init" in stage.screen
        assert "b Bench" not in stage.screen


async def test_a_first_chain_appears_when_the_file_has_one() -> None:
    async with dashboard(config({})) as stage:
        stage.retake(config())
        stage.clock.pass_(2.0)
        await stage.beat()
        assert "support" in stage.screen
        assert stage.view.board.cursor == ("support", "p/large")
        assert "b Bench" in stage.screen


async def test_unbench_is_immediate_and_tells_what_it_did() -> None:
    async with dashboard() as stage:
        bench(stage, "p/large", None, reason="cost")
        await stage.beat()
        await stage.press("u")
        assert not stage.engine.is_benched("p/large")
        await stage.until(lambda: "p/large is back. It was held (cost)." in " ".join(stage.screen.split()))


async def test_unbench_of_a_model_that_plays_says_so() -> None:
    async with dashboard() as stage:
        await stage.press("u")
        await stage.until(lambda: "was not on the bench" in " ".join(stage.screen.split()))


async def test_unbench_of_a_model_that_the_config_lost_meanwhile_is_an_error_not_a_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> bool:
        raise ValueError("no such [bold model")

    async with dashboard() as stage:
        monkeypatch.setattr(Engine, "unbench", refuse)
        await stage.press("u")
        await stage.until(lambda: "no such [bold model" in " ".join(stage.screen.split()))
