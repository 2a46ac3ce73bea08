"""What every store promises of its journal, and of who is there."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.store.base import Journaled, Presence, Record, Store
from tests.store.backends import HOSTILE, MakeStore
from tests.store.patience import PATIENCE_S, soon

STEP_S = 1000.0
"""Longer than any of these tests takes."""


def record(number: int, ago: float | None = None) -> Record:
    """The higher the number, the younger, unless it is said how many steps ago it happened."""
    ago = 100 - number if ago is None else ago
    return Record(time.time() - ago * STEP_S, "engine", "run", f'{{"n":{number}}}')


def within(steps: float) -> float:
    """As many seconds back as reach what happened so many steps ago."""
    return (steps + 0.5) * STEP_S


def numbers(found: list[Journaled]) -> list[int]:
    return [int(each.record.data[5:-1]) for each in found]


def test_an_empty_journal_has_no_end(store: Store) -> None:
    assert store.end() == ""
    assert store.read() == []
    store.append([])
    assert (store.end(), store.read()) == ("", [])


def test_records_come_back_whole_and_in_order(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    store.append([record(2), record(1)])
    other.append([record(3)])
    store.append([Record(1.25, "e", "r", "{}")])
    found = other.read()
    assert numbers(found[:3]) == [2, 1, 3]
    assert found[3].record == Record(1.25, "e", "r", "{}")
    places = [each.place for each in found]
    assert len(set(places)) == 4
    assert all(places)
    assert store.end() == other.end() == places[-1]


def test_reading_goes_on_behind_a_place(store: Store) -> None:
    store.append([record(number) for number in range(7)])
    places = [each.place for each in store.read()]
    assert numbers(store.read(after=places[3])) == [4, 5, 6]
    assert store.read(after=places[-1]) == []
    assert numbers(store.read(after=places[1], limit=2)) == [2, 3]
    store.append([record(7)])
    assert numbers(store.read(after=places[-1])) == [7]


def test_pages_make_up_the_whole(store: Store) -> None:
    store.append([record(number) for number in range(25)])
    got: list[int] = []
    place = ""
    while page := store.read(after=place, limit=10):
        assert len(page) <= 10
        got += numbers(page)
        place = page[-1].place
    assert got == list(range(25))


def test_reading_leaves_out_what_is_older(store: Store) -> None:
    # The clocks of engines differ: the times are not in order.
    store.append([record(number, ago) for number, ago in enumerate([50, 30, 40, 20, 55, 10])])
    places = [each.place for each in store.read()]
    assert numbers(store.read(since_s=within(40))) == [1, 2, 3, 5]
    assert numbers(store.read(since_s=within(40), limit=2)) == [1, 2]
    assert numbers(store.read(after=places[1], since_s=within(40))) == [2, 3, 5]
    assert numbers(store.read(since_s=1e300)) == list(range(6))
    assert store.read(since_s=within(9)) == []


def test_it_is_the_stores_time_that_counts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.append([record(number) for number in range(80, 90)])
    monkeypatch.setattr(time, "time", lambda: 9e9)  # of the process that asks; the stores have theirs
    assert store.prune(within(30), 1000) == 0
    assert numbers(store.read(since_s=within(14))) == [86, 87, 88, 89]


@pytest.mark.parametrize("place", ["page2", "-1", "1.5", "1 ", "\N{ARABIC-INDIC DIGIT ONE}", "(1-0", "1-0-0"])
def test_what_is_no_place_is_an_error_of_the_caller_and_not_of_the_store(store: Store, place: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        store.read(after=place)
    store.append([record(1)])
    assert numbers(store.read()) == [1]


# What is given twice, because nobody knew whether it had been written


def numbered(*some: int, run: str = "run") -> list[Record]:
    return [record(number)._replace(number=number, run=run) for number in some]


def test_a_record_that_is_given_again_is_written_once(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    store.append(numbered(1, 2, 3))
    other.append(numbered(1, 2, 3))
    store.close()
    store.open()
    store.append(numbered(2, 3, 4, 6))
    store.append(numbered(5))  # on its way for so long that it was given up
    assert numbers(other.read()) == [1, 2, 3, 4, 6]
    assert {each.record.number for each in other.read()} == {0}


def test_each_run_is_counted_by_itself_and_what_has_no_number_is_always_written(store: Store) -> None:
    for _ in range(2):
        store.append([*numbered(1, 2), *numbered(1, 7, run="\ud83d"), record(0)])
    assert numbers(store.read()) == [1, 2, 1, 7, 0, 0]


def test_a_record_is_not_written_again_when_it_was_pruned(store: Store) -> None:
    store.append(numbered(1, 2))
    assert store.prune(0.0, 0) == 2
    store.append(numbered(1, 2, 3))
    assert numbers(store.read()) == [3]


def test_records_may_hold_anything(store: Store) -> None:
    records = [Record(1.0, text, text, text) for text in HOSTILE]
    store.append(records)
    assert [each.record for each in store.read()] == records


def test_others_see_all_of_an_append_or_nothing(make_store: MakeStore) -> None:
    writer, reader = make_store(), make_store()

    def work() -> None:
        for _ in range(20):
            writer.append([record(number) for number in range(50)])

    thread = threading.Thread(target=work)
    thread.start()
    counts = [0]
    while thread.is_alive():
        counts.append(len(reader.read(limit=5000)))
    thread.join()
    assert not [count for count in counts if count % 50]
    assert len(reader.read(limit=5000)) == 1000


def test_records_of_several_writers_keep_the_order_of_each(make_store: MakeStore) -> None:
    def work(first: int) -> None:
        store = stores[first // 100]
        for number in range(first, first + 100, 5):
            store.append([record(each) for each in range(number, number + 5)])

    stores = [make_store() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, (0, 100, 200)))
    got = numbers(stores[0].read())
    assert sorted(got) == list(range(300))
    for first in (0, 100, 200):
        assert [number for number in got if number // 100 == first // 100] == list(range(first, first + 100))
    assert all(got[at : at + 5] == list(range(got[at], got[at] + 5)) for at in range(0, 300, 5))


def test_old_records_are_pruned_a_few_at_a_time(store: Store) -> None:
    store.append([record(number) for number in range(10)])
    assert store.prune(within(95), 1000, limit=3) == 3
    assert numbers(store.read()) == list(range(3, 10))
    assert store.prune(within(95), 1000, limit=3) == 2
    assert numbers(store.read()) == list(range(5, 10))
    assert store.prune(within(95), 1000, limit=3) == 0


def test_too_many_records_are_pruned_from_the_first(store: Store) -> None:
    store.append([record(number) for number in range(10)])
    assert store.prune(within(100), 10) == 0
    assert store.prune(within(100), 4, limit=5) == 5
    assert store.prune(within(100), 4, limit=5) == 1
    assert store.prune(within(100), 4, limit=5) == 0
    assert numbers(store.read()) == [6, 7, 8, 9]


def test_age_and_number_are_pruned_together_within_the_limit(store: Store) -> None:
    store.append([record(number) for number in range(10)])
    while store.prune(within(98), 5, limit=4) == 4:
        assert len(store.read()) >= 5
    assert numbers(store.read()) == [5, 6, 7, 8, 9]


def test_an_empty_journal_is_pruned_to_nothing(store: Store) -> None:
    assert store.prune(0.0, 0) == 0


def test_a_place_stays_good_when_its_record_went(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    store.append([record(number) for number in range(5)])
    place = other.end()
    assert store.prune(within(0), 1000) == 5
    assert (store.end(), store.read()) == ("", [])
    store.close()
    store.open()
    store.append([record(5), record(6)])
    assert numbers(other.read(after=place)) == [5, 6]
    assert other.end() != place


# Who is there


def test_an_engine_is_there_from_its_first_sign_until_it_leaves(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    assert store.engines()[0] == []
    store.beat(Presence("run1", "zoe", "host", 7))
    other.beat(Presence("run2", "adam", "elsewhere", 8))
    there, now = other.engines()
    assert [each[:4] for each in there] == [("run2", "adam", "elsewhere", 8), ("run1", "zoe", "host", 7)]
    assert all(0 < each.started <= each.seen <= now for each in there)
    assert abs(now - time.time()) < PATIENCE_S
    other.leave("run1")
    other.leave("nobody")
    assert [each.run for each in store.engines()[0]] == ["run2"]


def test_a_further_sign_of_life_keeps_when_an_engine_came(store: Store) -> None:
    store.beat(Presence("run", "name", "host", 7))
    ((first,), _) = store.engines()

    def beaten() -> bool:
        store.beat(Presence("run", "new name", "host", 7, started=5.0, seen=5.0))
        return store.engines()[0][0].seen > first.seen

    assert soon(beaten)
    ((second,), _) = store.engines()
    assert (second.started, second.name) == (first.started, "new name")


def test_engines_of_one_name_are_told_apart(store: Store) -> None:
    for run in ("b", "a", "c"):
        store.beat(Presence(run, "same", "host", 1))
    assert sorted(each.run for each in store.engines()[0]) == ["a", "b", "c"]


def test_names_of_engines_may_hold_anything(store: Store) -> None:
    for number, text in enumerate(HOSTILE):
        store.beat(Presence(text, text, text, number))
    found = {each.run: each for each in store.engines()[0]}
    assert {run: (each.name, each.host, each.pid) for run, each in found.items()} == {
        text: (text, text, number) for number, text in enumerate(HOSTILE)
    }
    for text in HOSTILE:
        store.leave(text)
    assert store.engines()[0] == []
