"""Eight processes at one store, all asking at once: each turn of the bench happens once, and is told once."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.events import Event
from engine.store.sqlite import SqliteStore
from tests.fleet.stage import ONCE, Scripts, Worker, all_heard, fleet, journal, member, row, until, workers
from tests.scripted import HANG, cancelled, status
from tests.store.backends import BACKENDS, MakeStore

PROCESSES = 8
TURNS = 3
COOLDOWN_S = 0.4
SHARED = [each for each in sorted(BACKENDS) if each != "memory"]
FINE: Scripts = {"a": ["from a"], "b": ["from b"]}


@pytest.fixture(params=SHARED)
def make_store(request: pytest.FixtureRequest) -> Iterator[MakeStore]:
    """Only those that processes can share."""
    with BACKENDS[request.param]() as make:
        yield make


@pytest.fixture
def setup(make_store: MakeStore, tmp_path: Path) -> dict[str, Any]:
    name = make_store().name
    return {
        "store": name if name.startswith("redis") else f"sqlite:{name}",
        "calls": str(tmp_path / "calls"),
        "fails": TURNS,
        "policy": {"cooldown": COOLDOWN_S, "cooldown_growth": 1.0},
    }


def calls_of(setup: dict[str, Any]) -> int:
    """How often `a` was asked, by all processes."""
    return Path(setup["calls"]).stat().st_size


def counted(events: Sequence[dict[str, Any]]) -> Counter[Any]:
    """What became of `a`: how often each turn took place."""
    turns = ("model.benched", "model.due", "model.unbenched", "model.trial", "attempt.started")
    return Counter(
        (event["event"], event.get("outcome", event.get("trial")))
        for event in events
        if event["event"] in turns and event["model"] == "p/a"
    )


async def test_each_turn_takes_place_once_among_eight_processes_and_is_told_once(
    make_store: MakeStore, setup: dict[str, Any]
) -> None:
    async with workers(PROCESSES, **setup) as fleet_of_workers:
        assert await fleet_of_workers[0].does("ask") == "p/b"
        for worker in fleet_of_workers:
            await _sees(worker, "p/a")
            assert await worker.does("hammer") == "begun"
        await until(lambda: _told(fleet_of_workers, "model.unbenched"))
        for worker in fleet_of_workers:
            worker.begin("rest")
        for worker in fleet_of_workers:
            assert await worker.answer() == "flushed"
            await worker.end()
        told = [event for worker in fleet_of_workers for event in worker.told]
        turns = counted(told)
        live = turns.pop(("attempt.started", False))
        assert turns == {
            ("model.benched", None): TURNS,
            ("model.due", None): TURNS,
            ("model.trial", None): TURNS,
            ("model.trial", "failure"): TURNS - 1,
            ("model.trial", "success"): 1,
            ("model.unbenched", None): 1,
            ("attempt.started", True): TURNS,
        }
        # Only one attempt on `a` that failed was no trial: the very first.
        assert len([event for event in told if event["event"] == "attempt.failed"]) == TURNS
        assert calls_of(setup) == live + TURNS
        assert [event["level"] for event in _told(fleet_of_workers, "model.benched", sort=True)] == [1, 2, 3]
        async with member(make_store(), FINE).engine as reader:
            recorded = await journal(reader)
        assert counted([event.to_json() for event in recorded]) == counted(told)
        _is_in_order(recorded)


async def test_with_probes_one_engine_of_all_probes(make_store: MakeStore, setup: dict[str, Any]) -> None:
    setup["policy"]["trial"] = "probe"
    setup["fails"] = 1
    async with workers(4, **setup) as fleet_of_workers:
        assert await fleet_of_workers[0].does("ask") == "p/b"
        for worker in fleet_of_workers:
            await _sees(worker, "p/a")
        await until(lambda: _told(fleet_of_workers, "model.unbenched"))
        for worker in fleet_of_workers:
            await worker.end()
        trials = [(each["by"], each["outcome"]) for each in _told(fleet_of_workers, "model.trial")]
        assert sorted(trials, key=str) == [("probe", "success"), ("probe", None)]
        assert len(_told(fleet_of_workers, "model.due")) == 1
        assert calls_of(setup) == 2  # the failure, and the one probe
    async with member(make_store(), FINE).engine as reader:
        assert row(reader, "p/a") is None


async def test_a_trial_whose_process_is_killed_lapses_and_another_takes_it(
    make_store: MakeStore, setup: dict[str, Any]
) -> None:
    setup |= {"hangs": 2, "fails": 1, "lease_s": 0.2}
    setup["policy"] |= {"cooldown": 0.2}
    async with workers(1, **setup) as (victim,):
        assert await victim.does("ask") == "p/b"
        async with fleet(make_store, FINE) as (other,):
            await until(lambda: _told([victim], "model.due") or other.heard.of("model.due"))
            victim.begin("ask", timeout=0.8)
            await until(lambda: _told([victim], "model.trial"))
            await until(lambda: row(other.engine, "p/a"))
            assert row(other.engine, "p/a").on_trial
            await victim.kill()
            assert await other.ask() == "p/b"
            await until(lambda: not row(other.engine, "p/a"))
            assert await other.ask() == "p/a"
            told = [(e.event, getattr(e, "outcome", "")) for e in other.heard if e.event != "model.due"]
            assert [each for each in told if each[0] in ("model.trial", "model.unbenched")] == [
                ("model.trial", "lapsed"),
                ("model.trial", None),
                ("model.trial", "success"),
                ("model.unbenched", ""),
            ]


async def test_of_two_engines_that_reach_for_a_trial_one_gets_it(make_store: MakeStore) -> None:
    policy = ONCE.replace(cooldown=0.1)
    bad: Scripts = {"a": [status(500), "from a"], "b": ["from b"]}
    async with fleet(make_store, bad, FINE, FINE, policy=policy) as members:
        await members[0].ask()
        for each in members:
            await each.until(lambda e: e.engine.is_benched("p/a") or all_heard(members, "model.due"))
        for each in members:
            await each.until(lambda e: not row(e.engine, "p/a"))
        answers = await asyncio.gather(*(each.ask() for each in members for _ in range(5)))
        assert answers.count("p/a") >= 1
        taken = [event for event in all_heard(members, "model.trial") if event.outcome is None]
        assert len(taken) == 1
        assert sum(event.trial for event in all_heard(members, "attempt.started")) == 1


async def test_a_trial_that_is_not_granted_in_time_is_nobodys(tmp_path: Path) -> None:
    """Who can't know whether another has it leaves it alone, and frees it should it come late."""
    path = tmp_path / "standby.db"
    bad: Scripts = {"a": [status(500), "from a"], "b": ["from b"]}
    async with fleet(lambda: SqliteStore(path), bad, policy=ONCE.replace(cooldown=0.1)) as (one,):
        await one.ask()
        await until(lambda: one.heard.of("model.due"))
        await one.engine.flush()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            assert [await one.ask() for _ in range(3)] == ["p/b"] * 3
            assert time.monotonic() - begun < 1
            other.execute("ROLLBACK")
        await until(lambda: one.engine.status()[0].state == "due")
        assert await one.ask() == "p/a"
        outcomes = [event.outcome for event in one.heard.of("model.trial")]
        assert outcomes in ([None, "success"], [None, "given_back", None, "success"])
        assert one.provider.models().count("a") == 2


