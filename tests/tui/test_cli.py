"""The command line as a whole: what is understood, what it says when it is not, what it loads."""

from __future__ import annotations

import stat
import sys

import pytest

from tests.tui.command import KEY, Shell

OWNED = """\
providers: {p: {kind: simulated}}
chains: {main: [p/a]}
owners: {alice: {providers: {mine: {kind: simulated}}}}
"""


async def test_version_and_help_go_to_stdout(shell: Shell) -> None:
    version = await shell.run("--version")
    assert (version.code, version.err) == (0, "")
    assert version.out.startswith("standby ")
    overview = await shell.run("--help")
    assert (overview.code, overview.err) == (0, "")
    for name in ("run", "check", "status", "bench", "events", "export", "paths", "--store", "--name"):
        assert name in overview.out
    own = await shell.run("run", "--help")
    assert own.code == 0
    assert "--max-tokens" in own.out


async def test_a_command_there_is_not_is_a_usage_error_that_lists_those_there_are(shell: Shell) -> None:
    ended = await shell.run("serve")
    assert ended.code == 2
    assert ended.out == ""
    assert "no command serve" in ended.err
    assert (
        "run, check, explain, probe, status, bench, unbench, events, export, replay, init, paths" in ended.err
    )


async def test_a_misspelt_command_gets_a_suggestion(shell: Shell) -> None:
    ended = await shell.run("chekc")
    assert ended.code == 2
    assert "did you mean check?" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--nonsense",),
        ("run",),
        ("run", "main", "hi", "there"),
        ("run", "main", "hi", "--max-tokens", "0"),
        ("run", "main", "hi", "--max-tokens", "many"),
        ("run", "main", "hi", "--temperature", "nan"),
        ("run", "main", "hi", "--deadline", "soon"),
        ("run", "main", "hi", "--deadline", "0s"),
        ("run", "main", "hi", "--deadline", "-5s"),
        ("run", "main", "hi", "--jso"),
        ("run", "main", "hi", "--owner", "alice"),
        ("check", "a.yaml", "--config", "b.yaml"),
        ("explain",),
        ("probe",),
        ("probe", "a/b", "c/d"),
        ("--read-only", "check"),
        ("--store", "memory", "check"),
        ("--store", "disk", "status"),
        ("status", "--store", "sqlite:"),
        ("--name", "me", "status"),
        ("run", "main", "hi", "--name", ""),
        ("probe", "p/a", "--name", "a\nb"),
        ("--name", "x" * 81),
        ("status", "p/a"),
        ("bench",),
        ("bench", "p/a", "--for", "0"),
        ("bench", "p/a", "--for", "5m", "--until", "18:30"),
        ("unbench",),
        ("unbench", "p/a", "--all"),
        ("unbench", "p/a", "--manual"),
        ("events", "--since", "soon"),
        ("events", "--limit", "0"),
        ("export", "-o", "x.pdf"),
        ("export", "--since", "1h", "--until", "2h"),
        ("--config",),
    ],
)
async def test_a_usage_error_is_exit_2_with_one_clear_message(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    ended = await shell.run(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("standby: ")
    assert "Traceback" not in ended.err


async def test_an_owner_there_is_not_is_exit_2_with_what_there_is(shell: Shell) -> None:
    path = shell.write(OWNED)
    for command in (("run", "main", "hi"), ("explain", "main")):
        ended = await shell.run(*command, "--owner", "alcie", "--config", path)
        assert (ended.code, ended.out) == (2, "")
        assert "unknown owner 'alcie', did you mean 'alice'?" in ended.err


@pytest.mark.parametrize("arguments", [(), ("--read-only",), ("--no-traffic", "--store", "memory")])
async def test_the_dashboard_without_a_terminal_says_what_to_use_instead(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    ended = await shell.run(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert "needs a terminal" in ended.err
    assert "standby run" in ended.err
    assert "standby check" in ended.err


async def test_config_may_stand_before_or_after_the_command(shell: Shell) -> None:
    path = shell.config("http://127.0.0.1:1")
    before = await shell.run("--config", path, "check")
    after = await shell.run("check", "--config", path)
    assert before.code == after.code == 0
    assert before.out == after.out
    assert path in before.out


async def test_of_two_configs_the_nearer_one_counts(shell: Shell) -> None:
    path = shell.config("http://127.0.0.1:1")
    ended = await shell.run("--config", "/nowhere.yaml", "check", "--config", path)
    assert ended.code == 0


async def test_an_empty_config_argument_does_not_fall_back_to_another_file(shell: Shell) -> None:
    ended = await shell.run("check", "--config", "")
    assert ended.code == 2
    assert ended.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["paths"],
        ["check"],
        ["explain", "support"],
        ["probe", "acme/large"],
        ["status"],
        ["bench", "acme/large", "--for", "5m"],
        ["unbench", "--all", "--manual"],
        ["events"],
        ["export"],
        ["run", "support", "hi", "--json"],
    ],
)
async def test_no_command_loads_textual_or_rich(shell: Shell, arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from tui.cli import main\n"
        f"main({arguments!r})\n"
        "loaded = {'textual', 'rich'} & set(sys.modules)\n"
        "sys.stderr.write(f'loaded: {sorted(loaded)}')\n"
    )
    ended = await shell.run(command=(sys.executable, "-c", code))
    assert ended.err.endswith("loaded: []")


CRASH = """
import os, sys
import tui.cli.check
def broken(*_):
    hidden = "only-in-a-local"
    keys = os.environ["P_KEY"], os.environ["SPARE_TOKEN"]
    raise RuntimeError(f"lost {keys} \\x1b[2J Bearer abcdefghijklmnop")
tui.cli.check.configured = broken
from tui.cli import main
sys.exit(main(["check"]))
"""


async def test_a_fault_of_our_own_is_one_message_and_a_redacted_log(shell: Shell) -> None:
    shell.env["SPARE_TOKEN"] = "no shape that anybody knows"
    ended = await shell.run(command=(sys.executable, "-c", CRASH))
    assert ended.code == 1
    assert ended.out == ""
    assert "something went wrong inside standby: RuntimeError" in ended.err
    assert "Traceback" not in ended.err
    log = shell.home / "state" / "standby" / "standby.log"
    assert str(log) in ended.err
    written = log.read_text()
    assert "in broken" in written
    for text in (ended.err, written):
        assert KEY not in text
        assert "no shape" not in text
        assert "abcdefghijklmnop" not in text
        assert "\x1b" not in text
        assert "only-in-a-local" not in text.replace('hidden = "only-in-a-local"', "")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


async def test_a_crash_whose_log_cannot_be_written_is_still_one_message(shell: Shell) -> None:
    (shell.home / "state").write_text("a file where the folder should be")
    ended = await shell.run(command=(sys.executable, "-c", CRASH))
    assert ended.code == 1
    assert "something went wrong" in ended.err
    assert "Traceback" not in ended.err


async def test_an_installation_without_its_dependencies_is_no_traceback(shell: Shell) -> None:
    code = "import sys; sys.modules['yaml'] = None; from tui.cli import main; sys.exit(main(['check']))"
    ended = await shell.run(command=(sys.executable, "-c", code))
    assert ended.code == 1
    assert "yaml" in ended.err
    assert "Traceback" not in ended.err
