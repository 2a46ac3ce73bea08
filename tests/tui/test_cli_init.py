"""`standby init`: writes a configuration, and never takes one away."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
from pathlib import Path

import pytest

from engine import load_config
from tests.tui.command import Shell

TEMPLATE = Path(__file__).parents[2] / "tui" / "init_config.yaml"


@pytest.fixture
def user_config(shell: Shell) -> Path:
    return shell.home / "config" / "standby" / "config.yaml"


async def test_it_writes_the_users_configuration_and_says_what_to_do_next(
    shell: Shell, user_config: Path
) -> None:
    ended = await shell.run("init")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == f"wrote {user_config}"
    assert "export OPENAI_API_KEY=" in ended.out
    assert "standby check" in ended.out
    assert user_config.read_bytes() == TEMPLATE.read_bytes()
    assert stat.S_IMODE(user_config.stat().st_mode) == 0o600
    assert stat.S_IMODE(user_config.parent.stat().st_mode) == 0o700
    assert os.listdir(user_config.parent) == [user_config.name]  # noqa: PTH208  (names are what is compared)


async def test_what_it_writes_passes_the_check(shell: Shell) -> None:
    await shell.run("init")
    ended = await shell.run("check")
    assert ended.code == 0
    assert "no key: OPENAI_API_KEY is not set" in ended.out
    config = load_config(TEMPLATE)
    assert len(config.chains) == 3
    assert {provider.kind for provider in config.providers.values()} == {"openai", "anthropic", "ollama"}


async def test_it_writes_where_it_is_told_and_names_that_in_what_follows(shell: Shell) -> None:
    path = shell.home / "deep" / "down" / "my.yaml"
    ended = await shell.run("init", "--config", str(path))
    assert ended.code == 0
    assert path.read_bytes() == TEMPLATE.read_bytes()
    assert f"standby check --config {path}" in ended.out


async def test_what_is_there_stays(shell: Shell, user_config: Path) -> None:
    user_config.parent.mkdir(parents=True)
    user_config.write_text("chains: {}\n")
    ended = await shell.run("init")
    assert (ended.code, ended.out) == (2, "")
    assert f"{user_config} is there already" in ended.err
    assert "--force" in ended.err
    assert user_config.read_text() == "chains: {}\n"
    assert os.listdir(user_config.parent) == [user_config.name]  # noqa: PTH208


async def test_force_keeps_a_backup_of_each_one_replaced(shell: Shell, user_config: Path) -> None:
    user_config.parent.mkdir(parents=True)
    for content in ("first\n", "second\n"):
        user_config.write_text(content)
        ended = await shell.run("init", "--force")
        assert ended.code == 0
    backups = sorted(user_config.parent.glob("*.bak"))
    assert [backup.read_text() for backup in backups] == ["first\n", "second\n"]
    assert all(stat.S_IMODE(backup.stat().st_mode) == 0o600 for backup in backups)
    assert str(backups[-1]) in ended.out
    assert user_config.read_bytes() == TEMPLATE.read_bytes()


async def test_force_with_nothing_there_is_as_without(shell: Shell, user_config: Path) -> None:
    ended = await shell.run("init", "--force")
    assert ended.code == 0
    assert user_config.exists()
    assert "what was there" not in ended.out


async def test_a_link_is_followed_and_stays_one(shell: Shell, user_config: Path) -> None:
    kept = shell.home / "dotfiles" / "standby.yaml"
    kept.parent.mkdir()
    kept.write_text("old\n")
    user_config.parent.mkdir(parents=True)
    user_config.symlink_to(kept)
    assert (await shell.run("init")).code == 2
    assert (await shell.run("init", "--force")).code == 0
    assert user_config.is_symlink()
    assert kept.read_bytes() == TEMPLATE.read_bytes()


async def test_a_configuration_that_stays_in_force_all_the_same_is_named(shell: Shell) -> None:
    shell.env["STANDBY_CONFIG"] = "/elsewhere.yaml"
    ended = await shell.run("init")
    assert ended.code == 0
    assert "/elsewhere.yaml stays in force" in ended.out


async def test_a_file_where_a_folder_should_be(shell: Shell) -> None:
    (shell.home / "blocked").write_text("")
    ended = await shell.run("init", "--config", str(shell.home / "blocked" / "config.yaml"))
    assert ended.code == 1
    assert "can't be written" in ended.err
    assert "is no folder" in ended.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_may_not_be_written(shell: Shell) -> None:
    folder = shell.home / "locked"
    folder.mkdir(mode=0o500)
    ended = await shell.run("init", "--config", str(folder / "config.yaml"))
    assert ended.code == 1
    assert "Permission denied" in ended.err


async def test_a_disk_that_is_full_leaves_nothing_behind(shell: Shell, user_config: Path) -> None:
    # A limit on the size of files stands in for a full disk: the write fails half way.
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    process = await shell.start("init", stdin=subprocess.DEVNULL, preexec_fn=limit)
    _, err = await process.communicate()
    assert process.returncode == 1
    assert b"can't be written: File too large" in err
    assert b"Traceback" not in err
    assert list(user_config.parent.iterdir()) == []