async def test_a_trial_that_is_cancelled_while_it_is_claimed_is_given_back(make_store: MakeStore) -> None:
    policy = ONCE.replace(cooldown=0.1)
    bad: Scripts = {"a": [status(500), HANG], "b": ["from b"]}
    async with fleet(make_store, bad, FINE, policy=policy) as (one, other):
        await one.ask()
        await until(lambda: one.heard.of("model.due") or other.heard.of("model.due"))
        asking = asyncio.create_task(one.ask())
        await until(lambda: one.engine._sideline.bench._entries["p/a"].lease, pause_s=0)
        assert one.provider.models().count("a") == 1
        await cancelled(asking)
        await one.engine.flush()
        await until(lambda: other.engine.status()[0].state == "due")
        assert await other.ask() == "p/a"
        outcomes = [event.outcome for event in [*one.heard.of("model.trial"), *other.heard.of("model.trial")]]
        assert outcomes == [None, "given_back", None, "success"]


async def _sees(worker: Worker, name: str) -> None:
    """Waits until a process knows of a bench."""
    assert await worker.does("sees", name=name)


def _told(told_by: Sequence[Worker], name: str, *, sort: bool = False) -> list[dict[str, Any]]:
    events = [event for worker in told_by for event in worker.of(name)]
    return sorted(events, key=lambda event: event["at"]) if sort else events


def _is_in_order(recorded: Sequence[Event]) -> None:
    """Each engine's events are all there, in their order."""
    last: dict[str, int] = {}
    for event in recorded:
        assert event.seq == last.get(event.engine, 0) + 1
        last[event.engine] = event.seq
