"""The events of an engine on their way into the store: each once, whatever becomes of the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress

import pytest

from engine.events import FeedDropped, RequestStarted
from engine.store import journal
from engine.store.base import Presence, Record, Store, StoreError
from engine.store.journal import JournalWriter
from engine.store.memory import MemoryStore
from engine.store.redis import RedisStore
from tests.store import redis_server
from tests.store.patience import soon
from tests.store.redis_server import Server
from tests.store.redis_stage import opened, trouble

WHO = Presence("run", "name", "host", 1)
AT = "2026-01-01T00:00:00.000Z"


def writer() -> JournalWriter:
    return JournalWriter(WHO, 60.0, 10)


def tell(one: JournalWriter, *numbers: int) -> None:
    for number in numbers:
        one.record(FeedDropped(at=AT, seq=number, count=0))


def written(store: Store) -> list[int]:
    """The events' numbers; below zero those that say how many were lost."""
    found = [json.loads(each.record.data) for each in store.read(limit=10_000)]
    return [-each["count"] if each["count"] else each["seq"] for each in found]


class Forgetful(MemoryStore):
    """A store whose answer is lost each time somebody writes for the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.is_lost = False

    def append(self, records: Sequence[Record]) -> None:
        super().append(records)
        self.is_lost = not self.is_lost
        if self.is_lost:
            raise StoreError("no answer")


def write_all(one: JournalWriter, store: Store) -> None:
    while one.waiting:
        with suppress(StoreError):
            one.write_all(store)


def test_what_is_written_again_after_a_lost_answer_is_there_once() -> None:
    one, store = writer(), Forgetful()
    tell(one, *range(1, 1001))
    write_all(one, store)
    assert written(store) == list(range(1, 1001))


def test_what_is_lost_meanwhile_is_counted_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_MOST_WAITING", 20)
    monkeypatch.setattr(journal, "_MOST_AT_ONCE", 10)
    one, store = writer(), Forgetful()
    tell(one, *range(1, 16))
    with pytest.raises(StoreError):
        one.write_all(store)
    tell(one, *range(16, 41))
    write_all(one, store)
    # Ten were on their way; of the thirty behind them ten were too many.
    assert written(store) == [*range(1, 11), -10, *range(21, 41)]


class Listing(MemoryStore):
    """A store that keeps account of what it was given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[list[Record]] = []

    def append(self, records: Sequence[Record]) -> None:
        super().append(records)
        self.parts.append([*records])


def ask(one: JournalWriter, number: int, prompt: str) -> None:
    one.record(RequestStarted(at=AT, seq=number, target="m", models=("p/a",), mode="complete", prompt=prompt))


def prompts(store: Store) -> dict[int, str]:
    found = [json.loads(each.record.data) for each in store.read()]
    return {each["seq"]: each["prompt"] for each in found if "prompt" in each}


def test_few_large_events_are_given_at_once_and_many_small_ones() -> None:
    one, store = writer(), Listing()
    sizes = [150_000, 100_000, 190_000, *[10] * 450, 190_000, 190_000, 190_000]
    for number, size in enumerate(sizes, 1):
        ask(one, number, "x" * size)
    one.write_all(store)
    assert [len(part) for part in store.parts] == [2, 200, 200, 52, 1, 1]
    assert all(sum(len(record.data) for record in part) <= 256_000 for part in store.parts)
    assert [record.number for part in store.parts for record in part] == [*range(1, len(sizes) + 1)]
    assert prompts(store) == {number: "x" * size for number, size in enumerate(sizes, 1)}


def test_a_huge_event_pushes_out_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_MOST_CHARACTERS", 300_000)
    one, store = writer(), MemoryStore()
    tell(one, *range(1, 11))
    ask(one, 11, "x" * 1_234_567)
    one.encode()
    one.write_all(store)
    assert [json.loads(each.record.data)["seq"] for each in store.read()] == [*range(1, 12)]
    assert prompts(store) == {11: "(1,234,567 characters, too many for the journal)"}


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server.running() as server:
        yield server


def comes_through(one: JournalWriter, store: RedisStore) -> bool:
    store.open()
    one.write_all(store)
    return not one.waiting


def test_a_server_that_stands_still_again_and_again_gets_every_record_once(server: Server) -> None:
    one, told = writer(), 0
    with closing(RedisStore(server.url)) as store:
        for _ in range(4):
            assert soon(lambda: store.open() == [])
            server.freeze()
            tell(one, *range(told + 1, told + 301))
            told += 300
            trouble(lambda: one.write_all(store))  # it takes it in when it goes on
            server.thaw()
            assert soon(lambda: comes_through(one, store))
    with opened(server.url) as store:
        assert soon(lambda: len(written(store)) >= told)
        assert written(store) == list(range(1, told + 1))


def test_of_prompts_of_any_size_none_keeps_the_others_from_the_server(server: Server) -> None:
    one, sizes = writer(), [2_000_000, 190_000, 10] * 30
    for number, size in enumerate(sizes, 1):
        ask(one, number, '"' * size if size == 2_000_000 else "x" * size)
    with closing(RedisStore(server.url)) as store:  # as impatient as an engine's
        assert soon(lambda: comes_through(one, store))
    with opened(server.url) as store:
        found = prompts(store)
    assert [*found] == [*range(1, 91)]
    assert set(found.values()) == {
        "(2,000,000 characters, too many for the journal)",
        "x" * 190_000,
        "x" * 10,
    }
