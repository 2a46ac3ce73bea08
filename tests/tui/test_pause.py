"""Space holds the view still, never the intake."""

from __future__ import annotations

from tests.tui.stage import Stage, answered, begun, dashboard


def body(stage: Stage) -> list[str]:
    """Board and attempts, without the lines above and below."""
    return stage.lines[1:-2]


async def traffic(stage: Stage, name: str) -> None:
    for number in range(10):
        stage.feed.push(begun(f"{name}{number}"))
        stage.feed.push(answered(f"{name}{number}"))
    stage.clock.pass_(1.0)
    await stage.beat()


async def test_a_paused_view_does_not_move() -> None:
    async with dashboard() as stage:
        await traffic(stage, "a")
        await stage.tell(begun("slow"))
        stage.engine.bench("p/mini", for_=300.0)
        await stage.beat()
        await stage.press("space")
        before = body(stage)
        for name in "bcd":
            await traffic(stage, name)
        stage.engine.bench("q/small", for_=60.0)
        stage.clock.pass_(200.0)
        await stage.beat()
        assert body(stage) == before


async def test_the_banner_counts_what_waits_and_nothing_is_lost() -> None:
    async with dashboard() as stage:
        await traffic(stage, "a")
        await stage.press("space")
        await traffic(stage, "b")
        await traffic(stage, "c")
        assert "‖ paused at" in stage.lines[-2]
        assert "40 events wait" in stage.lines[-2]
        assert "Space goes on" in stage.lines[-2]
        await stage.press("space")
        assert "paused" not in stage.screen
        assert stage.feed.seen == 60
        assert len(stage.feed.ring) == 30


async def test_going_on_shows_the_present() -> None:
    async with dashboard() as stage:
        await traffic(stage, "a")
        await stage.press("space")
        stage.engine.bench("p/large", for_=90.0)
        await traffic(stage, "b")
        stage.clock.pass_(29.0)
        await stage.press("space")
        assert "01:00" in stage.row("p/large")


async def test_one_can_look_around_in_a_paused_view() -> None:
    async with dashboard() as stage:
        for name in "abcdef":
            await traffic(stage, name)
        await stage.press("space")
        last = [line for line in stage.lines if "p/large" in line][-1]
        await traffic(stage, "z")
        await stage.press("tab", "g", "G")
        assert [line for line in stage.lines if "p/large" in line][-1] == last
        await stage.press("tab", "j")
        assert stage.view.board.cursor == ("support", "p/mini")


async def test_a_pause_outlasts_a_reader_who_was_not_at_the_end() -> None:
    async with dashboard() as stage:
        for name in "abcdef":
            await traffic(stage, name)
        await stage.press("tab", "k", "k", "space")
        top = stage.view.attempts.top
        await traffic(stage, "z")
        await stage.press("space")
        assert stage.view.attempts.top == top
        assert not stage.view.attempts.following


async def test_the_pause_shows_its_key_as_it_was_remapped() -> None:
    async with dashboard() as stage:
        stage.app.desk.keymap = {"pause": "p"}
        stage.app.set_keymap({"pause": "p"})
        await stage.press("p")
        assert "p goes on" in stage.lines[-2]
