"""Clocks that are set, and machines that sleep: no countdown is longer than its bench, and each ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.store.base import Store
from engine.store.memory import MemoryStore
from engine.store.sqlite import SqliteStore
from tests.fleet.stage import ONCE, Member, Scripts, all_heard, fleet, level, member, row, until
from tests.scripted import status

DAY_S = 86_400.0
FINE: Scripts = {"a": ["from a"], "b": ["from b"]}
BAD: Scripts = {"a": [status(500), "from a"], "b": ["from b"]}
SHORT = ONCE.replace(cooldown=0.3, cooldown_growth=1.0)


class Machine:
    """One machine's clocks, and what runs on it.

    Attributes:
        ahead_s: How far the clock on the wall was set.
        asleep_s: How long the machine has slept, during which its other clock stood still.
    """

    def __init__(self, make: Callable[[Callable[[], float]], Store]) -> None:
        self._make = make
        self.ahead_s = 0.0
        self.asleep_s = 0.0

    def wall(self) -> float:
        return time.time() + self.ahead_s + self.asleep_s

    def clock(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        self.asleep_s += seconds

    def set(self, by_s: float) -> None:
        self.ahead_s += by_s

    def store(self) -> Store:
        return self._make(self.wall)

    @property
    def is_set_far(self) -> bool:
        """False if a clock was set by so little that the ends that are told stay as they are."""
        return not 0 < abs(self.ahead_s) < 0.5

    @property
    def clocks(self) -> dict[str, Any]:
        return {"clock": self.clock, "wall": self.wall}


@pytest.fixture(params=["memory", "sqlite"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    if request.param == "sqlite":
        yield Machine(lambda wall: SqliteStore(tmp_path / "standby.db", wall=wall))
        return
    spaces: list[MemoryStore] = []

    def make(wall: Callable[[], float]) -> Store:
        spaces.append(spaces[0].another() if spaces else MemoryStore(wall))
        return spaces[-1]

    yield Machine(make)


def check(machine: Machine, one: Member) -> None:
    """Nothing is out for longer than it was benched for, whichever way one looks."""
    for out in one.engine.benched():
        if out.for_s is not None:
            assert out.remaining_s is not None
            assert out.until is not None
            assert 0 <= out.remaining_s <= out.for_s + 0.001
            left = datetime.fromisoformat(out.until).timestamp() - machine.wall()
            assert left <= out.for_s + (0.002 if machine.is_set_far else 0.5)


CHANGES: dict[str, Callable[[Machine], None]] = {
    "ahead": lambda machine: machine.set(DAY_S),
    "back": lambda machine: machine.set(-DAY_S),
    "a little back": lambda machine: machine.set(-0.2),
    "asleep": lambda machine: machine.sleep(DAY_S),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_every_bench_ends_wherever_the_clock_was_set(machine: Machine, change: str) -> None:
    async with fleet(machine.store, BAD, FINE, policy=SHORT, **machine.clocks) as members:
        one, other = members
        await one.ask()
        other.engine.bench("p/x", for_=0.4, reason="short")
        other.engine.bench("p/y", reason="for good")
        for each in members:
            await each.until(lambda e: len(e.engine.benched()) == 3)
        CHANGES[change](machine)
        late = member(machine.store(), FINE, name="late", policy=SHORT, **machine.clocks)
        async with late.engine:
            everyone = [one, other, late]

            def all_is_over() -> bool:
                for each in everyone:
                    check(machine, each)
                return not any(row(each.engine, "p/a") or row(each.engine, "p/x") for each in everyone)

            assert await until(all_is_over) < 5
            for each in everyone:
                assert row(each.engine, "p/y").until is None
            await until(lambda: all_heard(everyone, "model.due"))
            assert await late.ask() == "p/a"
            for each in everyone:
                await each.engine.flush()
            assert len(all_heard(everyone, "model.due")) == 1
            expired = [
                event.model for event in all_heard(everyone, "model.unbenched") if event.why == "expired"
            ]
            assert expired == ["p/x"]


async def test_what_ended_while_the_machine_slept_is_over_when_it_wakes(machine: Machine) -> None:
    async with fleet(machine.store, BAD, FINE, **machine.clocks) as members:
        await members[0].ask()
        members[1].engine.bench("p/x", for_=3600)
        members[1].engine.bench("p/y", for_=2 * DAY_S)
        for each in members:
            await each.until(lambda e: len(e.engine.benched()) == 3)
        machine.sleep(DAY_S)
        for each in members:
            assert await each.until(lambda e: len(e.engine.benched()) == 1) < 5
            assert row(each.engine, "p/y").remaining_s == pytest.approx(DAY_S, abs=10)
        await until(lambda: all_heard(members, "model.due"))
        for each in members:
            await each.engine.flush()
        assert len(all_heard(members, "model.due")) == 1


@pytest.mark.parametrize("by_s", [-DAY_S, DAY_S])
async def test_a_clock_that_is_set_while_nobody_runs_restarts_no_countdown_twice(
    machine: Machine, by_s: float
) -> None:
    async with fleet(machine.store, FINE, **machine.clocks) as (one,):
        one.engine.bench("p/x", for_=0.5)
    machine.set(by_s)
    begun = time.monotonic()
    left = [0.5]
    while left[-1] > 0:  # each of them sees it nearer to its end than the one before
        async with fleet(machine.store, FINE, **machine.clocks) as (late,):
            check(machine, late)
            out = row(late.engine, "p/x")
            left.append(out.remaining_s if out else 0.0)
            assert left[-1] < left[-2]
            await late.engine.flush()
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("change", CHANGES)
async def test_a_trial_that_nobody_settles_lapses_wherever_the_clock_was_set(
    machine: Machine, change: str
) -> None:
    policy = SHORT.replace(cooldown=0.1)
    async with fleet(machine.store, BAD, FINE, policy=policy, **machine.clocks) as (one, other):
        await one.ask()
        await until(lambda: all_heard([one, other], "model.due"))
        await until(lambda: not row(one.engine, "p/a"))
        assert await one.engine._sideline.claim("p/a", "request", 0.3) is not None
        await until(lambda: row(other.engine, "p/a"))
        CHANGES[change](machine)
        async with member(machine.store(), FINE, policy=policy, **machine.clocks).engine as late:
            assert await until(lambda: not row(late, "p/a")) < 5
            assert await until(lambda: not row(other.engine, "p/a")) < 5
            for each in (one, other):
                await each.engine.flush()
        told = [event.outcome for event in all_heard([one, other], "model.trial") if event.outcome]
        assert told in (["lapsed"], [])  # or the late one told of it


@pytest.mark.parametrize("by_s", [-DAY_S, DAY_S])
async def test_a_level_falls_wherever_the_clock_was_set(machine: Machine, by_s: float) -> None:
    policy = SHORT.replace(cooldown=0.2)
    async with fleet(machine.store, BAD, FINE, policy=policy, **machine.clocks) as (one, other):
        await one.ask()
        machine.set(by_s)
        await until(lambda: not row(one.engine, "p/a"))
        assert await one.ask() == "p/a"
        for each in (one, other):
            assert level(each.engine, "p/a") <= 1
            assert await each.until(lambda e: level(e.engine, "p/a") == 0) < 5


async def test_events_and_ends_are_told_in_the_time_on_the_wall(machine: Machine) -> None:
    machine.set(-3 * DAY_S)
    async with fleet(machine.store, FINE, **machine.clocks) as (one,):
        one.engine.bench("p/x", for_=60)
        (benched,) = one.heard.of("model.benched")
        for text, expected in ((benched.at, machine.wall()), (benched.until, machine.wall() + 60)):
            assert abs(datetime.fromisoformat(text).timestamp() - expected) < 1
        await one.engine.flush()
        assert [each.event.event for each in await one.engine.history(5)] == ["model.benched"]
