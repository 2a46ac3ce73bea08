"""What one engine benches, all engines at the same store see."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.config.model import KeySource
from engine.errors import AllBenched, ChainExhausted
from engine.events import FeedDropped
from engine.policy import Policy
from engine.store import journal as writing
from engine.store.base import Record
from engine.store.sqlite import SqliteStore
from tests.fleet.stage import (
    ONCE,
    PATIENCE_S,
    Member,
    Scripts,
    all_heard,
    failures,
    fleet,
    level,
    member,
    row,
    until,
    workers,
)
from tests.scripted import After, status
from tests.store.backends import BACKENDS, MakeStore

FINE: Scripts = {"a": ["from a"], "b": ["from b"]}
BAD: Scripts = {"a": [status(500)], "b": ["from b"]}
NAMES = ("p/a", "p/*", "p#k", "p#k/a")
KEY = (KeySource("k", env="K"),)
CLOCKS_AGREE_TO_S = 0.5  # what is known of a server's clock is as exact as its answers are quick


@pytest.fixture(autouse=True)
def _key_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K", "secret-k")


def epoch(until: str | None) -> float:
    assert until is not None
    return datetime.fromisoformat(until).timestamp()


@pytest.mark.parametrize("name", NAMES)
async def test_a_bench_by_hand_is_seen_everywhere_and_so_is_its_end(make_store: MakeStore, name: str) -> None:
    async with fleet(make_store, FINE, FINE, FINE, keys=KEY) as members:
        first, *others = members
        first.engine.bench(name, for_=600, reason="cost", by="alice")
        for each in others:
            assert await each.until(lambda e: e.engine.is_benched(name)) < 5
        ours = row(first.engine, name)
        for each in others:
            theirs = row(each.engine, name)
            assert (theirs.by, theirs.reason, theirs.manual, theirs.for_s) == ("alice", "cost", True, 600)
            assert abs(epoch(theirs.until) - epoch(ours.until)) <= 0.005
        assert others[0].engine.unbench(name, by="bob")
        for each in members:
            await each.until(lambda e: not e.engine.is_benched(name))
        kind = "key" if "#" in name else "model"
        assert [(e.engine, e.by, e.manual) for e in all_heard(members, f"{kind}.benched")] == [
            ("e0", "alice", True)
        ]
        assert [(e.engine, e.by, e.why) for e in all_heard(members, f"{kind}.unbenched")] == [
            ("e1", "bob", "operator")
        ]


async def test_a_bench_is_seen_within_a_quarter_of_a_second(make_store: MakeStore) -> None:
    async with fleet(make_store, FINE, FINE) as (one, other):
        took = []
        for _ in range(5):  # a busy machine may be late once or twice
            one.engine.bench("p/a", for_=600)
            took.append(await until(lambda: other.engine.is_benched("p/a")))
            one.engine.unbench("p/a")
            took.append(await until(lambda: not other.engine.is_benched("p/a")))
        assert sorted(took)[len(took) // 2] <= 0.25


async def test_a_model_that_is_spared_in_a_hold_of_its_provider_is_spared_everywhere(
    make_store: MakeStore,
) -> None:
    async with fleet(make_store, FINE, FINE) as (one, other):
        one.engine.bench("p/*", reason="outage")
        await until(lambda: other.engine.is_benched("p/a"))
        assert other.engine.unbench("p/a")
        await until(lambda: not one.engine.is_benched("p/a"))
        for each in (one, other):
            assert each.engine.is_benched("p/b")
            assert await each.ask() == "p/a"


async def test_a_failure_benches_everywhere_and_only_one_engine_tells(make_store: MakeStore) -> None:
    async with fleet(make_store, BAD, FINE, FINE) as members:
        assert await members[0].ask() == "p/b"
        for each in members:
            await each.until(lambda e: e.engine.is_benched("p/a"))
            assert await each.ask() == "p/b"
        assert [p.provider.models().count("a") for p in members] == [1, 0, 0]
        (benched,) = all_heard(members, "model.benched")
        for each in members:
            assert row(each.engine, "p/a").until == benched.until or (
                abs(epoch(row(each.engine, "p/a").until) - epoch(benched.until)) <= 0.005
            )


async def test_engines_that_fail_at_the_same_time_bench_once(make_store: MakeStore) -> None:
    async with fleet(make_store, BAD, BAD, BAD) as members:
        assert await asyncio.gather(*(each.ask() for each in members)) == ["p/b"] * 3
        assert len(all_heard(members, "model.benched")) == 1
        assert {level(each.engine, "p/a") for each in members} == {1}


async def test_failures_count_across_engines(make_store: MakeStore) -> None:
    policy = ONCE.replace(bench_after=3)
    async with fleet(make_store, BAD, BAD, BAD, policy=policy) as members:
        for each in members:
            assert all_heard(members, "model.benched") == []
            assert await each.ask() == "p/b"
        (benched,) = all_heard(members, "model.benched")
        assert (benched.engine, benched.failures, benched.level) == ("e2", 3, 1)


async def test_a_success_of_one_engine_clears_the_failures_of_all(make_store: MakeStore) -> None:
    policy = ONCE.replace(bench_after=3)
    async with fleet(make_store, BAD, FINE, policy=policy) as (bad, fine):
        for _ in range(2):
            await bad.ask()
        await until(lambda: failures(fine.engine, "p/a") == 2)
        assert await fine.ask() == "p/a"
        await until(lambda: failures(bad.engine, "p/a") == 0)
        for _ in range(2):
            await bad.ask()
        assert bad.heard.of("model.benched") == []
        await bad.ask()
        assert [event.failures for event in bad.heard.of("model.benched")] == [3]


async def test_the_level_grows_from_engine_to_engine_and_falls_in_health(make_store: MakeStore) -> None:
    policy = ONCE.replace(cooldown=0.15, cooldown_growth=2.0)
    once: Scripts = {"a": [status(500), "from a"], "b": ["from b"]}
    async with fleet(make_store, once, BAD, policy=policy) as members:
        one, other = members
        await one.ask()
        await until(lambda: other.heard.of("model.due") or one.heard.of("model.due"))
        await until(lambda: not other.engine.is_benched("p/a") and level(other.engine, "p/a") == 1)
        await until(lambda: not row(other.engine, "p/a"))
        assert await other.ask() == "p/b"
        told = [(event.engine, event.level, event.for_s) for event in all_heard(members, "model.benched")]
        assert told == [("e0", 1, 0.15), ("e1", 2, 0.3)]
        await until(lambda: level(one.engine, "p/a") == 2)
        await until(lambda: not row(one.engine, "p/a"))
        assert await one.ask() == "p/a"
        assert level(one.engine, "p/a") == 2
        await until(lambda: level(other.engine, "p/a") == 1)
        await until(lambda: level(other.engine, "p/a") == 0)


async def test_a_failure_elsewhere_never_shortens_what_a_provider_asked_for(make_store: MakeStore) -> None:
    policy = ONCE.replace(cooldown=10.0)
    asked: Scripts = {"a": [status(429, retry_after_s=120.0)], "b": ["from b"]}
    async with fleet(
        make_store, asked, {"a": [After(0.05, status(500))], "b": ["from b"]}, policy=policy
    ) as (
        one,
        other,
    ):
        under_way = asyncio.create_task(other.ask())
        await until(lambda: other.provider.open)
        await one.ask()
        await until(lambda: other.engine.is_benched("p/a"))
        assert await under_way == "p/b"
        await other.engine.flush()
        assert {row(each.engine, "p/a").for_s for each in (one, other)} == {120.0}
        assert other.heard.of("model.benched") == []


async def test_an_engine_that_starts_later_knows_everything(make_store: MakeStore) -> None:
    policy = ONCE.replace(bench_after=2)
    async with fleet(make_store, BAD, policy=policy, keys=KEY) as (one,):
        await one.ask()
        one.engine.bench("p/b", reason="cost", by="alice")
        one.engine.bench("p#k", for_=300)
        await one.engine.flush()
        async with member(make_store(), FINE, policy=policy, keys=KEY).engine as late:
            assert {out.name for out in late.benched()} >= {"p/b", "p#k"}
            assert failures(late, "p/a") == 1
            assert row(late, "p/b").until is None
            assert (row(late, "p/b").by, row(late, "p/b").reason) == ("alice", "cost")


@pytest.mark.parametrize("backend", [each for each in BACKENDS if each != "memory"])
async def test_benches_levels_and_holds_outlive_their_engines(backend: str) -> None:
    with BACKENDS[backend]() as make:
        async with fleet(make, BAD) as (one,):
            await one.ask()
            one.engine.bench("p/b", reason="cost", by="alice")
            one.engine.bench("p/x", for_=300)
            before = {out.name: out for out in one.engine.benched()}
        async with fleet(make, FINE) as (other,):
            after = {out.name: out for out in other.engine.benched()}
            assert after.keys() == before.keys() == {"p/a", "p/b", "p/x"}
            for name, out in after.items():
                assert (out.level, out.by, out.reason) == (
                    before[name].level,
                    before[name].by,
                    before[name].reason,
                )
                assert (out.until is None) == (name == "p/b")
                if out.until:
                    assert abs(epoch(out.until) - epoch(before[name].until)) <= CLOCKS_AGREE_TO_S
                    assert (out.remaining_s or 0) < (before[name].remaining_s or 0)


async def test_without_asking_for_it_a_later_engine_waits_for_the_bench(make_store: MakeStore) -> None:
    """An engine that nobody opened asks the store before its first request."""
    async with fleet(make_store, FINE) as (one,):
        one.engine.bench("p/a")
        await one.engine.flush()
        late = member(make_store(), FINE)
        assert await late.ask() == "p/b"
        await late.engine.aclose()


@pytest.mark.parametrize("backend", [each for each in BACKENDS if each != "memory"])
async def test_who_waits_for_a_model_wakes_when_another_process_unbenches_it(
    backend: str, tmp_path: Any
) -> None:
    policy = Policy(attempts=1, cooldown=60.0, when_all_benched="wait", deadline=600.0)
    with ExitStack() as stack:
        make = stack.enter_context(BACKENDS[backend]())
        url = make().name if backend == "redis" else f"sqlite:{make().name}"
        async with fleet(make, {"a": [status(500), "from a"]}, policy=policy) as (one,):
            with pytest.raises(ChainExhausted):
                await one.ask()
            with pytest.raises(AllBenched):
                await one.engine.complete("main", "hi", policy=policy.replace(when_all_benched="fail"))
            waiting = asyncio.create_task(one.ask())
            async with workers(1, url, calls=str(tmp_path / "calls"), fails=0) as (worker,):
                assert (await worker.does("benched"))[0]["name"] == "p/a"
                assert not waiting.done()
                assert await worker.does("unbench", name="p/a") is True
                async with asyncio.timeout(5):
                    assert await waiting == "p/a"
        assert [(event.engine, event.by) for event in one.heard.of("model.unbenched")] == []


@pytest.mark.parametrize("way", ["complete", "stream"])
async def test_the_bench_is_told_after_its_failure_and_before_the_call_returns(
    make_store: MakeStore, way: str
) -> None:
    async with fleet(make_store, BAD, FINE) as (one, other):
        await _asked(one, way)
        assert [name for name in one.heard.names() if name in ("attempt.failed", "model.benched")] == [
            "attempt.failed",
            "model.benched",
        ]
        (failed,) = one.heard.of("attempt.failed")
        assert (failed.benched, failed.bench, failed.benched_for_s) == (True, "p/a", 60.0)
        assert [event.seq for event in one.heard] == sorted(event.seq for event in one.heard)
        assert other.heard.of("model.benched") == []


@pytest.mark.parametrize("way", ["complete", "stream"])
async def test_what_a_trial_brings_is_told_before_the_call_returns(make_store: MakeStore, way: str) -> None:
    policy = ONCE.replace(cooldown=0.1)
    async with fleet(
        make_store, {"a": [status(500), "from a"], "b": ["from b"]}, FINE, policy=policy
    ) as both:
        one = both[0]
        await _asked(one, way)
        await until(lambda: not one.engine.is_benched("p/a"))
        await _asked(one, way)
        told = [event for event in one.heard if event.event in ("model.trial", "model.unbenched")]
        assert [(event.event, getattr(event, "outcome", "")) for event in told] == [
            ("model.trial", None),
            ("model.trial", "success"),
            ("model.unbenched", ""),
        ]
        assert len(all_heard(both, "model.due")) == 1


async def _asked(one: Member, way: str) -> None:
    if way == "complete":
        await one.engine.complete("main", "hi")
        return
    async with one.engine.stream("main", "hi") as stream:
        async for _ in stream:
            pass


async def test_engines_at_one_store_may_have_different_models(make_store: MakeStore) -> None:
    """What an engine does not know from its configuration it still shows, and can bring back."""
    async with fleet(make_store, FINE, {"c": ["from c"]}) as (one, other):
        one.engine.bench("p/a", for_=60)
        await until(lambda: row(other.engine, "p/a"))
        assert "p/a" in {each.model for each in other.engine.status()}
        assert other.engine.unbench("p/a")
        await until(lambda: not one.engine.is_benched("p/a"))


async def test_two_engines_in_one_process_need_no_loop_to_bench(make_store: MakeStore) -> None:
    """Benching and asking for the bench is no coroutine: it also works before anything runs."""

    def bench() -> None:
        early = member(make_store(), FINE)
        early.engine.bench("p/a", for_=60, reason="early")
        asyncio.run(_flushed(early))

    await asyncio.to_thread(bench)
    async with fleet(make_store, FINE) as (one,):
        assert row(one.engine, "p/a").reason == "early"


async def _flushed(one: Member) -> None:
    await one.engine.flush()
    await one.engine.aclose()


class Stepping(SqliteStore):
    """A store that writes each part of the journal but the first only when it may."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.parts = 0
        self.may_write = threading.Semaphore(0)

    def append(self, records: Sequence[Record]) -> None:
        self.parts += 1
        if self.parts > 1:
            assert self.may_write.acquire(timeout=PATIENCE_S)
        super().append(records)


async def test_what_others_do_is_seen_while_a_long_journal_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_MOST_AT_ONCE", 10)
    store = Stepping(tmp_path / "standby.db")
    async with fleet(partial(SqliteStore, tmp_path / "standby.db"), FINE) as (other,):
        busy = member(store, FINE)
        async with busy.engine:
            for _ in range(5000):
                busy.engine._bus.emit(FeedDropped(count=0))
            await until(lambda: store.parts == 2)
            other.engine.bench("p/b")
            await other.engine.flush()

            def is_seen() -> bool:
                store.may_write.release()  # a part at a time: it looks again and again, however much there is
                return busy.engine.is_benched("p/b")

            await until(is_seen, 0.005)
            assert store.parts < 400
            store.may_write.release(1000)
