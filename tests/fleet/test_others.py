"""Listening to what other engines tell of, and reading back what they told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from unittest import mock

from engine.store.base import Journaled, Record, Store
from engine.store.memory import MemoryStore
from engine.store.redis import RedisStore
from tests.fleet.stage import Scripts, fleet, inside, journal, member, until
from tests.scripted import Heard
from tests.store import redis_server
from tests.store.backends import MakeStore
from tests.store.patience import PATIENCE_S
from tui.cli.journal_pages import pages

FINE: Scripts = {"a": ["from a"]}


async def test_who_begins_to_listen_later_gets_its_own_past(make_store: MakeStore) -> None:
    async with fleet(make_store, FINE, FINE) as (one, other):
        await other.ask()
        await other.engine.flush()
        live, first, second = Heard(), Heard(), Heard()
        one.engine.observe_others(live.append)
        one.engine.observe_others(first.append, since_s=600)
        await until(lambda: len(first) >= len(other.heard))
        before = len(other.heard)
        asking = asyncio.gather(*(other.ask() for _ in range(20)))
        one.engine.observe_others(second.append, since_s=600)
        await asking
        await until(lambda: len(first) >= len(other.heard) <= len(second))
        assert [event.seq for event in first] == [event.seq for event in other.heard]
        assert [event.seq for event in second] == [event.seq for event in other.heard]
        assert [event.seq for event in live] == [event.seq for event in other.heard[before:]]


async def test_nothing_is_read_when_nobody_listens_any_more() -> None:
    space = MemoryStore()
    async with fleet(space.another, FINE, FINE) as (one, other):
        with one.engine.observe_others(Heard().append):
            await one.engine.flush()
        with mock.patch.object(MemoryStore, "read", side_effect=AssertionError) as read:
            await other.ask()
            await other.engine.flush()
            await one.engine.flush()
            await until(lambda: not inside(one.engine)._clerk._watch.tail._followers)
            assert read.call_count == 0
        assert one.engine.store.ok


async def test_an_engine_that_only_listens_does_so_once_a_loop_runs(make_store: MakeStore) -> None:
    listener = member(make_store(), FINE)
    heard = Heard()
    async with fleet(make_store, FINE) as (other,):
        await other.ask()
        await other.engine.flush()
        listener.engine.observe_others(heard.append, since_s=600)
        await until(lambda: len(heard) >= len(other.heard))
    await listener.engine.aclose()


@contextmanager
def opened(store: Store) -> Iterator[Store]:
    store.open()
    yield store
    store.close()


def some(number: int) -> list[Record]:
    text = '{"event": "feed.dropped", "at": "2026-01-01T00:00:00.000Z", "seq": %d, "engine": "x", "count": 1}'
    return [Record(time.time() - 60, "x", "x", text % each) for each in range(number)]


async def test_damaged_records_end_no_page_and_no_history(make_store: MakeStore) -> None:
    with opened(make_store()) as store:
        good = some(3000)
        store.append(good[:1500])
        store.append([good[0]._replace(data='{"cut')] * 1100)
        store.append(good[1500:])
    async with member(make_store(), FINE).engine as reader:
        page = await reader.history(limit=1600)
        assert len(page) == 1600
        found = [each async for page in pages(reader, datetime.now(UTC) - timedelta(1)) for each in page]
        assert [each.event.seq for each in found] == list(range(3000))
        assert [event.seq for event in await journal(reader)] == list(range(3000))
        assert len(await reader.history(limit=10**6)) == 3000
        assert await reader.history(after=page[-1].place, limit=0) == []


async def test_a_long_history_lets_steps_of_the_bench_in_between() -> None:
    space = MemoryStore()
    space.append(some(5000))
    parts: list[tuple[int, int]] = []  # how much was asked for, and how many rows there were
    real = MemoryStore.read

    def read(store: MemoryStore, *asked: Any) -> list[Journaled]:
        parts.append((asked[2], len(space.rows().rows)))
        if len(parts) == 2:
            inside(engine)._loop.call_soon_threadsafe(engine.bench, "p/a")
        return real(store, *asked)

    async with member(space.another(), FINE).engine as engine:
        with mock.patch.object(MemoryStore, "read", read):
            assert len(await engine.history(limit=10**6)) >= 5000  # the bench may be in it already
    assert parts == [(1000, 0), (1000, 0), *[(1000, 1)] * 4]


async def test_an_engine_whose_clock_is_ahead_looks_into_the_same_window_and_prunes_nobodys_journal() -> None:
    with redis_server.running() as server:

        def make() -> RedisStore:
            return RedisStore(server.url, answer_within_s=PATIENCE_S)

        async with fleet(make, FINE) as (one,):
            await one.ask()
            await one.engine.flush()
            ahead = member(make(), FINE, name="ahead", wall=lambda: time.time() + 30 * 86_400)
            async with ahead.engine as engine:
                heard = Heard()
                engine.observe_others(heard.append, since_s=300)
                await until(lambda: len(heard) >= len(one.heard))
                assert len(await engine.history(300)) == len(one.heard)
                await engine.flush()
                await until(lambda: inside(engine)._clerk._chores.prune_at > 0)
            assert len(await one.engine.history(300)) == len(one.heard)


async def test_a_bench_that_is_removed_repeats_nothing_of_the_journal() -> None:
    with redis_server.running() as server:

        def make() -> RedisStore:
            return RedisStore(server.url, answer_within_s=PATIENCE_S)

        async with fleet(make, FINE, FINE) as (one, other):
            heard = Heard()
            other.engine.observe_others(heard.append)
            await other.engine.flush()
            for _ in range(10):
                await one.ask()
            await until(lambda: len(heard) >= len(one.heard))
            server.ask("DEL", "standby:bench")
            await until(lambda: other.heard.of("store.restored") and one.heard.of("store.restored"))
            await one.ask()
            await until(lambda: len(heard) >= len(one.heard))
            assert [event.seq for event in heard] == [event.seq for event in one.heard]


async def test_many_hints_bring_few_looks() -> None:
    with redis_server.running() as server:

        def make() -> RedisStore:
            return RedisStore(server.url, answer_within_s=PATIENCE_S)

        real, real_hint = RedisStore.changed, RedisStore.hint
        looks: list[float] = []
        waits = 0

        def changed(store: RedisStore) -> bool:
            if store is watching:
                looks.append(time.monotonic())
            return real(store)

        def hint(store: RedisStore) -> int | None:
            nonlocal waits
            waits += store is watching
            return real_hint(store)

        watching = make()
        async with member(watching, FINE).engine as engine:
            await engine.flush()
            with (
                mock.patch.object(RedisStore, "changed", changed),
                mock.patch.object(RedisStore, "hint", hint),
                opened(make()) as writer,
            ):
                begun = time.monotonic()
                for number in range(300):
                    writer.update("p/x", (), partial(_written, number))
                took_s = time.monotonic() - begun
                await until(lambda: looks)
            assert len(looks) <= took_s / 0.05 + 3
            assert waits < 10 * (len(looks) + 3)  # it does not go round and round in between
            assert all(later - sooner >= 0.049 for sooner, later in pairwise(looks))


def _written(number: int, _rows: object, _now: float) -> str:
    return str(number)
