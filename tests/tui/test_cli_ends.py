"""How `standby run` ends when it is told to, or when nobody listens any more."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.tui.command import LIMIT_S, STANDBY, Shell, ended
from tests.upstream import Upstream, steps

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture
def full() -> Iterator[IO[bytes]]:
    """A file on a full disk."""
    path = Path("/dev/full")
    if not path.exists():
        pytest.skip("there is no /dev/full here")
    with path.open("wb") as file:
        yield file


async def until(holds: Callable[[], bool]) -> None:
    """Waits for something that only looking can tell."""
    while True:
        if holds():
            return
        await asyncio.sleep(0)  # meanwhile the upstream writes


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
async def test_a_signal_ends_the_request_and_closes_its_connection(
    shell: Shell, up: Upstream, number: signal.Signals, code: int
) -> None:
    up.script("a", steps.stall(after=1))
    process = await shell.start("run", "main", "hi", "--config", shell.config(up))
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        first = await process.stdout.read(5)
    process.send_signal(number)
    end = await ended(process)
    assert end.code == code
    assert (first + end.out.encode()).startswith(b"Hello")
    assert end.err.splitlines()[-1] == "standby: interrupted"
    assert "Traceback" not in end.err
    async with asyncio.timeout(LIMIT_S):
        await up.requests[0].closed.wait()


async def test_a_signal_before_the_first_token_ends_it_too(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.hang())
    process = await shell.start("run", "main", "hi", "--config", shell.config(up))
    async with asyncio.timeout(LIMIT_S):
        request = await up.arrived()
    process.send_signal(signal.SIGINT)
    end = await ended(process)
    assert (end.code, end.out) == (130, "")
    async with asyncio.timeout(LIMIT_S):
        await request.closed.wait()


async def test_json_ends_with_a_result_line_also_when_interrupted(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.stall(after=1))
    process = await shell.start("run", "main", "hi", "--json", "--config", shell.config(up))
    async with asyncio.timeout(LIMIT_S):
        await up.arrived()
    process.send_signal(signal.SIGINT)
    end = await ended(process)
    assert end.code == 130
    assert end.lines[-2]["event"] == "request.cancelled"
    assert end.lines[-1]["event"] == "result"
    assert end.lines[-1]["ok"] is False
    assert end.lines[-1]["error"] == "Interrupted"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_a_second_signal_ends_even_what_is_stuck_in_a_write(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.ok(pieces=["x" * 60_000] * 40))
    reads, writes = os.pipe()
    try:
        process = await shell.start("run", "main", "hi", "--config", shell.config(up), stdout=writes)
        os.close(writes)
        assert process.stderr is not None
        async with asyncio.timeout(LIMIT_S):
            # More than one piece: the second is being written, and has no room.
            await until(lambda: _waiting(reads) > 60_000)
            process.send_signal(signal.SIGINT)
            await until(lambda: not _catches(process.pid, signal.SIGTERM))
        process.send_signal(signal.SIGTERM)
        end = await ended(process)
    finally:
        os.close(reads)
    assert end.code == -signal.SIGTERM
    assert "Traceback" not in end.err


def _waiting(pipe: int) -> int:
    """Bytes that wait in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4), sys.byteorder)


def _catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler of its own for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigCgt:")).split()[1]
    return bool(int(mask, 16) >> (number - 1) & 1)


async def test_a_signal_that_was_ignored_from_the_start_stays_ignored(shell: Shell, up: Upstream) -> None:
    hold = asyncio.Event()
    up.script("a", steps.ok(hold={1: hold}))
    command = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh", *STANDBY)
    process = await shell.start("run", "main", "hi", "--config", shell.config(up), command=command)
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        await process.stdout.read(1)
    process.send_signal(signal.SIGHUP)
    hold.set()
    end = await ended(process)
    assert end.code == 0


@pytest.mark.parametrize("flags", [[], ["--json"]])
async def test_a_reader_that_goes_away_ends_it_quietly(shell: Shell, up: Upstream, flags: list[str]) -> None:
    hold = asyncio.Event()
    pieces = ["Hello", *["there"] * 2000]
    up.script("a", steps.ok(pieces=pieces, hold={1: hold}))
    reads, writes = os.pipe()
    process = await shell.start("run", "main", "hi", "--config", shell.config(up), *flags, stdout=writes)
    os.close(writes)
    await asyncio.to_thread(os.read, reads, 1)
    async with asyncio.timeout(LIMIT_S):
        await up.arrived()
    os.close(reads)
    hold.set()
    end = await ended(process)
    assert end.code == 141
    assert "Error" not in end.err
    assert "Traceback" not in end.err
    assert "Exception" not in end.err
    async with asyncio.timeout(LIMIT_S):
        await up.requests[0].closed.wait()


@pytest.mark.parametrize("flags", [[], ["--json"], ["--no-stream"]])
async def test_a_full_disk_is_one_clear_message(
    shell: Shell, up: Upstream, full: IO[bytes], flags: list[str]
) -> None:
    process = await shell.start("run", "main", "hi", "--config", shell.config(up), *flags, stdout=full)
    end = await ended(process)
    assert end.code == 1
    assert end.err.splitlines()[-1] == "standby: standard output can't be written: No space left on device"
    assert "Traceback" not in end.err
    assert "Exception ignored" not in end.err


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["paths"], ["check"], ["explain", "support"]]
)
async def test_a_full_disk_is_told_by_every_command(
    shell: Shell, full: IO[bytes], arguments: list[str]
) -> None:
    end = await ended(await shell.start(*arguments, stdout=full))
    assert end.code == 1
    assert "No space left on device" in end.err
    assert "Traceback" not in end.err


async def test_losing_stderr_does_not_lose_the_answer(shell: Shell, up: Upstream, full: IO[bytes]) -> None:
    process = await shell.start("run", "main", "hi", "--config", shell.config(up), stderr=full)
    end = await ended(process)
    assert (end.code, end.out) == (0, "Hello there\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- 2>&-"])
async def test_closed_standard_streams_are_no_crash(shell: Shell, up: Upstream, closed: str) -> None:
    command = ("sh", "-c", f'exec "$@" {closed}', "sh", *STANDBY)
    path = shell.config(up)
    end = await shell.run("run", "main", "hi", "--config", path, command=command, stdin=subprocess.PIPE)
    assert "Traceback" not in end.err
    if closed == ">&-":
        assert end.code == 1
        assert "it is closed" in end.err
    else:
        assert (end.code, end.out) == (0, "Hello there\n")


async def test_a_missing_prompt_with_stdin_closed_is_a_usage_error(shell: Shell, up: Upstream) -> None:
    command = ("sh", "-c", 'exec "$@" <&-', "sh", *STANDBY)
    end = await shell.run("run", "main", "--config", shell.config(up), command=command)
    assert end.code == 2
    assert "standard input is closed" in end.err
    assert "example:" in end.err
