"""`standby run` when there is no answer: what it says, and the exit code."""

from __future__ import annotations

import pytest

from tests.providers.networks import refusing
from tests.tui.command import Shell
from tests.upstream import Upstream, steps


async def test_a_request_that_fails_is_exit_1_and_names_every_cause(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(404, message="no such model"))
    up.script("b", steps.status(400, message="not like this"))
    path = shell.config(up)
    ended = await shell.run("run", "main", "hi", "--config", path, "--store", "memory")
    assert ended.code == 1
    assert ended.out == ""
    final = ended.err.splitlines()[-2:]
    assert final[0].startswith("standby: no model of main answered: ")
    assert "p/a" in final[0]
    assert "p/b" in final[0]
    result = (await shell.run("run", "main", "hi", "--json", "--config", path)).lines[-1]
    assert result["event"] == "result"
    assert result["ok"] is False
    assert result["error"] == "ChainExhausted"
    assert result["causes"] == [
        {
            "model": "p/a",
            "kind": "auth_dead",
            "reason": "model_not_found",
            "status": 404,
            "message": "no such model",
        },
        {
            "model": "p/b",
            "kind": "request_specific",
            "reason": "bad_request",
            "status": 400,
            "message": "not like this",
        },
    ]
    assert set(result) == {"event", "ok", "error", "message", "causes"}


async def test_what_to_do_is_said_when_all_failed_for_one_reason(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(401))
    ended = await shell.run("run", "p/a", "hi", "--config", shell.config(up))
    assert "The key p#P_KEY is refused: check it or replace it." in ended.err.splitlines()[-1]


async def test_a_port_where_nobody_listens(shell: Shell) -> None:
    with refusing() as port:
        ended = await shell.run("run", "main", "hi", "--config", shell.config(f"http://127.0.0.1:{port}/v1"))
    assert ended.code == 1
    assert ended.out == ""
    assert "connection" in ended.err
    assert "see that base_url is right" in ended.err
    assert "Traceback" not in ended.err


async def test_a_stream_that_breaks_leaves_what_came_and_is_exit_1(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.cut(after=1))
    path = shell.config(up)
    ended = await shell.run("run", "main", "hi", "--config", path, "--store", "memory")
    assert ended.code == 1
    assert ended.out.startswith("Hello")
    assert "broken   p/a broke off after" in ended.err
    assert "ask again for the whole answer" in ended.err
    result = (await shell.run("run", "main", "hi", "--json", "--config", path)).lines[-1]
    assert (result["ok"], result["error"]) == (False, "StreamInterrupted")
    assert result["text"].startswith("Hello")
    assert [cause["model"] for cause in result["causes"]] == ["p/a"]


async def test_a_deadline_that_is_over_is_exit_1(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.hang())
    ended = await shell.run("run", "main", "hi", "--deadline", "200ms", "--config", shell.config(up))
    assert ended.code == 1
    assert "the deadline is over" in ended.err
    assert "longer deadline" in ended.err
    await up.quiet()


@pytest.mark.parametrize("json_lines", [False, True])
async def test_an_unknown_target_is_exit_2_with_a_suggestion(
    shell: Shell, up: Upstream, json_lines: bool
) -> None:
    flags = ["--json"] if json_lines else []
    ended = await shell.run("run", "mian", "hi", "--config", shell.config(up), *flags)
    assert ended.code == 2
    assert "did you mean 'main'" in ended.err
    if json_lines:
        (result,) = ended.lines
        assert (result["event"], result["ok"], result["error"]) == ("result", False, "UnknownTarget")
        assert result["causes"] == []
    else:
        assert ended.out == ""


@pytest.mark.parametrize("json_lines", [False, True])
async def test_a_key_that_is_not_set_is_exit_2_and_named(
    shell: Shell, up: Upstream, json_lines: bool
) -> None:
    del shell.env["P_KEY"]
    flags = ["--json"] if json_lines else []
    ended = await shell.run("run", "main", "hi", "--config", shell.config(up), *flags)
    assert ended.code == 2
    assert "P_KEY is not set" in ended.err
    if json_lines:
        assert ended.lines[-1]["error"] == "NoUsableModel"
    assert up.requests == []


async def test_a_model_without_a_key_is_skipped_in_sight(shell: Shell, up: Upstream) -> None:
    path = shell.write(
        f"providers:\n"
        f"  p: {{kind: openai, base_url: '{up.openai}', keys: [NO_KEY]}}\n"
        f"  q: {{kind: openai, base_url: '{up.openai}'}}\n"
        f"chains: {{main: [p/a, q/b]}}\n"
    )
    ended = await shell.run("run", "main", "hi", "--config", path)
    assert ended.code == 0
    assert "skipped  p/a: no key is set" in ended.err


@pytest.mark.parametrize("json_lines", [False, True])
async def test_a_faulty_configuration_is_exit_2_with_every_fault(shell: Shell, json_lines: bool) -> None:
    path = shell.write("providers: {p: {kind: opnai}}\nchains: {main: [q/x]}\n")
    flags = ["--json"] if json_lines else []
    ended = await shell.run("run", "main", "hi", "--config", path, *flags)
    assert ended.code == 2
    first, second = ended.err.splitlines()
    assert first.startswith(f"{path}:1:")
    assert second.startswith(f"{path}:2:")
    if json_lines:
        (result,) = ended.lines
        assert result["error"] == "ConfigError"
        assert "opnai" in result["message"]
