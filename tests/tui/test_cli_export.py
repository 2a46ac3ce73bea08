"""`standby export`: an incident from the journal."""

from __future__ import annotations

import json
import stat
import sys
import time
from pathlib import Path

import pytest

from engine.store.base import Presence
from engine.store.sqlite import SqliteStore
from tests.tui.command import Shell
from tests.upstream import Upstream, steps
from tui.cli.whole_file import whole_file


@pytest.fixture
async def path(shell: Shell, up: Upstream) -> str:
    """A configuration, at whose store something has happened."""
    up.script("a", steps.status(404, message="no `such` | model"))
    path = shell.config(up)
    await shell.run("run", "main", "hi", "--name", "api-1", "--config", path)
    return path


async def test_standard_output_gets_markdown(shell: Shell, path: str) -> None:
    end = await shell.run("export", "--config", path)
    assert (end.code, end.err) == (0, "")
    assert end.out.startswith("# Incident since ")
    assert "`p/a` failed once at " in end.out
    assert "For `main`, `p/b` answered 1 request in place of the first model." in end.out
    assert r"`no 'such' \| model`" in end.out


@pytest.mark.parametrize("name", ["i.md", "I.MD", "i.markdown"])
async def test_a_file_for_people(shell: Shell, path: str, name: str) -> None:
    end = await shell.run("export", "-o", name, "--config", path)
    assert end.code == 0
    assert end.out.startswith(f"wrote {name}: 8 events, ")
    written = shell.home / name
    assert written.read_text().startswith("# Incident since ")
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


async def test_a_file_for_programs_is_the_journal_as_it_was_recorded(shell: Shell, path: str) -> None:
    end = await shell.run("export", "-o", "i.jsonl", "--config", path)
    assert end.code == 0
    lines = (shell.home / "i.jsonl").read_text().splitlines()
    events = await shell.run("events", "--json", "--config", path)
    assert [json.loads(line) for line in lines] == events.lines
    assert len(lines) == 8


async def test_the_format_may_be_said(shell: Shell, path: str) -> None:
    end = await shell.run("export", "--format", "jsonl", "--config", path)
    assert len(end.lines) == 8
    end = await shell.run("export", "--format", "md", "-o", "report.txt", "--config", path)
    assert end.code == 0
    assert (shell.home / "report.txt").read_text().startswith("# Incident")
    end = await shell.run("export", "-o", "report.pdf", "--config", path)
    assert end.code == 2
    assert "--format" in end.err


async def test_an_engine_that_was_killed_is_told(shell: Shell, up: Upstream, tmp_path: Path) -> None:
    path = shell.write(
        f"providers: {{p: {{kind: openai, base_url: '{up.openai}', keys: [P_KEY]}}}}\n"
        f"chains: {{main: [p/a]}}\nstore: sqlite:{tmp_path}/own.db\n"
    )
    assert (await shell.run("run", "main", "hi", "--name", "api-1", "--config", path)).code == 0
    store = SqliteStore(tmp_path / "own.db", wall=lambda: time.time() - 60.0)
    store.open()
    store.beat(Presence("run", "api-2", "host", 4711))
    store.close()
    end = await shell.run("export", "--config", path)
    assert "\n- `api-2` gave no sign of life after " in end.out
    assert "`api-1` gave no sign" not in end.out


async def test_since_and_until_choose(shell: Shell, path: str) -> None:
    end = await shell.run("export", "--since", "2h", "--until", "1h", "--config", path)
    assert end.code == 0
    assert "The journal holds no events of that time" in end.out
    end = await shell.run("export", "--since", "2h", "--until", "1h", "-o", "i.md", "--config", path)
    assert end.out.startswith("wrote i.md: 0 events, ")
    assert "--since goes further back" in end.err


async def test_a_file_that_is_there_is_left_alone(shell: Shell, path: str) -> None:
    there = shell.home / "i.md"
    there.write_text("mine")
    end = await shell.run("export", "-o", "i.md", "--config", path)
    assert (end.code, end.out) == (2, "")
    assert end.err == "standby: i.md is there already and was left as it is; --force replaces it\n"
    assert there.read_text() == "mine"
    assert (await shell.run("export", "-o", "i.md", "--force", "--config", path)).code == 0
    assert there.read_text().startswith("# Incident")


async def test_a_folder_that_is_not_there_is_one_message(shell: Shell, path: str) -> None:
    end = await shell.run("export", "-o", "no/such/i.md", "--config", path)
    assert (end.code, end.out) == (1, "")
    assert end.err == "standby: no/such/i.md can't be written: No such file or directory\n"


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
async def test_a_full_disk_leaves_nothing_half(shell: Shell, path: str) -> None:
    before = {each.name for each in shell.home.iterdir()}
    limited = (
        "import resource, runpy, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "import tui.cli.whole_file, contextlib\n"
        "whole = tui.cli.whole_file.whole_file\n"
        "@contextlib.contextmanager\n"
        "def small(*given, **more):\n"
        "    with whole(*given, **more) as file:\n"
        "        def write(data, write=file.write):\n"
        "            resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))\n"
        "            write(data)\n"
        "            file.flush()\n"
        "        yield type('Limited', (), {'write': staticmethod(write)})\n"
        "tui.cli.whole_file.whole_file = small\n"
        "from tui.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    end = await shell.run(
        "export", "-o", "i.jsonl", "--config", path, command=(sys.executable, "-c", limited)
    )
    assert (end.code, end.out) == (1, "")
    assert "i.jsonl can't be written: File too large" in end.err
    assert {each.name for each in shell.home.iterdir()} == before


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    there = tmp_path / "x"
    there.write_text("mine")
    for replace in (True, False):
        with pytest.raises(ZeroDivisionError), whole_file(there, replace=replace) as file:
            file.write(bytes([1 // 0]))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("x", "mine")]


def test_what_comes_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    there = tmp_path / "x"
    with pytest.raises(FileExistsError), whole_file(there, replace=False):
        there.write_text("theirs")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("x", "theirs")]
