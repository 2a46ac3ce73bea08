"""Signals that end a command: the first one cancels what is under way; one at the same time is the same."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.tui.command import LIMIT_S, Shell, ended
from tests.upstream import Upstream, steps
from tui.cli.interrupts import Interrupted, interrupts
from tui.cli.store import to_its_end
from tui.exits import Exit

NUMBERS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """After a signal a command's own handler stays, for the command ends; here it must not."""
    before = {number: signal.getsignal(number) for number, _ in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def signalled(number: signal.Signals, *, times: int) -> None:
    """Work that gets a signal so many times, and again while it is put away."""
    try:
        for _ in range(times):
            signal.raise_signal(number)
        await asyncio.Event().wait()
    finally:
        signal.raise_signal(number)
        await asyncio.sleep(0)  # as closing waits for something


@pytest.mark.parametrize(("number", "code"), NUMBERS)
@pytest.mark.parametrize("times", [1, 2, 5])
def test_the_same_signal_at_nearly_the_same_time_is_one_and_ends_in_one_clear_line(
    number: signal.Signals, code: int, times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit) as raised:
        to_its_end(lambda: signalled(number, times=times))
    signal.raise_signal(number)  # while the line is written
    assert (raised.value.message, raised.value.code) == ("interrupted", code)
    assert capsys.readouterr() == ("", "")


def test_where_no_signal_came_they_go_where_they_went_before() -> None:
    before = [signal.getsignal(number) for number, _ in NUMBERS]

    async def work() -> list[object]:
        return [signal.getsignal(number) for number, _ in NUMBERS]

    assert to_its_end(work) != before
    assert [signal.getsignal(number) for number, _ in NUMBERS] == before


async def test_only_a_task_can_be_interrupted() -> None:
    raised: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def enter() -> None:
        try:
            with interrupts():
                raised.set_result("")
        except RuntimeError as error:
            raised.set_result(str(error))

    asyncio.get_running_loop().call_soon(enter)
    assert await raised == "only a task can be interrupted"


async def test_what_can_not_go_on_stops_itself_as_a_signal_would() -> None:
    async def work() -> Interrupted:
        with interrupts() as came:
            came.stop()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.Event().wait()
            return came

    assert (await asyncio.create_task(work())).number == 0


async def test_the_same_signal_later_ends_even_what_is_stuck_in_a_write(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.ok(pieces=["x" * 60_000] * 40))
    reads, writes = os.pipe()
    try:
        process = await shell.start("run", "main", "hi", "--config", shell.config(up), stdout=writes)
        os.close(writes)
        async with asyncio.timeout(LIMIT_S):
            assert await asyncio.to_thread(os.read, reads, 1)
            while process.returncode is None:
                with suppress(ProcessLookupError):  # it has ended, and asyncio will know in a moment
                    os.kill(process.pid, signal.SIGINT)
                await asyncio.sleep(0)  # meanwhile the upstream writes
        end = await ended(process)
    finally:
        os.close(reads)
    assert end.code == -signal.SIGINT
    assert "Traceback" not in end.err
