"""What a command that has acted still tells when nobody can read its standard output."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.tui.command import STANDBY, Ended, Shell
from tests.upstream import Upstream, steps


class Lost(NamedTuple):
    """A standard output that nobody can read.

    Attributes:
        run: Runs a command that has it.
        code: The exit code that goes with it.
        why: The reason that is told.
    """

    run: Callable[..., Awaitable[Ended]]
    code: int
    why: str


TOLD = {
    "closed": (1, "it is closed"),
    "full": (1, "No space left on device"),
    "broken": (141, "Broken pipe"),
}


@pytest.fixture(params=TOLD)
async def lost(request: pytest.FixtureRequest, shell: Shell) -> AsyncIterator[Lost]:
    options: dict[str, Any] = {}
    if request.param == "closed":
        options["command"] = ("sh", "-c", 'exec "$@" >&-', "sh", *STANDBY)
    elif request.param == "broken":
        reads, options["stdout"] = os.pipe()
        os.close(reads)
    else:
        if not Path("/dev/full").exists():  # noqa: ASYNC240  (it looks at once)
            pytest.skip("there is no /dev/full here")
        options["stdout"] = os.open("/dev/full", os.O_WRONLY)

    async def run(*arguments: str) -> Ended:
        return await shell.run(*arguments, **options)

    yield Lost(run, *TOLD[request.param])
    if "stdout" in options:
        os.close(options["stdout"])


def is_told(end: Ended, done: str, lost: Lost) -> bool:
    """True if a command ended as it should, and said in one last line what it had done."""
    last = f"standby: {done}, but standard output can't be written: {lost.why}"
    return (end.code, end.err.splitlines()[-1]) == (lost.code, last) and "Traceback" not in end.err


@pytest.mark.parametrize("flags", [[], ["--json"]])
async def test_a_probe_says_that_the_model_answers(
    shell: Shell, up: Upstream, lost: Lost, flags: list[str]
) -> None:
    end = await lost.run("probe", "p/a", *flags, "--config", shell.config(up))
    assert is_told(end, "p/a answers", lost)


async def test_a_probe_says_that_the_model_does_not_answer(shell: Shell, up: Upstream, lost: Lost) -> None:
    up.script("a", steps.status(500))
    end = await lost.run("probe", "p/a", "--config", shell.config(up))
    assert is_told(end, "p/a does not answer", lost)


async def test_an_export_says_that_the_file_is_written(shell: Shell, up: Upstream, lost: Lost) -> None:
    path = shell.config(up)
    await shell.run("bench", "p/a", "--config", path)
    end = await lost.run("export", "-o", "incident.jsonl", "--config", path)
    assert is_told(end, "wrote incident.jsonl", lost)
    assert '"model.benched"' in (shell.home / "incident.jsonl").read_text()


async def test_init_says_that_the_configuration_is_written(shell: Shell, lost: Lost) -> None:
    path = shell.home / "mine.yaml"
    end = await lost.run("init", "--config", str(path))
    assert is_told(end, f"wrote {path}", lost)
    assert "providers:" in path.read_text()


@pytest.mark.parametrize("command", ["bench", "unbench"])
async def test_an_operator_is_told_that_it_is_done(
    shell: Shell, up: Upstream, lost: Lost, command: str
) -> None:
    end = await lost.run(command, "p/a", "--config", shell.config(up))
    assert is_told(end, "done", lost)


async def test_a_command_that_only_looks_says_nothing_where_its_reader_went_away(
    shell: Shell, up: Upstream, lost: Lost
) -> None:
    end = await lost.run("status", "--config", shell.config(up))
    said = "" if lost.code == 141 else f"standby: standard output can't be written: {lost.why}\n"
    assert (end.code, end.err) == (lost.code, said)
