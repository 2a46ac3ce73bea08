"""`standby status`: processes that share a store see one bench."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.store.base import Presence
from engine.store.sqlite import SqliteStore
from tests.tui.command import KEY, LIMIT_S, Shell
from tests.upstream import Upstream, steps

FIELDS = ["model", "state", "until", "manual", "reason", "by", "level", "failures"]


def cells(line: str) -> list[str]:
    return [cell for cell in line.split("  ") if cell]


async def test_a_bench_of_one_process_is_seen_by_the_next(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(404))
    path = shell.config(up)
    assert (await shell.run("run", "main", "hi", "--config", path)).code == 0
    end = await shell.run("status", "--json", "--config", path)
    assert (end.code, end.err) == (0, "")
    a, b = json.loads(end.out)
    assert list(a) == list(b) == FIELDS
    assert (a["model"], a["state"], a["manual"], a["reason"], a["by"]) == (
        "p/a", "benched", False, "model_not_found", None,
    )  # fmt: skip
    assert (a["level"], a["failures"]) == (1, 1)
    left = datetime.fromisoformat(a["until"]) - datetime.now(UTC)
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)
    live = ("p/b", "live", None, False, "", None, 0, 0)
    assert tuple(b.values()) == live


async def test_a_request_in_another_process_passes_over_what_is_benched(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(404))
    path = shell.config(up)
    for _ in range(2):
        assert (await shell.run("run", "main", "hi", "--config", path)).code == 0
    assert [request.model for request in up.requests] == ["a", "b", "b"]


async def test_the_table_tells_state_end_reason_and_who(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(404))
    path = shell.config(up, "a", "b", "c")
    await shell.run("run", "main", "hi", "--config", path)
    await shell.run("bench", "p/b", "--reason", "cost", "--by", "alice", "--config", path)
    await shell.run("bench", "p#P_KEY/c", "--for", "1h", "--by", "bob", "--config", path)
    end = await shell.run("status", "--config", path)
    assert (end.code, end.err) == (0, "")
    lines = end.out.splitlines()
    assert lines[0].split() == ["model", "state", "until", "left", "why", "by", "level", "failures"]
    assert lines[1].startswith("p/a    ✖ benched  ")
    assert lines[1].split()[-3:] == ["model_not_found", "1", "1"]
    assert cells(lines[2]) == ["p/b", "■ held", " no end", " cost", "alice"] or lines[2].split() == [
        "p/b", "■", "held", "no", "end", "cost", "alice",
    ]  # fmt: skip
    assert lines[3].startswith("p/c    ■ held")
    assert "providers and keys on the bench" in lines
    (key,) = (line for line in lines if line.startswith("  p#P_KEY/c"))
    assert key.split()[-1] == "bob"
    assert lines[-2:] == [f"store  {shell.home}/state/standby/standby.db", "engines  none is there"]
    assert KEY not in end.out


async def test_a_model_without_a_key_is_unusable(shell: Shell, up: Upstream) -> None:
    path = shell.config(up)
    del shell.env["P_KEY"]
    end = await shell.run("status", "--config", path)
    assert "∅ unusable" in end.out
    assert "P_KEY is not set" in end.out


async def test_engines_that_are_there_are_named_and_this_command_is_not(
    shell: Shell, up: Upstream, tmp_path: Path
) -> None:
    path = shell.write(
        f"providers: {{p: {{kind: openai, base_url: '{up.openai}'}}}}\nstore: sqlite:{tmp_path}/own.db\n"
    )
    store = SqliteStore(tmp_path / "own.db")
    store.open()
    store.beat(Presence("run", "api\x1b[2J", "host", 4711))  # what another program wrote may be anything
    end = await shell.run("status", "--config", path)
    store.close()
    lines = end.out.splitlines()
    there = lines[lines.index("engines") + 1 :]
    assert len(there) == 1
    assert there[0].split()[0] == "api␛[2J"
    assert "silent" not in there[0]
    assert "last sign" in there[0]
    assert f"store  {tmp_path}/own.db" in lines


@pytest.mark.parametrize("command", [("status",), ("status", "--json"), ("events",), ("export",)])
async def test_a_memory_store_has_nothing_to_show_and_that_is_exit_2(
    shell: Shell, up: Upstream, command: tuple[str, ...]
) -> None:
    end = await shell.run(*command, "--store", "memory", "--config", shell.config(up))
    assert (end.code, end.out) == (2, "")
    assert "with a memory store each process has a bench and a journal of its own" in end.err
    assert "store: auto" in end.err


@pytest.mark.parametrize(
    "command", [("status",), ("bench", "p/a"), ("unbench", "p/a"), ("events",), ("export",)]
)
async def test_a_store_that_cannot_be_used_is_exit_1_with_the_reason(
    shell: Shell, up: Upstream, command: tuple[str, ...]
) -> None:
    (shell.home / "state").write_text("a file where the folder should be")
    end = await shell.run(*command, "--config", shell.config(up))
    assert (end.code, end.out) == (1, "")
    assert end.err.startswith("standby: the store can't be used: ")
    assert end.err.count(f"{shell.home}/state/standby") == 1
    assert "Traceback" not in end.err


async def test_a_variable_that_is_not_set_is_named(shell: Shell, up: Upstream) -> None:
    end = await shell.run("status", "--store", "env:NO_SUCH", "--config", shell.config(up))
    assert (end.code, end.out) == (1, "")
    assert "NO_SUCH is not set" in end.err


async def test_the_store_may_be_named_before_the_command_and_is_relative_to_where_one_is(
    shell: Shell, up: Upstream
) -> None:
    path = shell.config(up)
    await shell.run("bench", "p/a", "--store", "sqlite:own.db", "--config", path)
    assert (shell.home / "own.db").exists()
    end = await shell.run("--store", "sqlite:own.db", "status", "--json", "--config", path)
    assert json.loads(end.out)[0]["state"] == "held"
    assert json.loads((await shell.run("status", "--json", "--config", path)).out)[0]["state"] == "live"


async def test_a_name_stands_in_the_journal(shell: Shell, up: Upstream) -> None:
    path = shell.config(up)
    await shell.run("run", "main", "hi", "--name", "api-1", "--config", path)
    shell.env["STANDBY_NAME"] = "api-2"
    async with asyncio.timeout(LIMIT_S):
        await shell.run("--name", "api-3", "probe", "p/a", "--config", path)
        await shell.run("run", "main", "hi", "--config", path)
    end = await shell.run("events", "--json", "--config", path)
    assert list(dict.fromkeys(line["engine"] for line in end.lines)) == ["api-1", "api-3", "api-2"]
