"""Every size shows what matters; nothing is refused."""

from __future__ import annotations

import functools

import pytest
from textual.geometry import Size

from tests.tui.stage import Stage, answered, begun, dashboard


@pytest.mark.parametrize(
    "size", [(1, 1), (5, 3), (20, 5), (40, 12), (80, 24), (120, 40), (200, 60), (400, 100)]
)
async def test_every_size_is_drawn_whole(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as stage:
        stage.engine.bench("p/large", for_=60.0)
        await stage.tell(begun("r"), answered("r"))
        await stage.press("b", "escape", "tab", "k", "space")
        assert len(stage.strips) == size[1]
        assert all(strip.cell_length == size[0] for strip in stage.strips)


async def test_at_40_by_12_one_sees_what_is_benched_and_until_when() -> None:
    async with dashboard(size=(40, 12)) as stage:
        stage.engine.bench("p/large", for_=60.0)
        await stage.beat()
        assert "■ held" in stage.row("p/large")
        assert "01:00" in stage.row("p/large")
        assert "↳ ● live" in stage.row("p/mini")
        assert "outcome" not in stage.screen


async def test_at_80_by_24_columns_drop_and_the_panes_stack() -> None:
    async with dashboard(size=(80, 24)) as stage:
        head = stage.lines[1].split()
        assert head == ["state", "model", "bench", "left", "req/min", "ok", "reason,", "since"]
        attempts, board = stage.view.attempts.region, stage.view.board.region
        assert attempts.x == board.x
        assert attempts.y == board.bottom


async def test_at_120_by_40_every_column_is_there() -> None:
    async with dashboard(size=(120, 40)) as stage:
        head = stage.lines[1]
        for name in (
            "state",
            "model",
            "bench",
            "left",
            "req/min",
            "ok",
            "p50",
            "p95",
            "recent",
            "reason, since",
        ):
            assert name in head


async def test_at_200_by_60_the_attempts_are_beside_the_board() -> None:
    async with dashboard(size=(200, 60)) as stage:
        attempts, board = stage.view.attempts.region, stage.view.board.region
        assert attempts.y == board.y
        assert attempts.x > board.right
        assert "p95" in stage.lines[1]


async def test_columns_do_not_move_with_what_is_in_them() -> None:
    async with dashboard() as stage:
        stage.engine.bench("p/large", for_=4000.0)
        await stage.beat()
        before = stage.lines[1], stage.row("p/large").index("1h 06m")
        stage.clock.pass_(900.0)
        for number in range(200):
            stage.feed.push(begun(f"{number}"))
        await stage.beat()
        assert (stage.lines[1], stage.row("p/large").index("51:40") - 1) == before


def has_size(stage: Stage, width: int, height: int) -> bool:
    return stage.app.screen.size == Size(width, height)


async def test_a_resize_is_drawn_whole_at_once() -> None:
    async with dashboard(size=(120, 40)) as stage:
        for width, height in ((40, 12), (200, 60), (80, 24)):
            await stage.pilot.resize_terminal(width, height)
            await stage.until(functools.partial(has_size, stage, width, height))
            await stage.beat()
            assert all(strip.cell_length == width for strip in stage.strips)
            assert "support" in stage.screen
