"""`standby replay`, as a shell starts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.command import Shell
from tests.tui.recordings import incident, lines
from tests.tui.terminal import on_terminal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "incident.jsonl"
    path.write_bytes(b"".join(lines(incident().events)))
    return path


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ": there is no event in it"),
        (b"# Incident\n\nAll was well.\n", ":1: this is not JSON: Expecting value, column 1"),
        (b'{"event": "model.due"}\n', ":1: the event tells no time in `at`"),
        (b"\x1b[2J\n", ":1: this is not JSON"),
    ],
)
async def test_what_can_not_be_played_is_said_with_its_place(shell: Shell, content: bytes, says: str) -> None:
    path = shell.home / "x.jsonl"
    path.write_bytes(content)
    ended = await shell.run("replay", str(path))
    assert (ended.code, ended.out) == (2, "")
    assert f"{path}{says}" in ended.err
    assert "Traceback" not in ended.err
    assert "\x1b" not in ended.err


async def test_a_file_that_is_not_there_is_said_not_to_be(shell: Shell) -> None:
    ended = await shell.run("replay", "nowhere.jsonl")
    assert ended.code == 2
    assert "nowhere.jsonl can't be read: No such file or directory" in ended.err


async def test_standard_input_is_refused_with_a_reason(shell: Shell) -> None:
    ended = await shell.run("replay", "-", typed=b"{}")
    assert ended.code == 2
    assert "can't come from standard input: the dashboard needs that for its keys" in ended.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "FILE"),
        (("{}", "--speed", "fast"), "'fast' is no speed: write it as 8x"),
        (("{}", "--speed", "0.1x"), "a recording plays at 0.25x to 64x"),
        (("{}", "--speed", "nan"), "a recording plays at 0.25x to 64x"),
        (("{}", "--from", "2020-01-01T10:00"), "--from: '2020-01-01T10:00' is not within the recording"),
        (("{}", "--from", "noon"), "--from: 'noon' is no time"),
        (("{}", "--config", "none.yaml"), "none.yaml"),
        (("{}",), "which needs a terminal"),
    ],
)
async def test_what_is_wrong_on_the_command_line_is_a_sentence_and_exit_2(
    shell: Shell, file: Path, arguments: tuple[str, ...], says: str
) -> None:
    ended = await shell.run("replay", *(each.format(file) for each in arguments))
    assert ended.code == 2
    assert says in ended.err


def test_on_a_terminal_it_plays_from_where_it_was_told_and_ends_well(tmp_path: Path, file: Path) -> None:
    start = "2026-03-01T12:00:40+00:00"
    with on_terminal(
        ["-m", "tui", "replay", str(file), "--speed", "2x", "--from", start], tmp_path
    ) as terminal:
        terminal.until(lambda: "REPLAY" in terminal.text and " 2x" in terminal.text)
        terminal.until(lambda: "benched" in terminal.text)
        terminal.type(" ")
        terminal.until(lambda: "paused" in terminal.text)
        terminal.type("\x1b[H")
        terminal.until(lambda: "00:00 of 01:59" in terminal.text)
        terminal.type("q")
        assert terminal.ends(10.0) == 0
        assert terminal.is_sane


def test_a_faulty_configuration_stops_no_replay(tmp_path: Path, file: Path) -> None:
    config = tmp_path / "config" / "standby" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("chains: [")
    with on_terminal(["-m", "tui", "replay", str(file)], tmp_path) as terminal:
        terminal.until(lambda: "REPLAY" in terminal.text)
        terminal.type("q")
        assert terminal.ends(10.0) == 0
