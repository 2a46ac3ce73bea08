"""`standby run` on a terminal: nothing that an upstream says is obeyed by it."""

from __future__ import annotations

import asyncio
import os
import pty

import pytest

from tests.tui.command import LIMIT_S, Shell
from tests.upstream import ToolUse, Upstream, steps

# Clears the screen, writes the clipboard, starts colours, turns text around, hides text; in C0, C1 and bidi.
HOSTILE = (
    "\x1b[2J\x1b]52;c;aGk=\x07\x9b31m\x90\x85\u202egnp.exe\u2066\u200f\u2028"
    "\x00\x08\x7f\r\U000e0001\U000e0041 end"
)
OURS = (b"\x1b[31m", b"\x1b[2m", b"\x1b[0m")


async def on_terminal(shell: Shell, *arguments: str) -> tuple[int, bytes]:
    """Runs the command with all its streams on a terminal; the code, and every byte the terminal got."""
    master, slave = pty.openpty()
    try:
        process = await shell.start(*arguments, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        async with asyncio.timeout(LIMIT_S):
            got = await asyncio.to_thread(_read_all, master)
            code = await process.wait()
    finally:
        os.close(master)
    return code, got


def _read_all(descriptor: int) -> bytes:
    got = b""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # how Linux says that the other side is closed
            return got
        if not chunk:
            return got
        got += chunk


def _unwanted(got: bytes) -> set[str]:
    """Characters that a terminal obeys; our own colours and the terminal's line ends apart."""
    for ours in OURS:
        got = got.replace(ours, b"")
    text = got.replace(b"\r\n", b"\n").decode()
    return {char for char in text if char not in "\n\t" and not char.isprintable()}


@pytest.mark.parametrize("flags", [(), ("--no-stream",), ("--json",)])
async def test_no_control_character_of_an_upstream_reaches_the_terminal(
    shell: Shell, up: Upstream, flags: tuple[str, ...]
) -> None:
    up.script("a", steps.status(500, message=HOSTILE))
    up.script(
        "b", steps.ok(HOSTILE, pieces=list(HOSTILE), tools=[ToolUse(HOSTILE, '{"a": "\\u001b\\u009b"}')])
    )
    code, got = await on_terminal(shell, "run", "main", "hi", "--config", shell.config(up), *flags)
    assert code == 0
    assert b" end" in got
    assert _unwanted(got) == set()


async def test_no_control_character_of_an_error_reaches_the_terminal(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(400, message=HOSTILE, error_code=HOSTILE))
    up.script("b", steps.error_event(HOSTILE, HOSTILE, HOSTILE, after=1))
    code, got = await on_terminal(shell, "run", "main", "hi", "--config", shell.config(up))
    assert code == 1
    assert b"Hello" in got
    assert _unwanted(got) == set()


async def test_no_control_character_of_a_name_reaches_the_terminal(shell: Shell) -> None:
    path = shell.home / "\x1b[2Jodd\u202e.yaml"
    path.write_text("chains: {main: [nobody/x]}\n")
    for arguments in (
        ("check", str(path)),
        ("paths", "--config", str(path)),
        ("explain", HOSTILE.replace("\0", "")),
        ("run", HOSTILE.replace("\0", ""), "hi"),
        (HOSTILE.replace("\0", ""),),
        ("init", "--config", str(path)),
    ):
        _, got = await on_terminal(shell, *arguments)
        assert got
        assert _unwanted(got) == set()


async def test_the_dashboard_does_not_open_on_a_faulty_configuration(shell: Shell) -> None:
    path = shell.home / "bad.yaml"
    path.write_text("chains: {main: [nobody/x]}\n")
    for arguments, said in (
        (("--config", str(path)), b"bad.yaml:1:"),
        (("--config", "/nowhere.yaml"), b"/nowhere.yaml"),
        (("--store", "disk"), b"--store: must be one of auto, memory, sqlite:PATH"),
    ):
        code, got = await on_terminal(shell, *arguments)
        assert code == 2
        assert said in got
        assert b"\x1b[?1049h" not in got  # the screen that a dashboard draws on was never asked for


async def test_the_dashboard_does_not_open_at_a_store_that_can_never_be_used(shell: Shell) -> None:
    code, got = await on_terminal(shell, "--store", "env:NO_SUCH")
    assert code == 1
    assert b"NO_SUCH is not set" in got
    assert b"\x1b[?1049h" not in got


async def test_progress_and_answer_do_not_share_a_line(shell: Shell, up: Upstream) -> None:
    _, got = await on_terminal(shell, "run", "main", "hi", "--config", shell.config(up))
    lines = got.decode().splitlines()
    assert "Hello there" in lines
    assert any("answered" in line for line in lines)


async def test_a_terminal_gets_colours_unless_they_are_not_wanted(shell: Shell, up: Upstream) -> None:
    path = shell.config(up)
    assert b"\x1b[" in (await on_terminal(shell, "run", "main", "hi", "--config", path))[1]
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        plain = Shell(shell.home, shell.warm, {name: value})
        assert b"\x1b[" not in (await on_terminal(plain, "run", "main", "hi", "--config", path))[1]


async def test_a_missing_prompt_on_a_terminal_is_a_usage_error_with_an_example(shell: Shell) -> None:
    code, got = await on_terminal(shell, "run", "support")
    assert code == 2
    assert b"there is no prompt" in got
    assert b"example: standby run support" in got


async def test_a_prompt_may_be_typed_when_it_is_asked_for(shell: Shell, up: Upstream) -> None:
    master, slave = pty.openpty()
    process = await shell.start("run", "main", "-", "--config", shell.config(up), stdin=slave)
    os.close(slave)
    assert process.stderr is not None
    async with asyncio.timeout(LIMIT_S):
        assert b"Ctrl+D" in await process.stderr.readline()
        os.write(master, b"typed by hand\n\x04")
        await process.communicate()
    os.close(master)
    assert process.returncode == 0
    assert up.requests[0].body["messages"][-1]["content"] == "typed by hand\n"
