"""The line that says how far the reading of a file is."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.tui.command import Shell
from tests.tui.recordings import at, lines
from tests.tui.stage import begun
from tests.tui.terminal import on_terminal
from tui.replay.playback import load
from tui.replay.reading import Reading


class Tty(io.TextIOWrapper):
    """Standard error that is a terminal; of what size it does not say."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding=encoding, newline="")

    def isatty(self) -> bool:
        return True

    @property
    def told(self) -> list[str]:
        """What stood in the line, one after another."""
        self.flush()
        return [each for each in self.bytes.getvalue().decode(self.encoding).split("\r") if each.strip()]


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "big.jsonl"
    path.write_bytes(b"".join(lines([begun(f"r{number}", at=at(number / 10)) for number in range(5000)])))
    return path


def test_each_percent_is_said_once_and_in_the_end_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = Tty()
    monkeypatch.setattr(sys, "stderr", tty)
    reading = Reading("big.jsonl")
    for share in (0.0, 0.451, 0.4511, 1.0):
        reading(share)
    reading.clear()
    reading.clear()
    assert tty.told == [f"reading big.jsonl … {percent} %" for percent in (0, 45, 100)]
    assert tty.bytes.getvalue().endswith(b"\r" + b" " * 79 + b"\r")


@pytest.mark.parametrize("name", ["x" * 300, "事" * 300, "e\x1b[2J\r\n100%", "\u202e"])
def test_no_name_breaks_the_line_or_reaches_the_terminal(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    tty = Tty()
    monkeypatch.setattr(sys, "stderr", tty)
    Reading(name)(0.5)
    (line,) = tty.told
    assert line.startswith("reading ")
    assert line.endswith(" … 50 %")
    assert sum(1 if char.isascii() else 2 for char in line) < 80
    assert line.isprintable()


def test_a_terminal_that_knows_no_dots_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    tty = Tty("ascii")
    monkeypatch.setattr(sys, "stderr", tty)
    Reading("é")(0.5)
    assert tty.told == ["reading ? ? 50 %"]


def test_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    Reading("big.jsonl")(0.5)
    assert pipe.getvalue() == ""


def test_loading_tells_which_share_is_read(big: Path) -> None:
    told: list[float] = []
    made = load(big, told.append)
    assert len(made.events) == 5000
    assert [round(share, 1) for share in told] == [0.4, 0.8]


async def test_without_a_terminal_only_the_error_is_told(shell: Shell, big: Path) -> None:
    ended = await shell.run("replay", str(big))
    assert ended.code == 2
    assert "reading" not in ended.err


def test_on_a_terminal_the_reading_is_seen_before_the_dashboard_opens(tmp_path: Path, big: Path) -> None:
    with on_terminal(["-m", "tui", "replay", str(big)], tmp_path) as terminal:
        terminal.until(lambda: "REPLAY" in terminal.text)
        before, _, _ = terminal.written.decode(errors="replace").partition("\x1b[?1049h")
        assert "\rreading big.jsonl … " in before
        assert before.endswith(f"\r{' ' * 99}\r")
        terminal.type("q")
        assert terminal.ends(10.0) == 0


def test_a_line_is_read_the_same_however_json_is_written(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    data = begun("é", at=at(1.0)).to_json()
    texts = [json.dumps(data), json.dumps(data, ensure_ascii=False), f"  {json.dumps(data)}  "]
    path.write_bytes("\r\n".join(texts).encode())
    assert [event.to_json() for event in load(path).events] == [data] * 3
    path.write_bytes(f"{texts[0]} {texts[0]}\n".encode())
    with pytest.raises(Exception, match="Extra data"):
        load(path)
