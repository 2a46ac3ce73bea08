"""The stream of attempts: what is read does not move."""

from __future__ import annotations

import pytest
from textual import events
from textual.geometry import Offset

from tests.tui.stage import Stage, answered, begun, benched, dashboard, failed
from tui.widgets.attempts import Attempts


async def fill(stage: Stage, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        stage.feed.push(begun(f"{number:06}", f"p/m{number}"))
        stage.feed.push(answered(f"{number:06}", f"p/m{number}"))
    await stage.beat()


def shown(stage: Stage) -> list[str]:
    """The models of the lines that are seen."""
    attempts = stage.view.attempts
    lines = stage.lines[attempts.region.y + 1 : attempts.region.bottom]
    return [word for line in lines for word in line.split() if word.startswith("p/m")]


async def reading(stage: Stage) -> Attempts:
    """The reader has gone to the attempts and up a little."""
    await stage.press("tab", "k", "k", "k")
    return stage.view.attempts


async def test_an_attempt_is_seen_running_and_then_how_it_ended() -> None:
    async with dashboard() as stage:
        await stage.tell(begun("abcdef123456", "p/large", attempt=2, attempts=3))
        line = next(line for line in stage.lines if "running" in line)
        assert "2/3" in line
        assert "0.0s" in line
        stage.clock.pass_(1.5)
        await stage.beat()
        assert "1.5s" in next(line for line in stage.lines if "running" in line)
        await stage.tell(
            failed(
                "abcdef123456", "p/large", attempt=2, elapsed_s=2.25, next_model="p/mini", message="too busy"
            )
        )
        line = next(line for line in stage.lines if "failed" in line)
        assert "503 overloaded" in line
        assert "2.2s" in line
        assert "→ p/mini" in line
        assert "too busy" in line
        assert "running" not in stage.screen


async def test_every_column_has_room_on_a_wide_screen() -> None:
    async with dashboard(size=(170, 40)) as stage:
        await stage.tell(begun("abcdef123456", "p/large"), failed("abcdef123456", "p/large"))
        head = next(line for line in stage.lines if "outcome" in line)
        assert head.split() == [
            "time",
            "engine",
            "req",
            "chain",
            "model",
            "try",
            "outcome",
            "took",
            "reason",
            "then",
        ]
        assert "abcde…" in stage.screen


async def test_benches_stand_among_the_attempts() -> None:
    async with dashboard() as stage:
        await stage.tell(benched("p/large", for_s=90.0), benched("q/*", for_s=None, manual=True, by="alice"))
        auto = next(line for line in stage.lines if "✖ benched" in line)
        hold = next(line for line in stage.lines if "■ held" in line and "q/*" in line)
        assert "for 01:30" in auto
        assert "no end by alice" in hold


async def test_where_columns_are_few_the_reason_says_what_follows_too() -> None:
    async with dashboard(size=(80, 24)) as stage:
        await stage.tell(
            benched("p/large", for_s=90.0, reason="quota"),
            benched("q/*", reason="", for_s=None, manual=True, by="al"),
            begun("r"),
            failed("r", reason="quota", status=402, next_model="p/mini"),
        )
        assert "for 01:30: quota" in stage.screen
        assert "no end by al" in stage.screen
        assert "402 quota → mini" in stage.screen


async def test_it_follows_the_end() -> None:
    async with dashboard() as stage:
        await fill(stage, 100)
        assert shown(stage)[-1] == "p/m99"
        await fill(stage, 5, 100)
        assert shown(stage)[-1] == "p/m104"
        assert "new" not in stage.lines[stage.view.attempts.region.y]


async def test_up_leaves_the_end_and_what_is_read_stays() -> None:
    async with dashboard() as stage:
        await fill(stage, 100)
        attempts = await reading(stage)
        before = shown(stage)
        assert not attempts.following
        await fill(stage, 30, 100)
        assert shown(stage) == before
        assert "+30 new — End to follow" in stage.screen


async def test_end_follows_again() -> None:
    async with dashboard() as stage:
        await fill(stage, 100)
        await reading(stage)
        await fill(stage, 30, 100)
        await stage.press("end")
        assert shown(stage)[-1] == "p/m129"
        assert "End to follow" not in stage.screen


async def test_f_follows_from_wherever_the_focus_is() -> None:
    async with dashboard() as stage:
        await fill(stage, 100)
        await reading(stage)
        await stage.press("tab")
        assert stage.view.board.has_focus
        await stage.press("f")
        assert shown(stage)[-1] == "p/m99"


async def test_going_down_to_the_last_line_follows_again() -> None:
    async with dashboard() as stage:
        await fill(stage, 100)
        attempts = await reading(stage)
        await stage.press("j", "j")
        assert not attempts.following
        await stage.press("j")
        assert attempts.following


async def test_the_wheel_leaves_the_end_and_a_click_on_the_pill_comes_back() -> None:
    async with dashboard() as stage:
        await fill(stage, 100)
        attempts = stage.view.attempts
        attempts.post_message(events.MouseScrollUp(attempts, 1, 1, 0, 0, 0, False, False, False))
        await stage.beat()
        assert not attempts.following
        await stage.pilot.click(Attempts, offset=Offset(attempts.size.width - 3, 0))
        await stage.beat()
        assert attempts.following


async def test_pages_and_ends_of_the_ring_are_reached() -> None:
    async with dashboard() as stage:
        await fill(stage, 200)
        await stage.press("tab", "g")
        assert shown(stage)[0] == "p/m0"
        first = len(shown(stage))
        await stage.press("pagedown")
        assert shown(stage)[0] == f"p/m{first - 1}"
        await stage.press("pageup")
        assert shown(stage)[0] == "p/m0"
        await stage.press("G")
        assert shown(stage)[-1] == "p/m199"


async def test_what_is_read_stays_even_when_the_ring_drops_it() -> None:
    async with dashboard() as stage:
        stage.feed.ring.size = 100
        await fill(stage, 100)
        attempts = await reading(stage)
        before = shown(stage)
        await fill(stage, 500, 100)
        assert stage.feed.ring.first == 500
        assert shown(stage) == before
        await stage.press("k")  # there is nothing above any more: it goes on where the ring begins
        assert shown(stage)[0] == "p/m500"
        assert not attempts.following


async def test_a_line_that_is_read_still_tells_how_its_attempt_ended() -> None:
    async with dashboard() as stage:
        await fill(stage, 100)
        await stage.tell(begun("slow", "p/mslow"))
        await stage.press("tab", "k")
        await fill(stage, 10, 100)
        before = shown(stage)
        if "p/mslow" not in before:
            await stage.press("j")
            before = shown(stage)
        await stage.tell(failed("slow", "p/mslow"))
        assert shown(stage) == before
        assert "failed" in next(line for line in stage.lines if "p/mslow" in line)


async def test_a_list_shorter_than_its_window_always_follows() -> None:
    async with dashboard() as stage:
        await fill(stage, 3)
        await stage.press("tab", "k", "g", "pageup")
        assert stage.view.attempts.following


async def test_only_lines_that_changed_are_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as stage:
        await fill(stage, 100)
        await stage.tell(begun("slow", "p/mslow"))
        attempts, painted = stage.view.attempts, list[int]()
        monkeypatch.setattr(attempts, "repaint_lines", painted.extend)
        await stage.beat()
        assert painted == []
        stage.clock.pass_(0.5)
        await stage.beat()
        assert painted == [attempts.size.height - 1]


async def test_without_traffic_it_says_what_to_do() -> None:
    async with dashboard() as stage:
        assert "No traffic yet: n sends a prompt of your own." in stage.screen
        assert "no events yet" in stage.screen
        await fill(stage, 1)
        assert "No traffic yet" not in stage.screen


async def test_a_smaller_window_keeps_what_is_read_on_top() -> None:
    async with dashboard() as stage:
        await fill(stage, 100)
        await reading(stage)
        top = shown(stage)[0]
        await stage.pilot.resize_terminal(100, 30)
        await stage.until(lambda: stage.app.size.height == 30)
        await stage.beat()
        assert shown(stage)[0] == top
