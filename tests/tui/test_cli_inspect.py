"""`standby check`, `explain` and `paths`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import Prospect
from tests.tui.command import KEY, Shell
from tui.cli.explain import _first_due

CONFIG = """\
providers:
  p: {kind: openai, base_url: "http://127.0.0.1:1/v1", keys: [P_KEY]}
  q: {kind: openai, base_url: "http://127.0.0.1:1/v1", keys: [NO_SUCH_KEY]}
  free: {kind: ollama, base_url: "http://127.0.0.1:1"}
aliases: {cheap: free/tiny}
chains:
  support: [q/big, p/mid, cheap]
  drafts: [cheap]
"""


OWNED = """\
providers:
  p: {kind: simulated}
  q: {kind: simulated, keys: [NO_SUCH_KEY]}
aliases: {cheap: p/small}
chains:
  support: [p/big, cheap]
  private: {models: [p/x], fallback: none}
  hers: {models: [cheap], owner: alice}
groups: [[q/big, p/big], [q/last, p/mid]]
fallback: [q/last]
owners:
  alice:
    providers: {mine: {kind: simulated}, other: {kind: simulated}}
    aliases: {cheap: mine/tiny, both: [q/x, mine/tiny]}
  bob:
"""


@pytest.fixture
def path(shell: Shell) -> str:
    file = shell.home / "standby.yaml"
    file.write_text(CONFIG)
    return str(file)


async def test_check_shows_each_chain_as_it_resolves_and_the_keys_that_are_missing(
    shell: Shell, path: str
) -> None:
    ended = await shell.run("check", path)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == f"{path}: ok"
    assert lines[1] == f"store: {shell.home}/state/standby/standby.db (auto)"
    assert lines[3] == "support"
    assert lines[4].split()[:2] == ["1.", "q/big"]
    assert "no key: NO_SUCH_KEY is not set" in lines[4]
    assert lines[5].split() == ["2.", "p/mid"]
    assert lines[6].split() == ["3.", "free/tiny"]
    assert lines[8] == "drafts"
    assert lines[9].split() == ["1.", "free/tiny"]
    assert not (shell.home / "state").exists()  # it looks at no bench


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("memory", "memory: each process has a bench and a journal of its own"),
        ("sqlite:own.db", "{home}/own.db"),
        ("redis://127.0.0.1:1/0", "redis://127.0.0.1:1/0"),
        ("env:STORE", "redis://127.0.0.1:1/0 (env:STORE)"),
        ("env:NO_SUCH", "env:NO_SUCH: the store is to be read from NO_SUCH, and NO_SUCH is not set"),
    ],
)
async def test_check_names_the_store_and_no_password(shell: Shell, store: str, shown: str) -> None:
    shell.env["STORE"] = "redis://:hunter2@127.0.0.1:1/0"
    ended = await shell.run("check", shell.write(f"store: {store}\nproviders: {{p: {{kind: simulated}}}}\n"))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[1] == f"store: {shown.format(home=shell.home)}"
    assert "hunter2" not in ended.out


async def test_check_marks_the_fallback_and_shows_groups_and_owners(shell: Shell) -> None:
    ended = await shell.run("check", shell.write(OWNED))
    assert (ended.code, ended.err) == (0, "")
    shown = [line.split(" is not set")[0].rstrip() for line in ended.out.splitlines()[2:]]
    assert shown == [
        "",
        "support",
        "  1.  p/big",
        "  2.  p/small",
        "  3.  q/last   fallback; no key: NO_SUCH_KEY",
        "",
        "private",
        "  1.  p/x",
        "",
        "hers, owner alice",
        "  1.  alice:mine/tiny",
        "  2.  q/last           fallback; no key: NO_SUCH_KEY",
        "",
        "groups",
        "  1.  q/big, p/big",
        "  2.  q/last, p/mid",
        "",
        "fallback",
        "  1.  q/last  no key: NO_SUCH_KEY",
        "",
        "owner alice",
        "  providers  alice:mine",
        "             alice:other",
        "  cheap      alice:mine/tiny",
        "  both       q/x              no key: NO_SUCH_KEY",
        "             alice:mine/tiny",
        "",
        "owner bob",
    ]


async def test_explain_goes_by_the_owner_and_by_only(shell: Shell) -> None:
    path = shell.write(OWNED)

    async def models(*arguments: str) -> list[str]:
        ended = await shell.run("explain", *arguments, "--json", "--config", path)
        return [each["model"] for each in json.loads(ended.out)]

    assert await models("cheap") == ["p/small", "q/last"]
    assert await models("cheap", "--owner", "alice") == ["alice:mine/tiny", "q/last"]
    assert await models("p/big") == ["p/big", "q/big", "q/last"]
    assert await models("p/big", "--only") == ["p/big"]
    assert await models("alice:mine/tiny", "--only") == ["alice:mine/tiny"]
    shown = await shell.run("explain", "cheap", "--config", path)
    assert "fallback; no key: NO_SUCH_KEY is not set" in shown.out.splitlines()[2]


async def test_check_lists_every_fault_with_its_place(shell: Shell) -> None:
    file = shell.home / "bad.yaml"
    file.write_text(f"providers:\n  p: {{kind: opnai, keys: [{KEY}]}}\nchains:\n  main: [q/x]\n  empty: []\n")
    ended = await shell.run("check", str(file))
    assert (ended.code, ended.out) == (2, "")
    lines = ended.err.splitlines()
    assert len(lines) >= 4
    assert all(line.startswith(f"{file}:") for line in lines)
    assert any("'openai'" in line for line in lines)
    assert KEY not in ended.err


@pytest.mark.parametrize(
    "content",
    [None, b"", b"- a list\n", b"\xff\xfe\x00bad", b"a: [", b"&a [*a, *a]", b"{" * 5000, "directory"],
)
async def test_check_of_a_file_that_is_no_configuration(shell: Shell, content: bytes | str | None) -> None:
    file = shell.home / "odd.yaml"
    if content == "directory":
        file.mkdir()
    elif isinstance(content, bytes):
        file.write_bytes(content)
    ended = await shell.run("check", str(file))
    assert "Traceback" not in ended.err
    assert "inside standby" not in ended.err
    if content != b"":
        assert (ended.code, ended.out) == (2, "")
        assert str(file) in ended.err


async def test_check_without_a_file_takes_the_one_in_force(shell: Shell, path: str) -> None:
    shell.env["STANDBY_CONFIG"] = path
    assert (await shell.run("check")).out.startswith(f"{path}: ok")
    del shell.env["STANDBY_CONFIG"]
    assert "sample_config.yaml: ok" in (await shell.run("check")).out


async def test_explain_tells_in_order_who_would_be_tried(shell: Shell, path: str) -> None:
    ended = await shell.run("explain", "support", "--config", path)
    assert (ended.code, ended.err) == (0, "")
    rows = [line.split()[:3] for line in ended.out.splitlines()[1:]]
    assert rows == [["1.", "q/big", "skip"], ["2.", "p/mid", "try"], ["3.", "free/tiny", "try"]]
    assert "no key: NO_SUCH_KEY is not set" in ended.out


async def test_explain_as_json_is_a_list_in_order(shell: Shell, path: str) -> None:
    ended = await shell.run("explain", "support, nobody/x", "--json", "--config", path)
    assert ended.code == 0
    listed = json.loads(ended.out)
    assert [set(each) for each in listed] == [{"model", "would", "why", "until"}] * 4
    assert [(each["model"], each["would"]) for each in listed] == [
        ("q/big", "skip"),
        ("p/mid", "try"),
        ("free/tiny", "try"),
        ("nobody/x", "skip"),
    ]
    assert listed[1]["why"] is None
    assert listed[1]["until"] is None


@pytest.mark.parametrize("flags", [[], ["--json"]])
async def test_explain_of_an_unknown_target_is_exit_2_with_a_suggestion(
    shell: Shell, path: str, flags: list[str]
) -> None:
    ended = await shell.run("explain", "suport", "--config", path, *flags)
    assert (ended.code, ended.out) == (2, "")
    assert "did you mean 'support'" in ended.err


async def test_paths_says_what_is_in_force_and_why(shell: Shell, path: str) -> None:
    def place(out: str) -> str:
        return out.splitlines()[0]

    sample = place((await shell.run("paths")).out)
    assert "sample_config.yaml" in sample
    assert "exists" in sample
    assert "the packaged sample" in sample

    user = shell.home / "config" / "standby" / "config.yaml"
    user.parent.mkdir(parents=True)
    user.write_text(CONFIG)
    assert f"{user}  (the user's)" in place((await shell.run("paths")).out)

    shell.env["STANDBY_CONFIG"] = path
    assert f"{path}  (from STANDBY_CONFIG)" in place((await shell.run("paths")).out)

    missing = place((await shell.run("paths", "--config", "/nowhere.yaml")).out)
    assert "missing" in missing
    assert "/nowhere.yaml  (from --config)" in missing


async def test_a_name_with_control_characters_is_one_safe_line_also_in_a_pipe(shell: Shell) -> None:
    ended = await shell.run("paths", "--config", "odd\x1b[2J\nname\u202e.yaml")
    assert "odd␛[2J␊name\ufffd.yaml" in ended.out
    assert "\x1b" not in ended.out


async def test_paths_names_every_file_of_ours(shell: Shell) -> None:
    ended = await shell.run("paths")
    assert ended.code == 0
    for name in ("user config", "state folder", "prompt history", "log"):
        line = next(line for line in ended.out.splitlines() if line.startswith(name))
        assert line.split()[-2] == "missing"
        assert Path(line.split()[-1]).is_relative_to(shell.home)


def test_explain_tells_who_is_due_back_first() -> None:
    soon, late = "2199-01-01T00:00:00.000Z", "2199-06-01T00:00:00.000Z"
    line = _first_due([Prospect("p/late", "skip", "benched", late), Prospect("p/soon", "try", None, soon)])
    assert line is not None
    assert line.startswith("first due back: p/soon in ")
    assert _first_due([Prospect("p/a", "try")]) is None
