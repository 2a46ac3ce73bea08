"""`standby bench` and `standby unbench`, for every process at the same store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.tui.command import Ended, Shell
from tests.upstream import Upstream, steps

NOBODY = "http://127.0.0.1:1"
TWO = """\
providers:
  p: {kind: openai, base_url: 'http://127.0.0.1:1', keys: [P_KEY]}
  q: {kind: simulated}
aliases: {one: p/a, two: "p/a, q/b"}
chains: {main: [p/a, q/b], alone: [p/a], pair: [p/a, p/c]}
"""


async def states(shell: Shell, path: str) -> dict[str, Any]:
    end = await shell.run("status", "--json", "--config", path)
    return {each["model"]: each for each in json.loads(end.out)}


async def bench(shell: Shell, *arguments: str) -> Ended:
    return await shell.run("bench", *arguments, "--config", shell.write(TWO))


async def test_a_bench_says_what_it_did_what_is_left_and_how_to_undo_it(shell: Shell) -> None:
    path = shell.write(TWO)
    end = await shell.run("bench", "p/a", "--for", "10m", "--reason", "cost", "--config", path)
    assert end.code == 0
    done, *left, undo = end.out.splitlines()
    assert done.startswith("benched p/a until ")
    assert done.endswith("(10:00 left): cost")
    assert left == ["main: 1 other stays live, q/b first", "pair: 1 other stays live, p/c first"]
    assert undo == f"undo: standby unbench p/a --config {path}"
    assert end.err == "warning: alone: this is its last live model\n"
    found = (await states(shell, path))["p/a"]
    assert (found["state"], found["manual"], found["reason"]) == ("held", True, "cost")
    assert "@" in found["by"]


async def test_what_is_benched_by_hand_is_not_asked_by_another_process(shell: Shell, up: Upstream) -> None:
    path = shell.config(up)
    await shell.run("bench", "p/a", "--config", path)
    assert (await shell.run("run", "main", "hi", "--config", path)).code == 0
    await shell.run("unbench", "p/a", "--config", path)
    assert (await shell.run("run", "main", "hi", "--config", path)).code == 0
    assert [request.model for request in up.requests] == ["b", "a"]


async def test_json_is_what_is_on_the_bench_now(shell: Shell) -> None:
    end = await bench(shell, "one", "--for", "90", "--reason", "cost", "--by", "alice", "--json")
    assert end.code == 0
    (out,) = end.lines
    assert (out["name"], out["manual"], out["reason"], out["by"]) == ("p/a", True, "cost", "alice")
    assert (out["for_s"], out["level"], out["failures"], out["on_trial"]) == (90.0, 0, 0, False)
    left = datetime.fromisoformat(out["until"]) - datetime.now(UTC)
    assert timedelta(seconds=60) < left <= timedelta(seconds=90)
    assert "last live model" in end.err


@pytest.mark.parametrize("name", ["p/a", "one", "p/*", "p#P_KEY", "p#P_KEY/a", " p/a "])
async def test_a_model_an_alias_a_provider_and_a_key_can_be_benched(shell: Shell, name: str) -> None:
    end = await bench(shell, name)
    assert end.code == 0
    assert " without end\n" in end.out
    found = (await states(shell, str(shell.home / "standby.yaml")))["p/a"]
    assert (found["state"], found["until"]) == ("held", None)


async def test_a_whole_provider_says_what_each_chain_is_left_with(shell: Shell) -> None:
    end = await bench(shell, "p/*")
    assert end.out.splitlines()[1:2] == ["main: 1 other stays live, q/b first"]
    assert end.out.splitlines()[-1].startswith("undo: standby unbench 'p/*' --config ")
    assert end.err.splitlines() == [
        "warning: alone: this takes its last live models",
        "warning: pair: this takes its last live models",
    ]


async def test_a_key_says_what_its_provider_is_left_with(shell: Shell) -> None:
    end = await bench(shell, "p#P_KEY")
    assert end.err == "warning: p: this is its last usable key, so it can't be asked\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pp/a", "unknown provider 'pp', did you mean 'p/a'?"),
        ("mian", "did you mean 'main'?"),
        ("two", "exactly one model is asked for"),
        ("p/a,q/b", "exactly one model is asked for"),
        ("main", "exactly one model is asked for"),
        ("p#P_KYE", "provider p has no key 'P_KYE', did you mean 'P_KEY'?"),
        ("x/*", "there is no provider 'x'"),
        ("p/", "names no model"),
        ("", "the target is empty"),
        ("\udcff", "unknown"),
    ],
)
async def test_what_nobody_knows_is_exit_2(shell: Shell, name: str, said: str) -> None:
    path = shell.write(TWO)
    for command in ("bench", "unbench"):
        end = await shell.run(command, name, "--config", path)
        assert (end.code, end.out) == (2, "")
        assert said in end.err
        assert "Traceback" not in end.err


async def test_a_model_that_nothing_names_is_refused_unless_somebody_means_it(shell: Shell) -> None:
    end = await bench(shell, "p/aa")
    assert (end.code, end.out) == (2, "")
    assert "nothing in the configuration names p/aa, did you mean p/a?" in end.err
    end = await bench(shell, "p/aa", "--anyway")
    assert end.code == 0
    assert end.err == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--for", "0"], "must end in the future"),
        (["--for", "-5m"], "must end in the future"),
        (["--for=-5m"], "must end in the future"),
        (["--for", "soon"], "not a duration"),
        (["--for", "3651d"], "more than"),
        (["--until", "2020-01-01T10:00"], "that time has passed"),
        (["--until", "2999-01-01T10:00"], "more than"),
        (["--until", "later"], "write a time as 18:30"),
        (["--until", "25:00"], "write the time as HH:MM"),
        (["--for", "5m", "--until", "18:30"], "not allowed with"),
        (["--reason", "x" * 201], "longer than 200 characters"),
        (["--by", " "], "nobody is named"),
    ],
)
async def test_an_end_that_makes_no_sense_is_a_usage_error(
    shell: Shell, options: list[str], said: str
) -> None:
    end = await bench(shell, "p/a", *options)
    assert (end.code, end.out) == (2, "")
    if said != "more than" and "-5m" not in options:
        assert said in end.err
    assert (await states(shell, str(shell.home / "standby.yaml")))["p/a"]["state"] == "live"


async def test_until_is_the_next_such_local_time(shell: Shell) -> None:
    shell.env["TZ"] = "UTC"
    before = datetime.now(UTC)
    passed = before - timedelta(minutes=2)
    end = await bench(shell, "p/a", "--until", f"{passed:%H:%M}", "--json")
    (out,) = end.lines
    until = datetime.fromisoformat(out["until"])
    assert timedelta(hours=23, minutes=56) < until - before < timedelta(days=1)
    assert f"{until:%H:%M}" == f"{passed:%H:%M}"


async def test_a_hold_is_made_longer_but_not_shorter(shell: Shell) -> None:
    path = shell.write(TWO)
    first = await shell.run(
        "bench", "p/a", "--for", "1h", "--by", "alice", "--reason", "cost", "--config", path
    )
    assert first.code == 0
    shorter = await shell.run("bench", "p/a", "--for", "10m", "--config", path)
    assert (shorter.code, shorter.out) == (2, "")
    assert "p/a is held by alice until " in shorter.err
    assert "(cost), longer than this would; it stays as it is" in shorter.err
    assert f"lift that first: standby unbench p/a --config {path}" in shorter.err
    assert (await shell.run("bench", "p/a", "--for", "2h", "--by", "bob", "--config", path)).code == 0
    assert (await shell.run("bench", "p/a", "--by", "carol", "--config", path)).code == 0
    assert (await shell.run("bench", "p/a", "--for", "9d", "--config", path)).code == 2
    assert (await states(shell, path))["p/a"]["by"] == "carol"


async def test_a_hold_of_its_whole_provider_does_not_keep_a_model_from_a_hold_of_its_own(
    shell: Shell,
) -> None:
    path = shell.write(TWO)
    await shell.run("bench", "p/*", "--config", path)
    assert (await shell.run("bench", "p/a", "--for", "5m", "--config", path)).code == 0


async def test_a_hold_is_laid_over_an_automatic_bench_however_long(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(404))
    path = shell.config(up)
    await shell.run("run", "main", "hi", "--config", path)
    assert (await shell.run("bench", "p/a", "--for", "10s", "--config", path)).code == 0
    assert (await states(shell, path))["p/a"]["state"] == "held"


@pytest.mark.parametrize("command", [("bench", "p/a"), ("unbench", "p/a"), ("unbench", "--all")])
async def test_with_a_memory_store_nobody_would_see_it(shell: Shell, command: tuple[str, ...]) -> None:
    end = await shell.run(*command, "--store", "memory", "--config", shell.write(TWO))
    assert (end.code, end.out) == (2, "")
    assert "nobody would see" in end.err


async def test_hostile_words_reach_nobody_as_they_are(shell: Shell) -> None:
    path = shell.write(TWO)
    end = await shell.run(
        "bench", "p/a", "--reason", "\x1b[2J\u202e\udcff", "--by", "\x9bx", "--config", path
    )
    assert end.code == 0
    shown = end.out + (await shell.run("status", "--config", path)).out
    shown += (await shell.run("unbench", "p/a", "--config", path)).out
    assert "␛[2J" in shown
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown)


# Bringing back


async def test_unbench_says_what_was_lifted(shell: Shell) -> None:
    path = shell.write(TWO)
    await shell.run("bench", "p/a", "--reason", "cost", "--by", "alice", "--config", path)
    end = await shell.run("unbench", "one", "--config", path)
    assert (end.code, end.out, end.err) == (0, "p/a is back; it was held by alice (cost)\n", "")
    again = await shell.run("unbench", "p/a", "--config", path)
    assert (again.code, again.out, again.err) == (0, "p/a was not on the bench\n", "")
    assert (await states(shell, path))["p/a"]["state"] == "live"


async def test_unbench_json_is_a_list_of_what_was_lifted(shell: Shell) -> None:
    path = shell.write(TWO)
    await shell.run("bench", "p/a", "--config", path)
    (lifted,) = json.loads((await shell.run("unbench", "p/a", "--json", "--config", path)).out)
    assert (lifted["name"], lifted["manual"], lifted["until"]) == ("p/a", True, None)
    assert json.loads((await shell.run("unbench", "p/a", "--json", "--config", path)).out) == []


async def test_a_model_can_be_taken_out_of_its_provider_s_hold(shell: Shell) -> None:
    path = shell.write(TWO)
    await shell.run("bench", "p/*", "--by", "alice", "--config", path)
    end = await shell.run("unbench", "p/a", "--config", path)
    assert end.out == "p/a is back; it was held by alice\n"
    found = await states(shell, path)
    assert (found["p/a"]["state"], found["p/c"]["state"]) == ("live", "held")


async def test_what_the_configuration_has_lost_can_still_be_brought_back(shell: Shell) -> None:
    await shell.run("bench", "q/b", "--config", shell.write(TWO))
    path = shell.config(NOBODY)
    end = await shell.run("unbench", "q/b", "--config", path)
    assert (end.code, end.out[:12]) == (0, "q/b is back;")


async def test_all_lifts_what_engines_have_benched_and_holds_only_with_manual(
    shell: Shell, up: Upstream
) -> None:
    up.script("a", steps.status(404))
    path = shell.config(up, "a", "b", "c")
    await shell.run("run", "main", "hi", "--config", path)
    await shell.run("bench", "p/b", "--by", "alice", "--config", path)
    end = await shell.run("unbench", "--all", "--config", path)
    assert (end.code, end.out) == (0, "p/a is back; it was benched (model_not_found)\n")
    assert end.err == "p/b is held by alice and stays so: --manual lifts holds, too\n"
    found = await states(shell, path)
    assert [found[name]["state"] for name in ("p/a", "p/b")] == ["live", "held"]
    assert found["p/a"]["level"] == 0
    end = await shell.run("unbench", "--all", "--manual", "--config", path)
    assert (end.out, end.err) == ("p/b is back; it was held by alice\n", "")
    end = await shell.run("unbench", "--all", "--config", path)
    assert (end.code, end.out) == (0, "there was nothing to lift\n")


async def test_all_lifts_no_hold_of_a_key_with_its_model(shell: Shell, up: Upstream) -> None:
    up.script("a", steps.status(404))
    path = shell.config(up)
    await shell.run("run", "main", "hi", "--config", path)
    await shell.run("bench", "p#P_KEY/a", "--by", "alice", "--config", path)
    end = await shell.run("unbench", "--all", "--config", path)
    assert end.out == "there was nothing to lift\n"
    assert "p/a stays out: with it p#P_KEY/a would come back; --manual lifts both" in end.err


@pytest.mark.parametrize("command", [("bench", "p/a"), ("unbench", "p/a")])
async def test_what_was_done_is_said_to_be_done_when_output_is_full(
    shell: Shell, command: tuple[str, ...]
) -> None:
    with open("/dev/full", "wb") as full:  # noqa: ASYNC230, PTH123  (it opens at once)
        end = await shell.run(*command, "--config", shell.write(TWO), stdout=full)
    assert end.code == 1
    assert "standby: done, but standard output can't be written: " in end.err


async def test_what_nobody_knows_is_not_unbenched_but_what_was_benched_anyway_is(shell: Shell) -> None:
    path = shell.write(TWO)
    end = await shell.run("unbench", "p/aa", "--config", path)
    assert (end.code, end.out) == (2, "")
    assert end.err == "standby: nobody knows p/aa, did you mean p/a?\n"
    await shell.run("bench", "p/aa", "--anyway", "--config", path)
    assert (await shell.run("unbench", "p/aa", "--config", path)).out.startswith("p/aa is back; ")


async def test_events_of_a_model_that_nobody_knows_come_with_a_note(shell: Shell) -> None:
    path = shell.write(TWO)
    for name in ("P/A", "p/aa"):
        end = await shell.run("events", "--model", name, "--config", path)
        assert (end.code, end.out) == (0, "")
        assert end.err == f"note: nothing in the configuration names {name}, did you mean p/a?\n"
    assert (await shell.run("events", "--model", "p/a", "--config", path)).err == ""
