"""The life of an engine at a store: onlookers, faults, forks, loops that end, and engines never closed."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import random
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.blocking import BlockingEngine
from engine.engine import Engine
from engine.entry import Entry
from engine.errors import StreamInterrupted
from engine.events import StoreDegraded, StoreRestored
from engine.fleet import CLOSES_WITHIN_S
from engine.messages import Delta
from engine.policy import Policy
from engine.providers.base import End, Finish
from engine.stay import Stay, Terms
from engine.store.base import Record, Step, Store, Update
from engine.store.clerk import Clerk
from engine.store.memory import MemoryStore
from engine.store.rows import write_entry
from engine.store.sqlite import SqliteStore
from tests.fleet.stage import ONCE, PATIENCE_S, ROOT, fleet, journal, member, row, until
from tests.scripted import HANG, Parts, Scripted, chain_of, status
from tests.store.backends import MakeStore
from tui.app import _CLOSING_S

PROBED = Policy(attempts=1, cooldown=60.0, trial="probe")


def put_due(store: Store, *, probe: bool = True) -> None:
    """Writes `p/a` into a store as a model whose bench has run out."""
    store.open()

    def write(_: object, now: float) -> str | None:
        stay = Stay(now - 400, 300.0, "server_error", terms=Terms(300.0, 2.0, 3600.0, probe=probe))
        return write_entry(
            Entry("p/a", 1, auto=stay, failures=1, top_level=1, healthy_since=now - 400, decay_s=300.0), now
        )

    store.update("p/a", [], write)
    store.close()


def state(engine: Engine, model: str = "p/a") -> str:
    """What a model is, as an engine says."""
    return next(each.state for each in engine.status() if each.model == model)


# Who only looks on


@pytest.mark.parametrize("looks_on", [{"visible": False}, {"probes": False}])
async def test_whoever_looks_on_probes_nothing_and_leaves_the_trial_to_those_at_work(
    make_store: MakeStore, looks_on: dict[str, Any]
) -> None:
    put_due(make_store())
    scripts = {"a": ["fine"]}
    looker = member(make_store(), scripts, policy=PROBED, **looks_on)
    async with looker.engine:
        assert state(looker.engine) == "due"
        await looker.engine.flush()
        assert looker.provider.calls == []
        worker = member(make_store(), scripts, policy=PROBED)
        async with worker.engine:
            await until(lambda: state(looker.engine) == "live")
            assert worker.provider.models() == ["a"]
    assert looker.provider.calls == []


async def test_a_probe_whose_process_goes_is_left_to_another_probe(make_store: MakeStore) -> None:
    put_due(make_store())
    leaving = member(make_store(), {"a": [HANG]}, policy=PROBED)
    async with leaving.engine:
        await until(lambda: leaving.provider.calls)
    async with member(make_store(), {"a": ["fine"]}, policy=PROBED).engine as staying:
        await until(lambda: state(staying) == "live")


# Faults


class Faulty(MemoryStore):
    """A store with a fault of its own."""

    fault: Exception | None = None
    tries = 0

    def open(self) -> list[str]:
        """Goes well."""
        super().changed()
        return []

    def changed(self) -> bool:
        """Fails, as long as it is to."""
        self.tries += 1
        if self.fault is not None:
            raise self.fault
        return super().changed()


async def test_a_fault_is_a_lost_store_said_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    store = Faulty()
    async with member(store, {"a": ["fine"]}).engine as engine:
        told: list[type] = []
        engine.observe(lambda event: told.append(type(event)))
        for _ in range(2):
            store.fault, store.tries = TypeError("hm"), 0
            await until(lambda: store.tries > 2)
            await until(lambda: not engine.store.ok and "TypeError" in engine.store.why)
            assert (await engine.complete("main", "hi")).text == "fine"
            store.fault = None
            tried = store.tries
            await until(lambda: engine.store.ok and store.tries > tried + 1)  # noqa: B023 - it is waited for in the same turn
            engine.bench("p/z")
            await engine.flush()
        assert told.count(StoreDegraded) == told.count(StoreRestored) == 2
    faults = [each for each in caplog.records if each.levelno == logging.ERROR and "fault" in each.msg]
    assert len(faults) == 2


async def test_nothing_grows_in_an_engine_that_is_closed(make_store: MakeStore) -> None:
    async with member(make_store(), {"a": ["fine"]}).engine as engine:
        await engine.complete("main", "hi")
    fleet_of = engine._fleet
    assert fleet_of is not None
    for _ in range(3):
        await engine.complete("main", "hi")
        engine.bench("p/a")
        engine.unbench("p/a")
    assert not fleet_of._journal.waiting
    assert not fleet_of._clerk._jobs
    await until(lambda: not fleet_of._inbox)


async def test_what_was_done_just_before_the_end_is_in_the_store(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, may_begin = Clerk._main, threading.Event()

    def late(clerk: Clerk) -> None:
        may_begin.wait(PATIENCE_S)
        begin(clerk)

    with monkeypatch.context() as patch:
        patch.setattr(Clerk, "_main", late)
        leaving = member(make_store(), {"a": ["fine"]}).engine
        leaving.bench("p/m")
        closing = asyncio.create_task(leaving.aclose())
        await until(lambda: leaving._fleet and leaving._fleet._clerk._leave_by)
        may_begin.set()
        await closing
    async with member(make_store(), {"a": ["fine"]}).engine as engine:
        assert row(engine, "p/m")


_UNCLOSED = """
import asyncio, sys
from pathlib import Path
from engine import BlockingEngine, Engine
from engine.store.sqlite import SqliteStore
from tests.scripted import Scripted, chain_of
kind = {"Engine": Engine, "BlockingEngine": BlockingEngine}[sys.argv[2]]
engine = kind(chain_of(Scripted({"a": ["fine"]}), "a"), store=SqliteStore(Path(sys.argv[1])), watch=False)
for _ in range(5):
    answer = engine.complete("main", "hi")
    if kind is Engine:
        asyncio.run(answer)
