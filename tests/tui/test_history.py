"""The history of prompts: survives restarts, damage and full disks."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tui.history import LONGEST_PROMPT, History


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.jsonl"


def test_up_goes_back_and_down_returns_to_the_draft(path: Path) -> None:
    history = History(path)
    history.add("one", "support")
    history.add("two", "support")
    assert history.older("half typed") == "two"
    assert history.older("two") == "one"
    assert history.older("one") is None
    assert history.newer() == "two"
    assert history.newer() == "half typed"
    assert history.newer() is None


def test_the_draft_is_kept_however_often_one_goes_up_and_down(path: Path) -> None:
    history = History(path)
    history.add("one", "support")
    history.older("draft")
    history.newer()
    history.older("draft, longer")
    assert history.newer() == "draft, longer"


def test_a_restart_brings_everything_back(path: Path) -> None:
    first = History(path)
    first.add("line one\nline two", "support")
    first.add('snow ☃ and a lone quote "', "acme/large, cheap")
    second = History(path)
    assert second.older("") == 'snow ☃ and a lone quote "'
    assert second.older("") == "line one\nline two"
    assert second.last is not None
    assert second.last.target == "acme/large, cheap"
    assert second.trouble == ""


def test_the_same_prompt_twice_in_a_row_counts_once(path: Path) -> None:
    history = History(path)
    history.add("again", "support")
    history.add("again", "support")
    history.add("again", "drafts")
    assert len(history) == len(History(path)) == 2


def test_only_the_owner_may_read_it(path: Path) -> None:
    History(path).add("secret plans", "support")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_it_keeps_only_the_newest(path: Path) -> None:
    history = History(path, most=3)
    for number in range(20):
        history.add(f"prompt {number}", "support")
    assert [history.older("") for _ in range(4)] == ["prompt 19", "prompt 18", "prompt 17", None]


def test_the_file_is_cut_when_it_is_read_again(path: Path) -> None:
    history = History(path, most=3)
    for number in range(20):
        history.add(f"prompt {number}", "support")
    again = History(path, most=3)
    assert again.older("") == "prompt 19"
    assert path.read_bytes().count(b"\n") == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_huge_prompt_is_kept_for_the_session_only(path: Path) -> None:
    history = History(path)
    history.add("x" * (LONGEST_PROMPT + 1), "support")
    assert history.older("") == "x" * (LONGEST_PROMPT + 1)
    assert len(History(path)) == 0


@pytest.mark.parametrize(
    "damage",
    [
        b'{"prompt": "cut in the mid',
        b"\x00\x00\x00\x00",
        b'"a text"',
        b'{"prompt": 3, "target": "support", "at": ""}',
        b'{"prompt": "p", "target": "support"}',
        b"[" * 100_000,
        b"\xff\xfe",
        b"",
    ],
)
def test_a_damaged_file_is_set_aside_and_what_can_be_read_is_kept(path: Path, damage: bytes) -> None:
    History(path).add("good", "support")
    whole = path.read_bytes()
    path.write_bytes(whole + damage + b"\n")
    history = History(path)
    assert history.older("") == "good"
    assert "damaged" in history.trouble
    (aside,) = path.parent.glob("*.damaged-*")
    assert aside.read_bytes() == whole + damage + b"\n"
    again = History(path)
    assert again.older("") == "good"
    assert again.trouble == ""


def test_a_file_too_large_to_be_a_history_is_set_aside_unread(path: Path) -> None:
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(33 << 20)
    history = History(path)
    assert "damaged" in history.trouble
    assert path.stat().st_size == 0


def test_a_folder_that_cannot_be_made_costs_only_the_file(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    history = History(tmp_path / "state" / "history.jsonl")
    history.add("kept in memory", "support")
    assert history.older("") == "kept in memory"
    assert "history" in history.trouble


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_costs_only_the_file(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.symlink_to("/dev/full")
    history = History(path)
    history.add("kept in memory", "support")
    assert history.older("") == "kept in memory"
    assert "No space left" in history.trouble


def test_a_directory_in_its_place_is_reported(path: Path) -> None:
    path.mkdir(parents=True)
    history = History(path)
    assert "can't be read" in history.trouble
    history.add("still works", "support")
    assert history.older("") == "still works"
