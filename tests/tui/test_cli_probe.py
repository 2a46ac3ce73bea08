"""`standby probe` over real sockets."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from typing import Any

import pytest

from engine import AttemptFailed, AttemptStarted, Probed
from tests.providers.networks import refusing
from tests.tui.command import KEY, LIMIT_S, Shell, ended
from tests.upstream import Upstream, steps
from tui.cli.probe import _Steps, _what_follows
from tui.output import Notes

OWN_BENCH = (
    "this asked the model only: with `store: memory` each process has a bench of its own, and those of "
    "others stay as they are"
)


def probed(**facts: Any) -> Probed:
    common: dict[str, Any] = {"model": "p/a", "ok": True, "elapsed_s": 0.5, "first_token_s": 0.25}
    return Probed(**(common | {"error": None, "brought_back": False, "state": "live"} | facts))


async def test_a_model_that_answers_says_how_fast(shell: Shell, up: Upstream) -> None:
    end = await shell.run("probe", "p/a", "--config", shell.config(up))
    assert end.code == 0
    time = r"(\d+ms|\d+(\.\d)?s)"
    assert re.fullmatch(rf"p/a answers: first token after {time}, all of it after {time}\n", end.out)
    assert end.err.splitlines() == ["try      p/a 1/1"]
    (request,) = up.requests
    assert request.model == "a"
    assert len(json.dumps(request.body["messages"])) < 100


async def test_what_a_probe_can_do_nothing_about_is_said(shell: Shell, up: Upstream) -> None:
    end = await shell.run("probe", "p/a", "--config", shell.config(up), "--store", "memory")
    assert (end.code, end.err.splitlines()[-1]) == (0, OWN_BENCH)


async def test_json_is_one_object(shell: Shell, up: Upstream) -> None:
    end = await shell.run("probe", "p/a", "--json", "--config", shell.config(up))
    assert end.code == 0
    (told,) = end.lines
    assert list(told) == ["model", "ok", "elapsed_s", "first_token_s", "error"]
    assert (told["model"], told["ok"], told["error"]) == ("p/a", True, None)
    assert 0 < told["first_token_s"] <= told["elapsed_s"]
    assert "answers" not in end.err


async def test_an_alias_of_one_model_may_be_probed(shell: Shell, up: Upstream) -> None:
    path = shell.write(
        f"providers: {{p: {{kind: openai, base_url: '{up.openai}'}}}}\naliases: {{cheap: p/a}}\n"
    )
    end = await shell.run("probe", "cheap", "--config", path)
    assert (end.code, end.out[:11]) == (0, "p/a answers")


async def test_a_model_that_does_not_answer_says_why_and_what_to_do(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(401, message=f"Incorrect API key: {KEY}"))
    end = await shell.run("probe", "p/a", "--config", shell.config(up))
    assert end.code == 1
    why, what_to_do = end.out.splitlines()
    assert why == ("p/a does not answer: invalid_key (HTTP 401) with p#P_KEY: Incorrect API key: [redacted]")
    assert what_to_do == "The key p#P_KEY is refused: check it or replace it."
    assert KEY not in end.out + end.err
    assert len(up.requests) == 1


async def test_json_of_a_model_that_does_not_answer(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(503, message="busy"))
    end = await shell.run("probe", "p/a", "--json", "--config", shell.config(up))
    assert end.code == 1
    (told,) = end.lines
    assert (told["ok"], told["first_token_s"]) == (False, None)
    assert told["error"] == "p/a: overloaded (HTTP 503): busy"


async def test_a_port_where_nobody_listens(shell: Shell) -> None:
    with refusing() as port:
        end = await shell.run("probe", "p/a", "--config", shell.config(f"http://127.0.0.1:{port}/v1"))
    assert end.code == 1
    assert "does not answer: connection" in end.out
    assert "see that base_url is right" in end.out


async def test_a_model_without_a_key_is_not_asked(shell: Shell, up: Upstream) -> None:
    del shell.env["P_KEY"]
    end = await shell.run("probe", "p/a", "--config", shell.config(up))
    assert end.code == 1
    assert "p/a does not answer: P_KEY is not set" in end.out
    assert "Nothing was sent." in end.out
    assert end.err == ""
    assert up.requests == []


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("pp/a", "did you mean 'p/a'"),
        ("main", "exactly one model is asked for, and 'main' is not the name of one; name one of p/a, p/b"),
        ("p/a,p/b", "exactly one model is asked for"),
        ("mian", "did you mean 'main'"),
        ("p/", "names no model"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--json"]])
async def test_what_is_no_model_is_exit_2(
    shell: Shell, up: Upstream, model: str, said: str, flags: list[str]
) -> None:
    path = shell.config(up)
    end = await shell.run("probe", model, "--config", path, *flags)
    assert end.code == 2
    assert said in end.err
    if flags:
        (told,) = end.lines
        assert (told["model"], told["ok"]) == (model, False)
        assert said in told["error"]
    else:
        assert end.out == ""
    assert up.requests == []


async def test_a_faulty_configuration_is_exit_2(shell: Shell) -> None:
    end = await shell.run("probe", "p/a", "--config", shell.write("providers: {p: {kind: opnai}}\n"))
    assert (end.code, end.out) == (2, "")
    assert "did you mean" in end.err


@pytest.mark.parametrize("flags", [[], ["--json"]])
async def test_an_interrupted_probe_closes_its_connection(
    shell: Shell, up: Upstream, flags: list[str]
) -> None:
    up.script("a", steps.hang())
    process = await shell.start("probe", "p/a", "--config", shell.config(up), *flags)
    async with asyncio.timeout(LIMIT_S):
        request = await up.arrived()
    process.send_signal(signal.SIGINT)
    end = await ended(process)
    assert end.code == 130
    assert end.err.splitlines()[-1] == "standby: interrupted"
    assert [line["error"] for line in end.lines] == (["interrupted"] if flags else [])
    async with asyncio.timeout(LIMIT_S):
        await request.closed.wait()


async def test_a_simulated_model_is_said_to_be_one(shell: Shell) -> None:
    end = await shell.run("probe", "acme/large")
    assert end.code == 0
    assert end.out.endswith(", simulated\n")


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (probed(), []),
        (probed(brought_back=True), ["that brought it back from the bench"]),
        (probed(state="held"), ["an operator holds it: it stays out until somebody unbenches it"]),
        (probed(ok=False, state="held"), ["it is held, as before"]),
        (probed(ok=False, state="benched"), ["it is benched"]),
        (probed(ok=False, state="on_trial"), ["it is on trial"]),
    ],
)
def test_what_became_of_its_bench_is_said(found: Probed, lines: list[str]) -> None:
    assert _what_follows(found) == lines


def test_of_several_keys_each_that_fails_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    facts: dict[str, Any] = {"model": "p/a", "attempt": 1}
    begun: dict[str, Any] = {"provider": "p", "attempts": 1, "position": 1, "positions": 1}
    failed: dict[str, Any] = {"kind": "auth_dead", "reason": "invalid_key", "status": 401}
    failed |= {"message": "", "elapsed_s": 0.1}
    told = _Steps(Notes())
    for key in ("p#one", "p#two"):
        told(AttemptStarted(key=key, **facts, **begun))
        told(AttemptFailed(key=key, **facts, **failed))
    assert [line.split()[0] for line in capsys.readouterr().err.splitlines()] == ["try", "failed", "try"]
    assert "p#two" in told.what_to_do(probed(ok=False))