"""


@pytest.mark.parametrize("kind", ["Engine", "BlockingEngine"])
def test_a_program_that_ends_without_closing_its_engine_loses_none_of_its_journal(
    kind: str, tmp_path: Path
) -> None:
    code = [sys.executable, "-c", _UNCLOSED, str(tmp_path / "s.db"), kind]
    done = subprocess.run(code, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    store = SqliteStore(tmp_path / "s.db")
    store.open()
    assert [json.loads(each.record.data)["seq"] for each in store.read()] == list(range(1, 21))
    assert store.engines()[0] == []
    store.close()


# Forks

_BEGIN = """
import asyncio, json, os, sys, time
from pathlib import Path
from engine.engine import Engine
from engine.store.base import StoreError
from engine.store.sqlite import SqliteStore
from tests.scripted import Scripted, chain_of, status
store = SqliteStore(Path(sys.argv[1]))
engine = Engine(chain_of(Scripted({"a": [status(500)], "b": ["fine"]}), "a", "b"), store=store, watch=False)
def say(what):
    os.write(1, (json.dumps(what) + "\\n").encode())  # at once: processes share the pipe
def fork(child):
    pid = os.fork()
    if not pid:
        child()
        os._exit(0)
    return pid
"""


def forked(path: Path, script: str) -> list[Any]:
    """What a script with an engine, and the processes forked off it, print: one JSON value a line."""
    code = _BEGIN + textwrap.dedent(script)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_processes_forked_off_an_engine_that_was_not_used_are_engines_of_their_own(tmp_path: Path) -> None:
    said = forked(
        tmp_path / "s.db",
        """
        engine.name, engine.run  # looking is no use
        async def work():
            async with engine:
                await engine.complete("main", "hi")
                await engine.flush()
                pids = [each.pid for each in engine.engines() if each.own]
                say([os.getpid(), engine.name, engine.run, pids, engine.store.ok])
        children = [fork(lambda: asyncio.run(work())) for _ in range(2)]
        for child in children:
            os.waitpid(child, 0)
        """,
    )
    assert len(said) == 2
    for pid, name, _, pids, ok in said:
        assert name.endswith(f":{pid}")
        assert pids == [pid]
        assert ok
    assert said[0][2] != said[1][2]


def test_numbers_of_trials_come_from_no_generator_that_somebody_seeds() -> None:
    async def number() -> int:
        random.seed(42)
        store = MemoryStore()
        put_due(store.another(), probe=False)
        async with member(store, {"a": ["fine"]}).engine as engine:
            await engine.complete("main", "hi")
            return engine._sideline._trial

    first, second = asyncio.run(number()), asyncio.run(number())
    assert first
    assert first != second


def test_a_process_forked_off_a_running_engine_is_on_its_own(tmp_path: Path) -> None:
    said = forked(
        tmp_path / "s.db",
        """
        asyncio.run(engine.complete("p/b", "hi"))
        async def child():
            begun = time.monotonic()
            answer = await engine.complete("main", "hi")
            for _ in range(20):
                await engine.complete("main", "hi")
                engine.bench("p/m"), engine.unbench("p/m")
            refused = []
            for ask in (engine.flush, engine.history):
                try:
                    await ask()
                except StoreError as error:
                    refused.append(str(error))
            clerk = engine._fleet._clerk
            say([answer.model, engine.store.ok, engine.store.why, refused, bool(clerk._jobs),
                              engine._fleet._journal.waiting, [each.name for each in engine.benched()]])
            await engine.aclose()
            say(time.monotonic() - begun)
        async def parent():
            async with engine:
                pid = fork_of(child)
                os.waitpid(pid, 0)
                await engine.flush()
                say([engine.store.ok, [each.name for each in engine.benched()]])
        def fork_of(child):
            def run():
                asyncio._set_running_loop(None)
                asyncio.set_event_loop(None)
                asyncio.run(child())
            return fork(run)
        asyncio.run(parent())
        """,
    )
    (model, ok, why, refused, has_jobs, waiting, benched), took_s, parents = said
    assert model == "p/b"
    assert not ok
    assert "forked" in why
    assert len(refused) == 2
    assert all("forked" in each for each in refused)
    assert not has_jobs
    assert not waiting
    assert benched == ["p/a"]
    assert took_s < 5
    assert parents == [True, []]


# Streams


async def test_a_bench_is_told_of_before_a_broken_stream_raises(make_store: MakeStore) -> None:
    broken = Parts([[Delta("hello")], status(500)])
    async with fleet(make_store, {"a": [broken]}, policy=ONCE.replace(mid_stream="raise")) as (one,):
        async with one.engine.stream("main", "hi") as stream:
            with pytest.raises(StreamInterrupted):
                async for _ in stream:
                    pass
            assert "model.benched" in [event.event for event in one.heard]


class Slow(MemoryStore):
    """A store that takes a moment for each step."""

    def update(self, name: str, beside: Sequence[str], step: Step) -> Update:
        """Takes a moment."""
        threading.Event().wait(0.02)
        return super().update(name, beside, step)


async def test_a_comeback_is_told_of_before_a_stream_ends() -> None:
    store = Slow()
    put_due(store, probe=False)
    answer = Parts([[Delta("")], [Delta("from a")], [Finish("stop")], [End()]])
    async with fleet(lambda: store, {"a": [answer]}) as (one,):
        async with one.engine.stream("main", "hi") as stream:
            async for _ in stream:
                pass
        names = [event.event for event in one.heard]
        assert names.index("model.unbenched") < names.index("request.succeeded")


# Ends


class Stuck(MemoryStore):
    """A store that does not answer for a while."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__(clock)
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.is_asked = threading.Event()

    def append(self, records: Sequence[Record]) -> None:
        """Waits."""
        self.is_asked.set()
        self.may_answer.wait(PATIENCE_S)
        super().append(records)


