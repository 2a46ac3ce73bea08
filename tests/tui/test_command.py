"""The command as most tests run it ends as the one that a shell starts."""

from __future__ import annotations

import asyncio

import pytest

from tests.tui.command import Shell
from tests.upstream import Upstream


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (["check"], None),
        (["paths"], None),
        (["explain", "mian"], None),
        (["run", "main", "--no-stream"], "two\nlines ☃".encode()),
        (["run", "main", "caf\udce9", "--store", "memory", "--json", "--owner", "nobody"], None),
        ([], None),
    ],
)
async def test_a_forked_command_ends_as_one_that_a_shell_starts(
    shell: Shell, up: Upstream, arguments: list[str], typed: bytes | None
) -> None:
    shell.env["STANDBY_CONFIG"] = shell.config(up)
    ends = [await shell.run(*arguments, typed=typed, fresh=fresh) for fresh in (False, True)]
    forked, started = [(end.code, end.out, end.err.partition(" in ")[0]) for end in ends]
    assert forked == started
    assert len({str(request.body) for request in up.requests}) <= 1


async def test_commands_that_run_at_once_get_what_is_theirs(shell: Shell) -> None:
    calls = [("--version",), ("check", "--config", "/nowhere.yaml")] * 3
    ends = await asyncio.gather(*(shell.run(*arguments) for arguments in calls))
    assert [end.code for end in ends] == [0, 2] * 3
    assert all(end.out.startswith("standby ") for end in ends[::2])
    assert all("/nowhere.yaml" in end.err for end in ends[1::2])
