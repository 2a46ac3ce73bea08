"""The events of an engine on their way into the store: each once, whatever becomes of the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress

import pytest

from engine.events import FeedDropped
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