async def test_a_close_that_is_cancelled_ends_what_it_can_and_another_does_the_rest() -> None:
    store = Stuck()
    engine = member(store, {"a": ["fine"]}).engine
    async with engine:
        queue = engine.events()
        store.may_answer.clear()
        await engine.complete("main", "hi")
        await until(store.is_asked.is_set)
        closing = asyncio.create_task(engine.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with suppress(asyncio.CancelledError):
            await closing
        assert closing.cancelled()
        async with asyncio.timeout(PATIENCE_S):
            assert [event.event async for event in queue]  # which ends
        again = asyncio.create_task(engine.aclose())
        await asyncio.sleep(0)
        assert not again.done()
        store.may_answer.set()
        await again
        assert not store.another().engines()[0]
        assert store.another().end()


def test_the_dashboard_waits_for_as_long_as_an_engine_may_need_for_its_store() -> None:
    assert _CLOSING_S > CLOSES_WITHIN_S


# Engines that are never closed


def threads() -> list[threading.Thread]:
    """Those that talk to stores."""
    return [each for each in threading.enumerate() if each.name == "standby: store"]


def soon(condition: Callable[[], object]) -> None:
    """Waits until something holds, without a loop."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        gc.collect()


def test_engines_that_are_dropped_leave_no_thread(make_store: MakeStore) -> None:
    before = len(threads())

    async def use() -> None:
        await member(make_store(), {"a": [status(500)], "b": ["fine"]}).engine.complete("main", "hi")

    for _ in range(20):
        asyncio.run(use())
    soon(lambda: len(threads()) <= before)
    store = make_store()
    store.open()
    assert not store.engines()[0]
    assert store.end()
    store.close()


def test_an_engine_without_a_loop_that_is_garbage_leaves_no_thread(make_store: MakeStore) -> None:
    before = len(threads())
    engine = member(make_store(), {"a": ["fine"]}).engine
    engine.bench("p/a")
    assert len(threads()) == before + 1
    assert engine._fleet
    soon(engine._fleet._inbox.__len__)
    del engine
    soon(lambda: len(threads()) <= before)
    other = member(make_store(), {"a": ["fine"]}).engine

    async def look() -> None:
        async with other:
            assert row(other, "p/a")

    asyncio.run(look())


def test_an_engine_goes_on_in_another_loop(make_store: MakeStore) -> None:
    one = member(make_store(), {"a": ["fine"]})
    before = len(threads())

    async def use(number: int) -> None:
        for each in range(20):
            one.engine.bench(f"p/{number}-{each}")
        await one.engine.flush()
        assert (await one.engine.complete("main", "hi")).text == "fine"
        await one.engine.flush()
        assert len(await one.engine.history()) == len(one.heard)
        assert [each.own for each in one.engine.engines()] == [True]

    for number in range(2):
        asyncio.run(use(number))
    soon(lambda: len(threads()) <= before)
    asyncio.run(use(2))
    asyncio.run(one.engine.aclose())
    soon(lambda: len(threads()) <= before)

    async def look() -> None:
        async with member(make_store(), {"a": ["fine"]}).engine as engine:
            assert len(engine.benched()) == 60
            assert len(await journal(engine)) == len(one.heard)

    asyncio.run(look())


def test_a_loop_that_nobody_runs_lets_nothing_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.fleet._MOST_UNHEARD", 5)
    store = MemoryStore()
    engine = member(store.another(), {"a": ["fine"]}).engine
    before = len(threads())
    loop = asyncio.new_event_loop()
    loop.run_until_complete(engine.__aenter__())
    other = store.another()

    def write(_: object, now: float) -> str:
        return json.dumps({"at": now})

    for number in range(100_000):
        other.update(f"p/{number % 50}", [], write)
        if len(threads()) <= before:
            break
    assert len(threads()) <= before
    assert engine._fleet is not None
    assert len(engine._fleet._inbox) < 50
    put_due(other, probe=False)
    assert loop.run_until_complete(engine.complete("main", "hi")).text == "fine"
    loop.run_until_complete(engine.flush())
    assert state(engine) == "live"
    loop.run_until_complete(engine.aclose())
    loop.close()


# Small things


def test_the_end_of_a_bench_is_meant_by_the_engines_clock() -> None:
    engine = Engine(
        chain_of(Scripted({"a": ["fine"]}), "a"), wall=lambda: time.time() + 7200, clock=time.monotonic
    )
    until_when = datetime.fromtimestamp(time.time() + 7200 + 600, UTC)
    engine.bench("p/a", until=until_when)
    (out,) = engine.benched()
    assert out.until is not None
    assert abs((datetime.fromisoformat(out.until) - until_when).total_seconds()) < 1


def test_a_blocking_engine_has_a_run_and_may_go_unseen() -> None:
    store = MemoryStore()
    config = chain_of(Scripted({"a": ["fine"]}), "a")
    with (
        BlockingEngine(config, store=store.another(), watch=False) as seen,
        BlockingEngine(config, store=store.another(), watch=False, visible=False) as unseen,
    ):
        assert seen.run != unseen.run
        assert [each.run for each in unseen.engines()] == [seen.run]
        assert [each.run for each in seen.engines()] == [seen.run]


async def test_whoever_comes_is_seen_and_sees_the_others_at_once(make_store: MakeStore) -> None:
    async with (
        member(make_store(), {"a": ["fine"]}, name="one").engine as one,
        member(make_store(), {"a": ["fine"]}, name="two").engine as two,
    ):
        assert [(each.name, each.own) for each in two.engines()] == [("one", False), ("two", True)]
        assert await until(lambda: [each.name for each in one.engines()] == ["one", "two"]) < 4
        async with member(make_store(), {"a": ["fine"]}, name="three").engine:
            assert await until(lambda: len(one.engines()) == 3) < 4
        assert await until(lambda: len(one.engines()) == 2) < 4
