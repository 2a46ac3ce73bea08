"""`standby init`: writes a configuration, and never takes one away."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
from pathlib import Path

import pytest

from engine import load_config, parse_config
from tests.tui.command import Shell

SOURCE = Path(__file__).parents[2] / "tui" / "init_config.yaml"
TEMPLATE = SOURCE.read_text()


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def content(path: Path) -> str:
    return path.read_text()


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def link(path: Path, to: Path) -> None:
    path.parent.mkdir(parents=True)
    path.symlink_to(to)


def is_link(path: Path) -> bool:
    return path.is_symlink()


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
    assert content(user_config) == TEMPLATE
    assert permissions(user_config) == 0o600
    assert permissions(user_config.parent) == 0o700
    assert names(user_config.parent) == [user_config.name]


async def test_what_it_writes_passes_the_check(shell: Shell) -> None:
    await shell.run("init")
    ended = await shell.run("check")
    assert ended.code == 0
    assert "no key: OPENAI_API_KEY is not set" in ended.out
    config = load_config(SOURCE)
    assert len(config.chains) == 3
    assert {provider.kind for provider in config.providers.values()} == {"openai", "anthropic", "ollama"}


def test_what_is_commented_out_is_right_once_uncommented() -> None:
    lines = SOURCE.read_text("utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("# fallback:"))
    text = "\n".join([*lines[:start], *(line.removeprefix("# ") for line in lines[start:])])
    config = parse_config(
        text.replace("  # trial", "  trial").replace("  # mid", "  mid"), "uncommented.yaml"
    )
    assert config.fallback
    assert len(config.groups) == 1
    assert list(config.every_provider)[-1] == "alice:mine"
    assert config.chains["private"].fallback == ()


async def test_it_writes_where_it_is_told_and_names_that_in_what_follows(shell: Shell) -> None:
    path = shell.home / "deep" / "down" / "my.yaml"
    ended = await shell.run("init", "--config", str(path))
    assert ended.code == 0
    assert content(path) == TEMPLATE
    assert f"standby check --config {path}" in ended.out


async def test_what_is_there_stays(shell: Shell, user_config: Path) -> None:
    put(user_config, "chains: {}\n")
    ended = await shell.run("init")
    assert (ended.code, ended.out) == (2, "")
    assert f"{user_config} is there already" in ended.err
    assert "--force" in ended.err
    assert content(user_config) == "chains: {}\n"
    assert names(user_config.parent) == [user_config.name]


async def test_force_keeps_a_backup_of_each_one_replaced(shell: Shell, user_config: Path) -> None:
    for text in ("first\n", "second\n"):
        put(user_config, text)
        ended = await shell.run("init", "--force")
        assert ended.code == 0
    backups = sorted(user_config.parent.glob("*.bak"))
    assert [backup.read_text() for backup in backups] == ["first\n", "second\n"]
    assert all(permissions(backup) == 0o600 for backup in backups)
    assert str(backups[-1]) in ended.out
    assert content(user_config) == TEMPLATE


async def test_force_with_nothing_there_is_as_without(shell: Shell, user_config: Path) -> None:
    ended = await shell.run("init", "--force")
    assert ended.code == 0
    assert names(user_config.parent) == [user_config.name]
    assert "what was there" not in ended.out


async def test_a_link_is_followed_and_stays_one(shell: Shell, user_config: Path) -> None:
    kept = put(shell.home / "dotfiles" / "standby.yaml", "old\n")
    link(user_config, kept)
    assert (await shell.run("init")).code == 2
    assert (await shell.run("init", "--force")).code == 0
    assert is_link(user_config)
    assert content(kept) == TEMPLATE


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
    folder = put(shell.home / "locked" / "other", "").parent
    folder.chmod(0o500)
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
    assert names(user_config.parent) == []
