"""Words of commands: who does it, a hold without a reason, a broken installation."""

from __future__ import annotations

import json
import sys

import pytest

from tests.tui.command import Shell

CONFIG = """\
providers: {p: {kind: simulated}}
chains: {main: [p/a, p/b]}
"""
BROKEN = """
import sys
sys.modules["platformdirs"] = None
from tui.cli import main
sys.exit(main(["check"]))
"""
BROKEN_LOG = """
import sys
import tui.cli.check, tui.crashlog
def broken(*_):
    raise RuntimeError("lost")
tui.cli.check.configured = tui.crashlog.write_crash = broken
from tui.cli import main
sys.exit(main(["check"]))
"""


@pytest.mark.parametrize("command", ["bench", "unbench"])
@pytest.mark.parametrize(
    ("by", "fault"), [("x" * 3000, "longer than 100 characters"), (" ", "nobody is named")]
)
async def test_who_does_it_is_checked_alike_whatever_is_done(
    shell: Shell, command: str, by: str, fault: str
) -> None:
    path = shell.write(CONFIG)
    end = await shell.run(command, "p/a", "--by", by, "--config", path)
    assert (end.code, end.out) == (2, "")
    assert f"argument --by: {fault}" in end.err


async def test_a_hold_without_a_reason_ends_in_who_holds_it(shell: Shell) -> None:
    path = shell.write(CONFIG)
    await shell.run("bench", "p/a", "--by", "alice", "--config", path)
    await shell.run("bench", "p/b", "--by", "bob", "--reason", "cost", "--config", path)
    lines = (await shell.run("explain", "main", "--config", path)).out.splitlines()
    assert next(line for line in lines if "p/a" in line).endswith("held by alice")
    assert next(line for line in lines if "p/b" in line).endswith("held by bob: cost")
    told = json.loads((await shell.run("explain", "main", "--json", "--config", path)).out)
    assert [each["why"] for each in told] == ["held by alice", "held by bob: cost"]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (BROKEN, "standby: something went wrong inside standby: ModuleNotFoundError: import of platformdirs"),
        (BROKEN_LOG, "standby: standby can't start, its installation is broken: RuntimeError"),
    ],
)
async def test_a_crash_is_one_clear_line_also_where_its_log_can_not_be_found(
    shell: Shell, code: str, says: str
) -> None:
    end = await shell.run(command=(sys.executable, "-c", code))
    assert (end.code, end.out) == (1, "")
    assert end.err.startswith(says)
    assert end.err.count("\n") == 1
