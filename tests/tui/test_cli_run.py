"""`standby run` over real sockets: what goes to stdout, what to stderr, and the exit code."""

from __future__ import annotations

import json

import pytest

from tests.tui.command import KEY, Shell
from tests.upstream import ToolUse, Upstream, steps


@pytest.mark.parametrize("how", [(), ("--no-stream",)])
async def test_the_answer_goes_to_stdout_and_progress_to_stderr(
    shell: Shell, up: Upstream, how: tuple[str, ...]
) -> None:
    up.script("a", steps.status(503, message="too busy"))
    ended = await shell.run("run", "main", "hi", "--config", shell.config(up), *how)
    assert ended.code == 0
    assert ended.out == "Hello there\n"
    lines = ended.err.splitlines()
    assert lines[0].startswith("try      p/a 1/1")
    assert lines[1].startswith("failed   p/a 1/1: overloaded (HTTP 503) after ")
    assert "benched for 05:00 → p/b: too busy" in lines[1]
    assert lines[2].startswith("try      p/b 1/1")
    assert lines[3].startswith("answered p/b in ")
    assert "7 tokens in, 3 tokens out, 2 attempts, fallback" in lines[3]
    assert len(lines) == 4
    assert up.requests[1].stream == (not how)


async def test_a_retry_says_when_it_comes(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(500), steps.ok("fine"))
    path = shell.config(up, "a", defaults="attempts: 2, backoff: {base: 1ms}")
    ended = await shell.run("run", "main", "hi", "--config", path)
    assert ended.code == 0
    assert "again in " in ended.err
    assert "try      p/a 2/2" in ended.err


async def test_everything_asked_for_reaches_the_provider(shell: Shell, up: Upstream) -> None:
    ended = await shell.run(
        *("run", "main", "--system", "Be brief.", "--max-tokens", "40", "hi", "--temperature", "0.5"),
        *("--deadline", "30s", "--config", shell.config(up)),
    )
    assert ended.code == 0
    body = up.requests[0].body
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
    ]
    assert body["temperature"] == 0.5
    assert 40 in (body.get("max_tokens"), body.get("max_completion_tokens"))


@pytest.mark.parametrize("target", ["p/a", "main", "p/b, p/a", "nobody/x,p/a"])
async def test_any_target_may_be_asked(shell: Shell, up: Upstream, target: str) -> None:
    ended = await shell.run("run", target, "hi", "--config", shell.config(up))
    assert ended.code == 0
    assert ended.out == "Hello there\n"


async def test_only_asks_exactly_that_model(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(500))
    ended = await shell.run("run", "p/a", "hi", "--only", "--config", shell.config(up))
    assert ended.code == 1
    assert {request.model for request in up.requests} == {"a"}


async def test_an_owner_s_names_count_first_and_the_owner_is_told_of(shell: Shell, up: Upstream) -> None:
    path = shell.write(
        f"providers: {{p: {{kind: openai, base_url: '{up.openai}', keys: [P_KEY]}}}}\n"
        "aliases: {cheap: p/a}\n"
        f"owners: {{alice: {{providers: {{mine: {{kind: openai, base_url: '{up.openai}', keys: [P_KEY]}}}},"
        " aliases: {cheap: mine/tiny}}}\n"
    )
    ended = await shell.run("run", "cheap", "hi", "--json", "--owner", "alice", "--config", path)
    assert ended.code == 0
    started, attempt = ended.lines[:2]
    assert (started["owner"], started["models"]) == ("alice", ["alice:mine/tiny"])
    assert (attempt["provider"], attempt["key"]) == ("alice:mine", "alice:mine#P_KEY")
    assert [request.model for request in up.requests] == ["tiny"]


@pytest.mark.parametrize("flags", [(), ("--only",)])
async def test_only_leaves_out_who_stands_in(shell: Shell, up: Upstream, flags: tuple[str, ...]) -> None:
    up.script("a", steps.status(404))
    up.script("b", steps.status(404))
    path = shell.write(
        f"providers: {{p: {{kind: openai, base_url: '{up.openai}', keys: [P_KEY]}}}}\n"
        "groups: [[p/b, p/a]]\nfallback: [p/c]\n"
    )
    ended = await shell.run("run", "p/a", "hi", "--config", path, *flags)
    assert ended.code == (1 if flags else 0)
    assert [request.model for request in up.requests] == (["a"] if flags else ["a", "b", "c"])


@pytest.mark.parametrize("given", [("main",), ("main", "-")])
async def test_the_prompt_may_come_from_standard_input(
    shell: Shell, up: Upstream, given: tuple[str, ...]
) -> None:
    path = shell.config(up)
    ended = await shell.run("run", *given, "--config", path, typed="two\nlines ☃".encode() + b"\xff")
    assert ended.code == 0
    assert up.requests[0].body["messages"][-1]["content"] == "two\nlines ☃\ufffd"


