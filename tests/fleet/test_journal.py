"""The journal: what all engines told of, in order, whole, and for everybody to read."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.config.model import Config, Journal
from engine.engine import Engine
from engine.errors import ChainExhausted
from engine.events import Event, FeedDropped, RequestStarted, RequestSucceeded
from engine.store import journal as writing
from engine.store.base import Presence, Record, StoreError
from engine.store.sqlite import SqliteStore
from tests.fleet.stage import Member, Scripts, fleet, journal, member, until, workers
from tests.scripted import Heard, Scripted, chain_of, status
from tests.store.backends import MakeStore

FINE: Scripts = {"a": ["from a"], "b": ["from b"]}
BAD: Scripts = {"a": [status(500)], "b": ["from b"]}


def by_engine(events: Sequence[Event]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for event in events:
        found[event.engine].append(event.seq)
    return found


async def test_all_that_is_told_is_in_the_journal_in_each_engines_order(make_store: MakeStore) -> None:
    async with fleet(make_store, BAD, FINE, FINE) as members:
        for _ in range(5):
            await asyncio.gather(*(each.ask() for each in members for _ in range(4)))
        for each in members:
            await each.engine.flush()
        recorded = await journal(members[1].engine)
        for each in members:
            ours = [event for event in recorded if event.engine == each.engine.name]
            assert [event.to_json() for event in ours] == [event.to_json() for event in each.heard]
            assert [type(event) for event in ours] == [type(event) for event in each.heard]
            assert [event.seq for event in ours] == list(range(1, len(ours) + 1))


async def test_history_comes_in_pages_without_gaps(make_store: MakeStore) -> None:
    async with fleet(make_store, FINE) as (one,):
        for _ in range(10):
            await one.ask()
        await one.engine.flush()
        whole = await one.engine.history()
        assert {each.run for each in whole} == {one.engine.run}
        pages = [await one.engine.history(limit=7)]
        while len(pages[-1]) == 7:
            pages.append(await one.engine.history(after=pages[-1][-1].place, limit=7))
        assert [each.place for page in pages for each in page] == [each.place for each in whole]
        assert [each.event.seq for each in whole] == list(range(1, len(one.heard) + 1))
        assert await one.engine.history(after=whole[-1].place) == []
        assert [each.place for each in await one.engine.history(3600)] == [each.place for each in whole]
        assert len(await one.engine.history(3600, limit=3)) == 3


async def test_history_goes_back_as_far_as_is_asked(make_store: MakeStore) -> None:
    store = make_store()
    store.open()
    now = time.time()
    old = [_record(now - ago, number) for number, ago in enumerate((7200.0, 600.0, 60.0), 1)]
    store.append(old)
    store.close()
    async with member(make_store(), FINE).engine as engine:
        for since, numbers in ((None, [1, 2, 3]), (3600, [2, 3]), (100, [3]), (10, [])):
            assert [each.event.seq for each in await engine.history(since)] == numbers


def _record(at: float, seq: int, **facts: Any) -> Record:
    event = {
        "event": "feed.dropped",
        "at": "2026-01-01T00:00:00.000Z",
        "seq": seq,
        "engine": "old",
        "count": 1,
    }
    return Record(at, "old", "old-run", json.dumps(event | facts))


async def test_others_are_heard_live_and_oneself_is_not(make_store: MakeStore) -> None:
    async with fleet(make_store, FINE, BAD) as (one, other):
        await other.ask()
        await other.engine.flush()
        before = len(other.heard)
        heard = Heard()
        with one.engine.observe_others(heard.append):
            await one.engine.flush()
            await other.ask()
            await one.ask()
            await until(lambda: len(heard) >= len(other.heard) - before)
            for each in (one, other):
                await each.engine.flush()
        assert [event.to_json() for event in heard] == [event.to_json() for event in other.heard[before:]]
        assert [type(event) for event in heard] == [type(event) for event in other.heard[before:]]
        await other.ask()
        await other.engine.flush()
        await one.engine.flush()
        assert by_engine(heard) == {"e1": [event.seq for event in other.heard[before : before + len(heard)]]}


async def test_others_are_heard_from_the_moment_on_that_one_begins_to_listen(make_store: MakeStore) -> None:
    """However seldom one looks, nothing told after that is missed."""
    async with fleet(make_store, FINE, FINE) as (one, other):
        await one.engine.flush()
        heard = Heard()
        one.engine.observe_others(heard.append)
        await one.engine.flush()
        await other.ask()
        await until(lambda: len(heard) >= len(other.heard))
        assert [event.seq for event in heard] == [event.seq for event in other.heard]


async def test_what_happened_before_comes_first_if_one_asks_for_it(make_store: MakeStore) -> None:
    async with fleet(make_store, FINE, FINE) as (one, other):
        for _ in range(300):
            await other.ask()
        await one.ask()
        for each in (one, other):
            await each.engine.flush()
        before = len(other.heard)
        assert before > 1000  # more than one page
        heard = Heard()
        begun = time.monotonic()
        one.engine.observe_others(heard.append, since_s=600)
        await until(lambda: len(heard) >= before)
        assert time.monotonic() - begun < 5
        await other.ask()
        await until(lambda: len(heard) >= len(other.heard))
        assert [event.seq for event in heard] == [event.seq for event in other.heard]


async def test_two_engines_of_one_name_hear_each_other(make_store: MakeStore) -> None:
    async with fleet(make_store, FINE) as (one,):
        twin = member(make_store(), FINE, name=one.engine.name)
        async with twin.engine:
            heard = Heard()
            one.engine.observe_others(heard.append)
            await one.engine.flush()
            await twin.ask()
            await one.ask()
            await until(lambda: len(heard) >= len(twin.heard))
            await one.engine.flush()
            assert [event.request for event in heard if isinstance(event, RequestSucceeded)] == [
                event.request for event in twin.heard.of("request.succeeded")
            ]
            runs = {each.run for each in await one.engine.history()}
            assert runs == {one.engine.run, twin.engine.run}


async def test_who_is_there_is_known_and_who_left_is_not(make_store: MakeStore) -> None:
    async with fleet(make_store, FINE) as (one,):
        await until(one.engine.engines)
        async with member(make_store(), FINE, name="e1").engine as other:
            await until(lambda: len(other.engines()) == 2)
            assert [(each.name, each.own, each.silent) for each in other.engines()] == [
                ("e0", False, False),
                ("e1", True, False),
            ]
        hidden = member(make_store(), FINE, name="e2", visible=False)
        async with hidden.engine:
            await until(hidden.engine.engines)
            assert [each.name for each in hidden.engine.engines()] == ["e0"]


@pytest.mark.parametrize("records", [False, True])
async def test_prompts_and_answers_are_recorded_only_where_that_is_asked_for(
    make_store: MakeStore, records: bool
) -> None:
    config = chain_of(Scripted({"a": ["the-answer"]}), "a")
    config = Config(**{**_fields(config), "record_prompts": records})
    async with Engine(config, store=make_store(), watch=False) as engine:
        await engine.complete("main", "the-prompt")
        await engine.flush()
        text = json.dumps([dict(each.data) for each in await engine.history()])
        assert ("the-prompt" in text) == records
        assert ("the-answer" in text) == records


async def test_a_prompt_too_long_for_the_journal_is_told_as_such(make_store: MakeStore) -> None:
    config = chain_of(Scripted({"a": ["the-answer", "another"]}), "a")
    config = Config(**{**_fields(config), "record_prompts": True})
    async with Engine(config, store=make_store(), watch=False) as engine:
        heard = Heard()
        engine.observe(heard.append)
        await engine.complete("main", "x" * 1_234_567)
        await engine.complete("main", "a short one")
        await engine.flush()
        recorded = [each.event for each in await engine.history()]
    first, second = (event for event in recorded if isinstance(event, RequestStarted))
    note = "(1,234,567 characters, too many for the journal)"
    assert first.prompt == [{"role": "user", "content": note}]
    assert second.prompt == [{"role": "user", "content": "a short one"}]
    assert [event.to_json() for event in recorded if event is not first] == [
        event.to_json() for event in heard if event.seq != first.seq
    ]


def _fields(config: Config) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__dataclass_fields__}


async def test_of_a_burst_nothing_is_lost_that_is_not_counted(make_store: MakeStore) -> None:
    async with fleet(make_store, FINE, FINE) as (one, other):
        heard = Heard()
        other.engine.observe_others(heard.append)
        await other.engine.flush()
        # With each the same code writes; the many are for what a person's store is.
        for number in range(20_000 if isinstance(make_store(), SqliteStore) else 2_000):
            one.engine._bus.emit(FeedDropped(count=number))
        assert await _blocked_s(one) < 0.5
        await one.engine.flush(20)
        written = [event.seq for event in await journal(one.engine) if event.engine == "e0"]
        assert written == [event.seq for event in one.heard] == list(range(1, len(one.heard) + 1))
        await until(lambda: len(heard) == len(written))
        assert [event.seq for event in heard] == written


async def _blocked_s(one: Member) -> float:
    """How long the slowest of a few requests takes just now."""
    slowest = 0.0
    for _ in range(20):
        begun = time.monotonic()
        await one.ask("p/b")
        slowest = max(slowest, time.monotonic() - begun)
    return slowest


async def test_of_too_many_events_the_oldest_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_MOST_WAITING", 100)
    way = tmp_path / "way"
    way.write_text("no folder")
    one = member(SqliteStore(way / "standby.db"), FINE)
    async with one.engine:
        for _ in range(500):
            one.engine._bus.emit(FeedDropped(count=0))
        with pytest.raises(StoreError):
            await one.engine.flush()
        way.unlink()
        await until(lambda: one.engine.store.ok)
        await one.engine.flush()
        recorded = await journal(one.engine)
        (told,) = [event for event in recorded if isinstance(event, FeedDropped) and event.count]
        written = [event.seq for event in recorded if event is not told]
        assert written == list(range(told.count + 1, one.heard[-1].seq + 1))


async def test_an_error_of_an_answer_that_is_lost_is_in_the_journal(make_store: MakeStore) -> None:
    async with fleet(make_store, {"a": [status(400)]}) as (one,):
        with pytest.raises(ChainExhausted):
            await one.ask()
        await one.engine.flush()
        failed = (await journal(one.engine))[-1]
        assert failed.to_json() == one.heard[-1].to_json()
        assert failed.event == "request.failed"


async def test_the_journal_is_cut_by_number_and_by_age(make_store: MakeStore) -> None:
    store = make_store()
    store.open()
    now = time.time()
    store.append([_record(now - 3 * 86_400, number) for number in range(1, 3001)])
    store.append([_record(now - 60, number) for number in range(3001, 3201)])
    config = chain_of(Scripted(FINE), "a", "b")
    by_age = Config(**{**_fields(config), "journal": Journal(keep=86_400, rows=1000)})
    async with Engine(by_age, store=make_store(), watch=False):
        await until(lambda: len(store.read(limit=10_000)) <= 200)
    assert [json.loads(each.record.data)["seq"] for each in store.read()] == list(range(3001, 3201))
    by_number = Config(**{**_fields(config), "journal": Journal(keep=86_400, rows=50)})
    async with Engine(by_number, store=make_store(), watch=False):
        await until(lambda: len(store.read()) <= 50)
    assert [json.loads(each.record.data)["seq"] for each in store.read()] == list(range(3151, 3201))
    store.close()


HOSTILE = "a\ud83db\x00\x1b[31m\u202e\u2028\x9b'\";--\\\udfff" + "x" * 5000


async def test_hostile_text_comes_back_as_it_was(make_store: MakeStore) -> None:
    async with fleet(make_store, FINE, FINE) as (one, other):
        heard = Heard()
        other.engine.observe_others(heard.append)
        await other.engine.flush()
        one.engine.bench("p/a", reason=HOSTILE, by=HOSTILE)
        one.engine.bench(f"p/{HOSTILE[:40]}", for_=60)
        await one.engine.flush()
        await until(lambda: len(heard) >= 2)
        assert [event.to_json() for event in heard] == [event.to_json() for event in one.heard]
        await until(lambda: len(other.engine.benched()) == 2)
        ours, theirs = (
            {out.name: out._replace(until=None, remaining_s=None) for out in each.engine.benched()}
            for each in (one, other)
        )
        assert ours == theirs


async def test_damaged_and_unknown_records_break_nothing(make_store: MakeStore) -> None:
    store = make_store()
    store.open()
    now = time.time()
    who = ("x", "x-run")
    texts = [
        "",
        "{",
        "[]",
        "null",
        '"event"',
        '{"event": 1}',
        "[" * 20_000,
        '{"event":"model.moved","seq":1}',
    ]
    store.append([Record(now, *who, text) for text in texts])
    for name, text in (
        ("p/a", "["),
        ("p/b", "[" * 20_000),
        ("p/c", '{"format": 99}'),
        (
            "p/d",
            '{"format": 1, "written": NaN, "generation": 1, "failures": 0, "level": 0, "healthy_since": 0}',
        ),
        ("p/e", _row(since="Infinity")),
        ("p/f", _row(since="NaN")),
        ("p/g", _row(length_s="NaN")),
        ("p/h", _row(length_s="-1e400")),
        ("p/j", _row(generation="Infinity")),
        ("p/k", _row(spared="7")),
    ):
        store.update(name, (), partial(_written, text))
    async with fleet(make_store, BAD, FINE) as (one, other):
        heard = Heard()
        one.engine.observe_others(heard.append, since_s=600)
        assert one.engine.benched() == []
        await one.ask()
        await until(lambda: other.engine.is_benched("p/a"))
        for name in "cdefghjk":
            one.engine.bench(f"p/{name}", for_=60)
        await one.engine.flush()
        await until(lambda: len(other.engine.benched()) == 9)
        assert one.engine.store.ok
        assert other.engine.store.ok
        await until(lambda: heard)
        assert heard[0].to_json()["seq"] == 1
        assert type(heard[0]) is Event
    store.close()


def _row(**changes: str) -> str:
    facts = {"generation": "1", "since": "0", "length_s": "60", "spared": "[]"} | changes
    return (
        f'{{"format": 1, "written": 0, "generation": {facts["generation"]}, "failures": 0, "level": 0,'
        f' "healthy_since": 0, "spared": {facts["spared"]},'
        f' "hold": {{"since": {facts["since"]}, "length_s": {facts["length_s"]}}}}}'
    )


async def test_processes_write_into_one_journal_at_once(tmp_path: Path) -> None:
    path = tmp_path / "standby.db"
    async with workers(3, f"sqlite:{path}", calls=str(tmp_path / "calls"), fails=0) as three:
        for worker in three:
            worker.begin("ask")
            worker.begin("ask")
        for worker in three:
            assert [await worker.answer(), await worker.answer()] == ["p/a", "p/a"]
            await worker.end()
    async with member(SqliteStore(path), FINE).engine as reader:
        sequences = by_engine(await journal(reader))
        assert sequences == {f"w{each}": list(range(1, 9)) for each in range(3)}


def test_a_writer_that_is_asked_for_nothing_writes_nothing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "standby.db")
    store.open()
    writer = writing.JournalWriter(Presence("r", "n", "h", 1), 60, 10)
    writer.write_all(store)
    assert store.read() == []
    store.close()


def _written(text: str, _rows: object, _now: float) -> str:
    return text
