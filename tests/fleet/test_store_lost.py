"""A store that goes away: each process goes on with its own bench, says so once, and makes up for it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.engine import Engine
from engine.store.base import StoreError
from engine.store.redis import RedisStore
from engine.store.sqlite import SqliteStore
from tests.fleet.stage import ONCE, Member, Scripts, fleet, journal, member, row, until, workers
from tests.scripted import status
from tests.store import redis_server
from tests.store.backends import MakeStore

FINE: Scripts = {"a": ["from a"], "b": ["from b"], "c": ["from c"]}
BAD: Scripts = {"a": [status(500)], "b": ["from b"], "c": ["from c"]}
WRITES_ALL = {"appendonly": "yes", "appendfsync": "always"}


class Outage(NamedTuple):
    """A way in which a store can be lost.

    Attributes:
        make: Makes one more connection.
        strike: It is lost.
        heal: It is there again.
        keeps: True if it then has what it had.
    """

    make: MakeStore
    strike: Callable[[], object]
    heal: Callable[[], object]
    keeps: bool


@pytest.fixture
def server() -> Iterator[redis_server.Server]:
    with redis_server.running() as server:
        yield server
        server.thaw()


@pytest.fixture(params=["frozen", "refused", "emptied"])
def outage(request: pytest.FixtureRequest) -> Iterator[Outage]:
    options = WRITES_ALL if request.param == "refused" else {}
    with redis_server.running(**options) as server:

        def make() -> RedisStore:
            return RedisStore(server.url)

        if request.param == "frozen":
            yield Outage(make, server.freeze, server.thaw, keeps=True)
            server.thaw()
        else:
            yield Outage(make, server.stop, server.start, keeps=request.param == "refused")


async def test_each_engine_goes_on_alone_and_all_is_made_up_for_afterwards(outage: Outage) -> None:
    async with fleet(outage.make, FINE, BAD) as (one, other):
        one.engine.bench("p/x", reason="before", by="alice")
        one.engine.bench("p/y", reason="before", by="alice")
        await until(lambda: other.engine.is_benched("p/y"))
        for each in (one, other):
            await each.engine.flush()
        struck = len(one.heard), len(other.heard)
        outage.strike()
        # The bench of each goes on at once.
        one.engine.bench("p/b", for_=600, reason="meanwhile", by="alice")
        assert other.engine.unbench("p/x", by="bob")
        assert await other.ask() == "p/b"
        for each in (one, other):
            await each.until(lambda e: not e.engine.store.ok)
            assert each.engine.store.why
            assert each.engine.store.shared
            assert each.engine.is_benched("p/y")
            with pytest.raises(StoreError):
                await each.engine.flush(2)
        assert one.engine.is_benched("p/b")
        assert not one.engine.is_benched("p/a")
        assert other.engine.is_benched("p/a")
        outage.heal()
        for each in (one, other):
            await each.until(lambda e: e.engine.store.ok and e.heard.of("store.restored"))
        for each in (one, other):
            for name, is_out in {"p/a": True, "p/b": True, "p/x": False, "p/y": True}.items():
                await each.until(partial(_is_benched, name, is_out))
            assert (
                row(each.engine, "p/b")[3:6] == (600.0, True, "meanwhile") or row(each.engine, "p/b").manual
            )
            await each.engine.flush()
        for each, before in zip((one, other), struck, strict=True):
            assert [e.event for e in each.heard if e.event.startswith("store.")] == [
                "store.degraded",
                "store.restored",
            ]
            assert each.engine.store.why == ""
            await _is_recorded(each, 0 if outage.keeps else before)
        async with member(outage.make(), FINE).engine as late:
            assert {out.name for out in late.benched()} == {"p/a", "p/b", "p/y"}
            assert (row(late, "p/y").by, row(late, "p/y").reason) == ("alice", "before")


async def _is_recorded(one: Member, begin: int) -> None:
    """All that an engine told of from there on is in the journal, or counted."""
    ours = [event for event in await journal(one.engine) if event.engine == one.engine.name]
    assert not [event for event in ours if event.event == "feed.dropped"]
    written = [event.seq for event in ours]
    assert written == sorted(written)
    assert set(written) >= {event.seq for event in one.heard[begin:]}


async def test_a_request_waits_for_a_frozen_store_once_and_not_long(server: redis_server.Server) -> None:
    async with fleet(lambda: RedisStore(server.url), BAD, policy=ONCE.replace(bench_after=1000)) as (one,):
        await one.ask()
        server.freeze()
        took = [await _timed(one.ask()) for _ in range(20)]
        assert took[0] < 0.5
        assert sorted(took[1:])[-2] < 0.2  # with one that waits until the trouble is certain
        assert max(took) < 0.5
        server.thaw()
        await until(lambda: one.engine.store.ok)


async def test_a_trial_is_taken_also_while_the_store_hangs(server: redis_server.Server) -> None:
    policy = ONCE.replace(cooldown=0.1)
    bad: Scripts = {"a": [status(500), "from a"], "b": ["from b"]}
    async with fleet(lambda: RedisStore(server.url), bad, policy=policy) as (one,):
        await one.ask()
        await until(lambda: one.heard.of("model.due"))
        server.freeze()
        assert await _timed(one.ask()) < 0.6
        await until(lambda: not one.engine.store.ok)
        while one.provider.models().count("a") < 2:  # once the store is given up, the trial is this engine's
            await one.ask()
            assert not one.engine.store.ok
        assert one.provider.models().count("a") == 2
        server.thaw()
        await until(lambda: one.engine.store.ok)
        await one.engine.flush()
        assert not one.engine.is_benched("p/a")
        async with member(RedisStore(server.url), FINE).engine as late:
            await until(lambda: not row(late, "p/a"))


async def test_closing_is_quick_while_the_store_hangs(server: redis_server.Server) -> None:
    one = member(RedisStore(server.url), FINE)
    await one.engine.__aenter__()
    server.freeze()
    await one.ask()
    assert await _timed(one.engine.aclose()) < 2.5


@pytest.mark.parametrize("kind", ["redis", "sqlite"])
async def test_an_engine_starts_with_a_store_that_is_not_there_and_finds_it_later(
    kind: str, server: redis_server.Server, tmp_path: Path
) -> None:
    way = tmp_path / "way"
    way.write_text("no folder")
    server.stop()
    one = member(RedisStore(server.url) if kind == "redis" else SqliteStore(way / "standby.db"), BAD)
    begun = time.monotonic()
    async with one.engine:
        assert time.monotonic() - begun < 2.5
        assert await one.ask() == "p/b"
        one.engine.bench("p/c", reason="cost")
        assert not one.engine.store.ok
        assert len(one.heard.of("store.degraded")) == 1
        server.start()
        way.unlink()
        await until(lambda: one.engine.store.ok)
        await one.engine.flush()
        store = RedisStore(server.url) if kind == "redis" else SqliteStore(way / "standby.db")
        async with member(store, FINE).engine as late:
            assert {out.name for out in late.benched()} == {"p/a", "p/c"}
        await _is_recorded(one, 0)
        assert [e.event for e in one.heard if e.event.startswith("store.")] == [
            "store.degraded",
            "store.restored",
        ]


async def test_what_was_flushed_is_put_back_by_all_and_doubled_by_none(server: redis_server.Server) -> None:
    async with fleet(lambda: RedisStore(server.url), BAD, FINE, FINE) as members:
        one, other, third = members
        one.engine.bench("p/b", for_=600, reason="cost", by="alice")
        one.engine.bench("p/x")
        await one.ask()
        for each in members:
            await each.until(lambda e: len(e.engine.benched()) == 3)
            await each.engine.flush()
            each.heard.clear()
        before = {out.name: out for out in other.engine.benched()}
        server.ask("FLUSHALL")
        third.engine.unbench("p/x")  # it is not yet known that all is lost
        for each in members:
            await each.until(lambda e: e.heard.of("store.restored"))
            await each.engine.flush()
        for each in members:
            await each.until(lambda e: not e.engine.is_benched("p/x"))
            after = {out.name: out for out in each.engine.benched()}
            assert after.keys() == {"p/a", "p/b"}
            for name, out in after.items():
                assert out[3:] == before[name][3:]  # all but its end, which may differ in the last digit
            assert each.heard.names().count("store.degraded") == 1
            assert each.heard.names().count("store.restored") == 1
            assert [e for e in each.heard if e.event == "model.benched"] == []
        async with member(RedisStore(server.url), FINE).engine as late:
            assert {out.name for out in late.benched()} == {"p/a", "p/b"}


class Backup(NamedTuple):
    """A store that can come back as it was some time ago.

    Attributes:
        make: Makes one more connection.
        save: From then on it comes back as it is now.
        kill: It is lost.
        restore: It is there again, as it was when it was saved.
    """

    make: MakeStore
    save: Callable[[], object]
    kill: Callable[[], object]
    restore: Callable[[], object]


@pytest.fixture(params=["redis", "sqlite"])
def backup(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backup]:
    if request.param == "redis":
        with redis_server.running() as server:
            make = partial(RedisStore, server.url)
            yield Backup(make, lambda: server.ask("SAVE"), server.stop, server.start)
        return
    path, saved = tmp_path / "standby.db", tmp_path / "saved"

    def save() -> None:
        with closing(sqlite3.connect(path)) as here, closing(sqlite3.connect(saved)) as there:
            here.backup(there)

    def restore() -> None:
        for each in path.parent.glob(f"{path.name}-*"):
            each.unlink()
        saved.replace(path)

    yield Backup(partial(SqliteStore, path), save, lambda: None, restore)


async def test_a_store_that_comes_back_as_it_was_some_time_ago_gets_back_what_was_changed_since(
    backup: Backup,
) -> None:
    async with fleet(backup.make, BAD, FINE) as (one, other):
        for name in ("p/x", "p/z", "p/a"):
            one.engine.bench(name, by="alice")
        for name in ("p/x", "p/a"):
            one.engine.unbench(name, by="alice")
        await other.until(lambda e: [out.name for out in e.engine.benched()] == ["p/z"])
        for each in (one, other):
            await each.engine.flush()
        backup.save()
        one.engine.bench("p/x", reason="after it was saved", by="alice")
        await one.ask()
        one.engine.unbench("p/z", by="alice")
        other.engine.bench("p/y", reason="new", by="bob")
        for each in (one, other):
            await each.until(lambda e: {out.name for out in e.engine.benched()} == {"p/a", "p/x", "p/y"})
            await each.engine.flush()
            each.heard.clear()
        backup.kill()
        other.engine.bench("p/b", reason="meanwhile", by="bob")
        backup.restore()
        for each in (one, other):
            await each.until(lambda e: e.heard.of("store.restored") and e.engine.store.ok)
            await each.until(lambda e: e.engine.is_benched("p/b"))
            await each.engine.flush()
        for each in (one, other):
            await each.until(
                lambda e: {out.name for out in e.engine.benched()} == {"p/a", "p/b", "p/x", "p/y"}
            )
            assert (row(each.engine, "p/x").reason, row(each.engine, "p/x").by) == (
                "after it was saved",
                "alice",
            )
            assert row(each.engine, "p/a").level == 1
            assert len(each.heard.of("store.degraded")) == len(each.heard.of("store.restored")) == 1
            assert not each.heard.of("model.unbenched")
        assert "what is known here is put back" in " ".join(
            event.why for each in (one, other) for event in each.heard.of("store.restored")
        )
        async with member(backup.make(), FINE).engine as late:
            assert {out.name for out in late.benched()} == {"p/a", "p/b", "p/x", "p/y"}


async def test_lost_scripts_are_nobodys_trouble(server: redis_server.Server) -> None:
    async with fleet(lambda: RedisStore(server.url), BAD, FINE) as (one, other):
        server.ask("SCRIPT", "FLUSH")
        await one.ask()
        await until(lambda: other.engine.is_benched("p/a"))
        await one.engine.flush()
        assert [e for each in (one, other) for e in each.heard if e.event.startswith("store.")] == []


def files(folder: Path) -> set[str]:
    return {each.name for each in folder.glob("*.db*")}


def remove(path: Path) -> None:
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        size = path.stat().st_size
        file.write(b"\xa5" * size)
    for each in path.parent.glob(f"{path.name}-*"):
        each.write_bytes(b"\x5a" * each.stat().st_size)


@pytest.mark.parametrize("strike", [remove, overwrite])
async def test_a_file_that_is_removed_or_damaged_while_it_is_open_is_made_anew(
    strike: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "state" / "standby.db"
    async with fleet(lambda: SqliteStore(path), BAD, FINE) as (one, other):
        one.engine.bench("p/b", for_=600, reason="cost", by="alice")
        other.engine.bench("p/x")
        await one.ask()
        for each in (one, other):
            await each.until(lambda e: len(e.engine.benched()) == 3)
            await each.engine.flush()
            each.heard.clear()
        strike(path)
        assert other.engine.unbench("p/x")
        assert await other.ask() == "p/c"
        for each in (one, other):
            await each.until(lambda e: e.heard.of("store.restored") and e.engine.store.ok)
            await each.until(lambda e: not e.engine.is_benched("p/x"))
            await each.engine.flush()
            assert {out.name for out in each.engine.benched()} == {"p/a", "p/b"}
            assert each.heard.names().count("store.restored") == each.heard.names().count("store.degraded")
        assert [len(each.heard.of("store.degraded")) for each in (one, other)] == [1, 1]
        if strike is overwrite:  # whoever found the damage says where the file is now
            assert "damaged" in " ".join(
                event.why for each in (one, other) for event in each.heard.of("store.restored")
            )
        async with member(SqliteStore(path), FINE).engine as late:
            assert {out.name for out in late.benched()} == {"p/a", "p/b"}
            assert (row(late, "p/b").reason, row(late, "p/b").by) == ("cost", "alice")


async def test_others_are_heard_also_from_a_file_that_was_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    async with fleet(lambda: SqliteStore(path), FINE, FINE) as (one, other):
        for _ in range(20):
            await one.ask()
        await one.engine.flush()
        heard: list[Any] = []
        other.engine.observe_others(heard.append)
        one.engine.bench("p/x", reason="before")
        await until(lambda: heard)
        remove(path)
        await until(lambda: one.heard.of("store.restored") and other.heard.of("store.restored"))
        one.engine.bench("p/x", reason="after")
        await until(lambda: "after" in {getattr(event, "reason", "") for event in heard})


async def test_on_a_full_disk_the_engine_goes_on_and_writes_later(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    async with workers(1, f"sqlite:{path}", calls=str(tmp_path / "calls"), fails=1) as (worker,):
        assert await worker.does("ask") == "p/b"
        assert await worker.does("fill_disk") is True
        for _ in range(3):
            assert await worker.does("ask") == "p/b"
        await until(lambda: worker.of("store.degraded"))
        assert await worker.does("hold", name="p/b", reason="meanwhile") is None
        assert (await worker.does("store"))["ok"] is False
        assert "disk" in (await worker.does("store"))["why"]
        assert await worker.does("empty_disk") is True
        await until(lambda: worker.of("store.restored"))
        assert await worker.does("rest") == "flushed"
        assert (len(worker.of("store.degraded")), len(worker.of("store.restored"))) == (1, 1)
        async with member(SqliteStore(path), FINE).engine as late:
            assert {out.name for out in late.benched()} == {"p/a", "p/b"}
            sequence = [event.seq for event in await journal(late)]
            assert sequence == list(range(1, len(sequence) + 1))


async def test_a_file_locked_by_somebody_else_is_trouble_that_passes(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    async with fleet(lambda: SqliteStore(path), BAD) as (one,):
        await one.engine.flush()
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            took = [await _timed(one.ask()) for _ in range(5)]
            assert max(took) < 0.5
            assert sorted(took)[-2] < 0.2
            assert one.engine.is_benched("p/a")
            other.execute("ROLLBACK")
        other.close()
        await one.engine.flush(15)
        async with member(SqliteStore(path), FINE).engine as late:
            assert late.is_benched("p/a")


async def test_a_question_that_makes_no_sense_does_not_end_the_thread_that_talks_to_the_store(
    tmp_path: Path,
) -> None:
    async with fleet(lambda: SqliteStore(tmp_path / "standby.db"), BAD) as (one,):
        with pytest.raises(ValueError, match="place"):
            await one.engine.history(after="nonsense")
        await one.ask()
        await one.engine.flush()
        assert one.engine.store.ok
        assert [event.event for event in await journal(one.engine)][-1] == "request.succeeded"


async def test_an_engine_that_was_never_used_leaves_nothing_behind(tmp_path: Path) -> None:
    engines: Sequence[Engine] = [member(SqliteStore(tmp_path / "a.db"), FINE).engine for _ in range(3)]
    await engines[0].aclose()
    await engines[0].aclose()
    assert files(tmp_path) == set()


async def _timed(what: Any) -> float:
    begun = time.monotonic()
    async with asyncio.timeout(10):
        await what
    return time.monotonic() - begun


def _is_benched(name: str, wanted: bool, each: Member) -> bool:
    return each.engine.is_benched(name) == wanted
