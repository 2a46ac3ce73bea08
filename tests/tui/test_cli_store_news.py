"""What commands say of a store that can't be used, or was damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tui.command import Shell
from tests.upstream import Upstream

ASKING = [("run", "main", "hi"), ("explain", "main"), ("probe", "p/a")]


@pytest.mark.parametrize("command", ASKING)
async def test_who_asks_without_the_store_is_warned_once(
    shell: Shell, up: Upstream, command: tuple[str, ...]
) -> None:
    (shell.home / "state").write_text("a file where the folder should be")
    end = await shell.run(*command, "--config", shell.config(up))
    assert end.code == 0
    (warning,) = (line for line in end.err.splitlines() if line.startswith("warning: "))
    assert warning.startswith(f"warning: the store can't be used: {shell.home}/state/standby")
    assert warning.endswith("; benches of other processes are not known here")
    assert warning.count(str(shell.home)) == 1


@pytest.mark.parametrize("command", [*ASKING, ("status",), ("bench", "p/a"), ("events",)])
async def test_a_damaged_file_that_was_set_aside_is_a_note(
    shell: Shell, up: Upstream, command: tuple[str, ...]
) -> None:
    path = Path(shell.home / "own.db")
    path.write_bytes(b"no database at all" * 1000)  # noqa: ASYNC240  (it is written at once)
    end = await shell.run(*command, "--store", f"sqlite:{path}", "--config", shell.config(up))
    assert end.code == 0
    (note,) = (line for line in end.err.splitlines() if "damaged" in line)
    assert note.startswith(f"note: {path} was damaged. It was set aside as {path}.damaged-")
    assert "warning: the store" not in end.err


async def test_json_is_the_requests_events_only(shell: Shell, up: Upstream) -> None:
    (shell.home / "state").write_text("a file where the folder should be")
    end = await shell.run("run", "main", "hi", "--json", "--config", shell.config(up))
    events = [json.loads(line)["event"] for line in end.out.splitlines()]
    assert not [event for event in events if event.startswith("store.")]
    assert "warning: the store can't be used" in end.err
