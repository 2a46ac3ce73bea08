"""`standby run` when a model breaks off and another one answers: on a real terminal, and into a pipe."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.tui.command import Shell
from tests.tui.terminal import LIMIT_S, on_terminal
from tests.upstream import Step, Upstream, steps

SECOND = "This is the whole answer."
HEADS = ("try ", "failed ", "broken ", "answered ")
MID_STREAM = "attempts: 1, mid_stream: {}"


def broken(*pieces: str) -> Step:
    """Says that much, and the stream ends without saying so."""
    return steps.ok(pieces=pieces, without=("finish", "done"))


async def screen_after(
    up: Upstream, home: Path, *void: str, mid_stream: str = "restart", size: tuple[int, int] = (60, 16)
) -> list[str]:
    """The lines on the screen after `a` has said something and broken off, and `b` has answered."""
    up.script("a", broken(*void))
    up.script("b", steps.ok(SECOND))
    path = home / "standby.yaml"
    path.write_text(
        f"defaults: {{attempts: 1, mid_stream: {mid_stream}}}\n"
        f"providers: {{p: {{kind: openai, base_url: '{up.openai}'}}}}\n"
        f"chains: {{main: [p/a, p/b]}}\n"
    )
    arguments = ["-m", "tui", "run", "main", "hi", "--config", str(path)]
    with on_terminal(arguments, home, size=size) as terminal:
        assert await asyncio.to_thread(terminal.ends, LIMIT_S) == 0
        return [line.rstrip() for line in terminal.text.splitlines() if line.strip()]


@pytest.mark.parametrize(
    "void",
    [
        ["void"],
        ["void\n"],
        ["void ", "void\nvoid\n\n", "void"],
        ["void" * 15],  # to the last column, where the cursor waits
        ["void" * 40],
        ["void\tvoid\t void"],
        ["Ω void 東京 " * 9],
        ["void 東" * 20],
        ["void e\u0301e\u0301"],
        ["\x1b[2J\r\nvoid\x07\u202e"],
    ],
)
async def test_a_terminal_shows_only_the_second_answer(up: Upstream, tmp_path: Path, void: list[str]) -> None:
    lines = await screen_after(up, tmp_path, *void)
    assert SECOND in lines
    assert not [line for line in lines if "void" in line or "---" in line]
    heads = [line.split()[0] for line in lines if line.startswith(HEADS)]
    assert heads == ["try", "failed", "broken", "try", "answered"]


async def test_what_has_scrolled_off_stays_and_a_line_says_what_it_is(up: Upstream, tmp_path: Path) -> None:
    lines = await screen_after(up, tmp_path, "void\n" * 30)
    (at,) = (place for place, line in enumerate(lines) if line.startswith("---"))
    assert lines[at] == "--- p/a broke off; p/b answers from the start ---"
    assert lines[at + 1] == SECOND
    assert "void" in lines[0]


async def test_a_character_whose_width_is_disputed_leaves_nothing_to_chance(
    up: Upstream, tmp_path: Path
) -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    lines = await screen_after(up, tmp_path, f"void {family * 12}")
    assert "--- p/a broke off; p/b answers from the start ---" in lines
    assert SECOND in lines


async def test_a_short_disputed_answer_is_taken_back_all_the_same(up: Upstream, tmp_path: Path) -> None:
    lines = await screen_after(up, tmp_path, "void \U0001f468\u200d\U0001f469\u200d\U0001f467")
    assert SECOND in lines
    assert not [line for line in lines if "void" in line]


async def test_the_progress_that_stood_between_stays(up: Upstream, tmp_path: Path) -> None:
    lines = await screen_after(up, tmp_path, "void", size=(100, 16))
    assert any(
        line == "broken   p/a broke off after 4 characters; p/b answers from the start" for line in lines
    )
    assert sum(line.startswith("try ") for line in lines) == 2


async def test_what_is_to_follow_is_left_where_it_is(up: Upstream, tmp_path: Path) -> None:
    lines = await screen_after(up, tmp_path, "first part", mid_stream="append", size=(100, 16))
    assert lines.index("first part") < lines.index(SECOND)
    assert "broken   p/a broke off after 10 characters; p/b goes on" in lines


@pytest.mark.parametrize(("mid_stream", "out"), [("restart", SECOND), ("append", f"void{SECOND}")])
async def test_a_pipe_gets_the_right_answer_and_nothing_else(
    shell: Shell, up: Upstream, mid_stream: str, out: str
) -> None:
    up.script("a", broken("void"))
    up.script("b", steps.ok(SECOND))
    path = shell.config(up, defaults=MID_STREAM.format(mid_stream))
    ended = await shell.run("run", "main", "hi", "--config", path, "--store", "memory")
    assert (ended.code, ended.out) == (0, f"{out}\n")
    result = (await shell.run("run", "main", "hi", "--json", "--config", path)).lines[-1]
    assert (result["ok"], result["text"]) == (True, out)


async def test_a_pipe_gets_what_was_continued_once_it_is_whole(shell: Shell, up: Upstream) -> None:
    up.script("a", broken("This is "))
    up.script("b", steps.ok("the whole answer."))
    path = shell.config(up, defaults=MID_STREAM.format("continue"))
    ended = await shell.run("run", "main", "hi", "--config", path)
    assert (ended.code, ended.out) == (0, f"{SECOND}\n")
    assert "p/a broke off after 8 characters; p/b goes on" in ended.err


async def test_a_pipe_gets_nothing_of_an_answer_that_never_became_whole(shell: Shell, up: Upstream) -> None:
    up.script("a", broken("void"))
    up.script("b", steps.status(500))
    path = shell.config(up, defaults=MID_STREAM.format("restart"))
    ended = await shell.run("run", "main", "hi", "--config", path)
    assert (ended.code, ended.out) == (1, "")
    assert "nobody took over" in ended.err


@pytest.mark.parametrize(("mid_stream", "comes"), [("raise", True), ("append", True), ("restart", False)])
async def test_a_pipe_gets_an_answer_as_it_comes_unless_it_may_turn_out_void(
    shell: Shell, up: Upstream, mid_stream: str, comes: bool
) -> None:
    go_on = asyncio.Event()
    up.script("a", steps.ok("Hello there", hold={1: go_on}))
    path = shell.config(up, "a", defaults=MID_STREAM.format(mid_stream))
    process = await shell.start("run", "main", "hi", "--config", path)
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        if comes:
            assert await process.stdout.read(5) == b"Hello"
        go_on.set()
        out, _ = await process.communicate()
    assert out == (b" there\n" if comes else b"Hello there\n")


async def test_json_tells_of_the_break_and_gives_the_final_text(shell: Shell, up: Upstream) -> None:
    up.script("a", broken("void"))
    up.script("b", steps.ok(SECOND))
    path = shell.config(up, defaults=MID_STREAM.format("restart"))
    ended = await shell.run("run", "main", "hi", "--json", "--config", path)
    (event,) = (line for line in ended.lines if line["event"] == "stream.broken")
    assert (event["model"], event["mode"], event["next_model"]) == ("p/a", "restart", "p/b")
    assert json.dumps("void") not in ended.out
    assert ended.lines[-1]["text"] == SECOND
