"""The dashboard on a real terminal: however it ends, the process is gone and the terminal as it was."""

from __future__ import annotations

import re
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tui.terminal import LIMIT_S, Terminal, on_terminal

DASHBOARD = ["-m", "tui"]
GONE_WITHIN_S = 10.0  # the hard way is taken after a second and a half; the rest is a busy machine's
SECRET = "canary-0123456789"

CRASHING = f"""
import sys
from engine import load_config
from tui.app import StandbyApp, run_dashboard

def beat(self):
    secret_local = {SECRET!r} + self.title
    raise ValueError("it broke [/] \\x1b]52;c;aGk=\\x07 with key canary-0123456789")

StandbyApp._beat = beat
sys.exit(run_dashboard(load_config()))
"""

HOSTILE = "\x1b[2J\x1b]52;c;aGk=\x07\x9b31m\u202egnp.exe\u2066\x00\x7f[/] end"
HOSTILE_UPSTREAM = f"""
import sys
from dataclasses import replace
from engine import Policy, Signal, Traffic
from tests.scripted import Scripted, chain_of
from tui.app import run_dashboard

text = {HOSTILE!r}
provider = Scripted({{text: [Signal("status", text, status=500)], "b": ["fine"]}})
chain = chain_of(provider, text, "b", policy=Policy(attempts=1, cooldown=0.3))
sys.exit(run_dashboard(replace(chain, traffic=Traffic(20.0, ("main",)))))
"""


@contextmanager
def open_dashboard(home: Path, *, ignore: tuple[int, ...] = ()) -> Iterator[Terminal]:
    with on_terminal(DASHBOARD, home, ignore=ignore) as terminal:
        terminal.until(lambda: "support" in terminal.text and "q Quit" in terminal.text)
        yield terminal


def test_q_leaves_at_once(tmp_path: Path) -> None:
    with open_dashboard(tmp_path) as terminal:
        assert not terminal.is_sane
        terminal.type("q")
        assert terminal.ends(GONE_WITHIN_S) == 0
        assert terminal.is_sane


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_signal_ends_it_with_its_code(tmp_path: Path, name: str, code: int) -> None:
    with open_dashboard(tmp_path) as terminal:
        terminal.signal(getattr(signal, name))
        assert terminal.ends(GONE_WITHIN_S) == code
        assert terminal.is_sane
        assert b"Traceback" not in terminal.written


def test_a_signal_ends_it_under_a_dialog_too(tmp_path: Path) -> None:
    with open_dashboard(tmp_path) as terminal:
        terminal.type("b")
        terminal.until(lambda: "Cancel" in terminal.text)
        terminal.signal(signal.SIGTERM)
        assert terminal.ends(GONE_WITHIN_S) == 143
        assert terminal.is_sane


def test_a_dropped_connection_ends_it(tmp_path: Path) -> None:
    with open_dashboard(tmp_path) as terminal:
        terminal.hang_up()
        assert terminal.ends(GONE_WITHIN_S) == 129


def test_a_dropped_connection_ends_it_even_if_it_may_not_hear_of_it(tmp_path: Path) -> None:
    with open_dashboard(tmp_path, ignore=(signal.SIGHUP,)) as terminal:
        terminal.hang_up()
        assert terminal.ends(GONE_WITHIN_S) == 129


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    with open_dashboard(tmp_path, ignore=(signal.SIGHUP,)) as terminal:
        terminal.signal(signal.SIGHUP)
        terminal.type("j")
        terminal.until(lambda: any("▌" in line and "swift" in line for line in terminal.text.splitlines()))
        terminal.type("q")
        assert terminal.ends(GONE_WITHIN_S) == 0


def test_a_terminal_that_no_longer_reads_does_not_keep_it_alive(tmp_path: Path) -> None:
    with open_dashboard(tmp_path) as terminal:
        for _ in range(40):  # much more to paint than a terminal holds, and nobody reads it
            terminal.type("12")
        terminal.signal(signal.SIGTERM)
        assert terminal.process.wait(GONE_WITHIN_S) == 143


def test_a_crash_is_one_message_and_a_log_without_locals(tmp_path: Path) -> None:
    with on_terminal(["-c", CRASHING], tmp_path) as terminal:
        assert terminal.ends(LIMIT_S) == 1
        assert terminal.is_sane
        said = terminal.written.rpartition(b"\x1b[?1049l")[2].decode()
        log = tmp_path / "state" / "standby" / "standby.log"
        assert "the dashboard crashed: ValueError: it broke [/] " in said
        assert str(log) in "".join(said.split())
        assert SECRET not in said
        assert "\x1b]52" not in said
        assert "Traceback" not in said
        text = log.read_text()
        assert "Traceback" in text
        assert "beat" in text
        assert SECRET not in text
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_nothing_an_upstream_says_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    with on_terminal(["-c", HOSTILE_UPSTREAM], tmp_path, size=(160, 40)) as terminal:
        terminal.until(lambda: "gnp.exe" in terminal.text and "failed" in terminal.text)
        terminal.type("b")
        terminal.until(lambda: "Cancel" in terminal.text)
        terminal.type("\x1b")
        terminal.until(lambda: "Cancel" not in terminal.text)
        terminal.type("q")
        assert terminal.ends(GONE_WITHIN_S) == 0
    written = re.sub(rb"\x1b\]22;[a-z]*\x07", b"", terminal.written)  # Textual's shape of the pointer
    for piece in ("\x1b]52", "\x07", "\x9b", "\u202e", "\u2066", "\x00", "\x7f"):
        assert piece.encode() not in written
