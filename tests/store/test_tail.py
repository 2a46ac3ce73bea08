"""Who follows the journal hears each event of others once, in order, from where it was asked for."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from engine.bus import Observers
from engine.events import Event
from engine.identity import Identity
from engine.store import tail as tail_module
from engine.store.base import Record, Store
from engine.store.memory import MemoryStore
from engine.store.sqlite import SqliteStore
from engine.store.tail import Tail
from tests.store.backends import MakeStore


class Follower:
    """One who listens, and what it heard."""

    def __init__(self, tail: Tail, since_s: float = 0.0) -> None:
        self.numbers: list[int] = []
        self._observers = Observers()
        self.observation = self._observers.observe(self._hear)
        tail.follow(self._observers, since_s)

    def _hear(self, event: Event) -> None:
        self.numbers.append(event.seq)


def write(store: Store, *numbers: int, ago: float = 0.0, run: str = "other") -> None:
    texts = [json.dumps({"event": "e", "seq": number}) for number in numbers]
    store.append([Record(time.time() - ago, "engine", run, text) for text in texts])


def round_of(tail: Tail, store: Store, *, changed: bool = True) -> None:
    for observers, events in tail.read(store, changed=changed):
        for event in events:
            observers.hand(event)


def caught_up(tail: Tail, store: Store) -> None:
    round_of(tail, store)
    while tail.is_waiting:
        round_of(tail, store, changed=False)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "_PAGE", 3)


@pytest.fixture
def tail() -> Tail:
    return Tail(Identity("me"))


def test_each_one_gets_its_own_past_and_then_all_that_follows_once(store: Store, tail: Tail) -> None:
    write(store, *range(10), ago=1000)
    write(store, *range(10, 20), ago=10)
    live = Follower(tail)
    caught_up(tail, store)
    write(store, 20, 21)
    long, short = Follower(tail, 5000), Follower(tail, 100)
    for number in range(22, 30):  # while the past is being read
        write(store, number)
        round_of(tail, store)
    caught_up(tail, store)
    late = Follower(tail)
    write(store, 30)
    caught_up(tail, store)
    write(store, 31)
    caught_up(tail, store)
    assert live.numbers == list(range(20, 32))
    assert long.numbers == list(range(32))
    assert short.numbers == list(range(10, 32))
    assert late.numbers == [31]


def test_ones_own_events_are_left_out_and_damaged_ones_too(store: Store) -> None:
    identity = Identity("me")
    tail = Tail(identity)
    follower = Follower(tail, 100)
    write(store, 1, 2, 3, 4, run=identity.run)
    store.append([Record(time.time(), "engine", "other", "{")] * 5)
    write(store, 5)
    caught_up(tail, store)
    assert follower.numbers == [5]


def test_of_a_long_past_the_last_pages_are_told(tail: Tail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "_MOST_BACKLOG_PAGES", 2)
    store = MemoryStore()
    write(store, *range(10))
    follower = Follower(tail, 100)
    caught_up(tail, store)
    assert follower.numbers == [6, 7, 8, 9]


class Asked(MemoryStore):
    """A store that counts who reads its journal."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def read(self, *asked: Any, **more: Any) -> Any:
        self.reads += 1
        return super().read(*asked, **more)


def test_nobody_reads_for_those_who_are_gone_and_several_are_read_for_at_once(tail: Tail) -> None:
    store = Asked()
    followers = [Follower(tail) for _ in range(5)]
    assert tail.is_followed
    caught_up(tail, store)
    write(store, 1)
    caught_up(tail, store)
    assert store.reads == 2  # one before there was anything
    assert [each.numbers for each in followers] == [[1]] * 5
    for each in followers[1:]:
        each.observation.close()
    write(store, 2)
    caught_up(tail, store)
    assert [each.numbers for each in followers] == [[1, 2], *[[1]] * 4]
    followers[0].observation.close()
    reads = store.reads
    write(store, *range(3, 20))
    tail.again()
    caught_up(tail, store)
    assert store.reads == reads
    assert not tail.is_followed


def test_a_store_that_was_away_is_read_on_in(make_store: MakeStore, tail: Tail) -> None:
    store, other = make_store(), make_store()
    write(store, *range(5))
    follower = Follower(tail)
    caught_up(tail, store)
    store.close()
    write(other, 5, 6)
    store.open()
    tail.again()
    round_of(tail, store, changed=False)
    assert follower.numbers == [5, 6]


def test_a_journal_that_began_anew_is_told_from_its_beginning(tail: Tail, tmp_path: Any) -> None:
    store = SqliteStore(tmp_path / "standby.db")
    store.open()
    write(store, *range(10))
    follower = Follower(tail)
    caught_up(tail, store)
    store.close()
    (tmp_path / "standby.db").unlink()
    store.open()
    tail.again()
    caught_up(tail, store)  # still empty: it can't be told from one that was pruned
    write(store, 1, 2, 3, 4)
    caught_up(tail, store)
    assert follower.numbers == [1, 2, 3, 4]
    tail.again()
    write(store, 5)
    caught_up(tail, store)
    assert follower.numbers == [1, 2, 3, 4, 5]
    store.close()