async def test_standard_input_is_left_alone_when_the_prompt_is_given(shell: Shell, up: Upstream) -> None:
    ended = await shell.run("run", "main", "hi", "--config", shell.config(up), typed=b"something else")
    assert ended.code == 0
    assert up.requests[0].body["messages"][-1]["content"] == "hi"


async def test_an_argument_that_is_no_utf8_is_sent_with_replacements(shell: Shell, up: Upstream) -> None:
    ended = await shell.run("run", "main", "caf\udce9", "--config", shell.config(up))
    assert ended.code == 0
    assert up.requests[0].body["messages"][-1]["content"] == "caf\ufffd"


@pytest.mark.parametrize("typed", [b"", b" \n\t "])
async def test_an_empty_prompt_is_a_usage_error_with_an_example(
    shell: Shell, up: Upstream, typed: bytes
) -> None:
    ended = await shell.run("run", "main", "--config", shell.config(up), typed=typed)
    assert ended.code == 2
    assert "empty" in ended.err
    assert "example: standby run" in ended.err
    assert up.requests == []


async def test_a_prompt_beyond_all_measure_is_refused(shell: Shell, up: Upstream) -> None:
    ended = await shell.run("run", "main", "-", "--config", shell.config(up), typed=b"x" * ((16 << 20) + 1))
    assert ended.code == 2
    assert "larger than 16 MiB" in ended.err


async def test_json_prints_every_event_and_last_the_result(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(500))
    ended = await shell.run("run", "main", "hi", "--json", "--config", shell.config(up))
    assert ended.code == 0
    assert ended.err == ""
    lines = ended.lines
    assert [line["event"] for line in lines] == [
        "request.started",
        "attempt.started",
        "attempt.failed",
        "attempt.started",
        "attempt.first_token",
        "attempt.succeeded",
        "request.succeeded",
        "result",
    ]
    assert len({line["request"] for line in lines[:-1]}) == 1
    assert lines[0]["mode"] == "stream"
    assert lines[-1] == {"event": "result", "ok": True, "text": "Hello there", "model": "p/b", "attempts": 2}


async def test_json_of_a_plain_call_says_so(shell: Shell, up: Upstream) -> None:
    ended = await shell.run("run", "main", "hi", "--json", "--no-stream", "--config", shell.config(up))
    assert ended.lines[0]["mode"] == "complete"
    assert ended.lines[-1]["text"] == "Hello there"


async def test_json_holds_no_character_that_a_terminal_would_obey(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.ok("\x1b[2J\x7f\x9b\u202e☃"))
    ended = await shell.run("run", "main", "hi", "--json", "--config", shell.config(up))
    assert ended.lines[-1]["text"] == "\x1b[2J\x7f\x9b\u202e☃"
    assert set(ended.out) <= {"\n", *map(chr, range(0x20, 0x7F))}


async def test_a_tool_call_is_shown(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.ok("", tools=[ToolUse("weather", '{"city": "Paris"}')]))
    path = shell.config(up)
    ended = await shell.run("run", "main", "hi", "--config", path)
    assert ended.code == 0
    assert ended.out.startswith("tool call: weather(")
    assert "Paris" in ended.out
    result = (await shell.run("run", "main", "hi", "--json", "--config", path)).lines[-1]
    assert result["tool_calls"][0]["name"] == "weather"
    assert json.loads(result["tool_calls"][0]["arguments"]) == {"city": "Paris"}


async def test_an_answer_cut_at_the_limit_says_so(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.ok("Hel", finish="length"))
    ended = await shell.run("run", "main", "hi", "--config", shell.config(up))
    assert ended.code == 0
    assert "cut at the token limit" in ended.err


async def test_a_pipe_gets_the_answer_as_it_is_and_stderr_never(shell: Shell, up: Upstream) -> None:
    hostile = "\x1b[31mred\x07 ☃\u202e\r\nend"
    up.script("a", steps.status(500, message=hostile))
    up.script("b", steps.ok(hostile))
    process = await shell.start("run", "main", "hi", "--config", shell.config(up))
    out, err = await process.communicate()
    assert out == hostile.encode() + b"\n"
    assert b"\x1b" not in err
    assert "\u202e" not in err.decode()
    assert "␛[31mred" in err.decode()


async def test_no_key_is_in_anything_that_is_printed(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(401, message=f"Incorrect API key provided: {KEY}"))
    up.script("b", steps.error_event(f"key {KEY} is over quota", after=1))
    path = shell.config(up)
    for flags in ([], ["--json"], ["--no-stream"]):
        ended = await shell.run("run", "main", "hi", "--config", path, *flags)
        assert KEY not in ended.out + ended.err
    assert up.requests[0].headers["authorization"] == f"Bearer {KEY}"
