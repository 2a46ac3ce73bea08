"""What every store promises, whatever it keeps its rows in."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.store.base import Record, Row, Step, Store
from tests.store.backends import HOSTILE, MakeStore
from tests.store.patience import PATIENCE_S, soon
from tests.store.sqlite_work import put


def write(store: Store, name: str, text: str) -> Row:
    return store.update(name, (), put(text)).row


def one_more(name: str) -> Step:
    return lambda rows, _now: str(int(rows.get(name, "0")) + 1)


def texts(store: Store) -> dict[str, str]:
    return {row.name: row.state for row in store.rows().rows}


def record(number: int) -> Record:
    return Record(1000.0 + number, "engine", "run", f'{{"n":{number}}}')


# The bench


def test_an_empty_store_has_no_rows_and_says_who_it_is(store: Store) -> None:
    changes = store.rows()
    assert changes.rows == []
    assert changes.incarnation
    assert abs(changes.now - time.time()) < PATIENCE_S


def test_a_step_makes_a_row_and_the_next_one_sees_it(store: Store) -> None:
    seen: list[dict[str, str]] = []

    def step(rows: Mapping[str, str], now: float) -> str:
        assert abs(now - time.time()) < PATIENCE_S
        seen.append(dict(rows))
        return f"text {len(seen)}"

    first = store.update("p/m", (), step)
    second = store.update("p/m", (), step)
    assert (first.row.name, first.row.state) == ("p/m", "text 1")
    assert second.row.state == "text 2"
    assert second.row.version > first.row.version > 0
    assert second.now >= first.now
    assert seen == [{}, {"p/m": "text 1"}]
    assert store.rows().rows == [second.row]


def test_a_step_sees_those_beside_that_have_a_row_and_no_others(store: Store) -> None:
    write(store, "p/a", "A")
    write(store, "p/b", "B")
    write(store, "p/c", "C")
    seen: list[dict[str, str]] = []
    store.update("p/a", ("p/b", "p/*", "p/a"), lambda rows, _: seen.append(dict(rows)))
    assert seen == [{"p/a": "A", "p/b": "B"}]


def test_a_step_that_wants_no_change_makes_none(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    there = write(store, "p/m", "text")
    before = store.rows()
    assert soon(lambda: not other.changed())
    assert store.update("p/m", (), put(None)).row == there
    assert store.update("p/none", ("p/m",), put(None)).row == Row("p/none", 0, "")
    after = store.rows()
    assert (after.rows, after.version) == (before.rows, before.version)
    assert not other.changed()


def test_an_empty_text_is_a_text(store: Store) -> None:
    row = write(store, "p/m", "")
    assert row.version > 0
    assert store.rows().rows == [row]


def test_versions_grow_over_all_rows(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    versions = [write(each, name, "x").version for name in "aba" for each in (store, other)]
    assert versions == sorted(set(versions))
    assert store.rows().version == versions[-1]


def test_rows_after_a_version_are_those_that_changed_since(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    write(store, "a", "1")
    write(store, "b", "1")
    seen = store.rows()
    assert {row.name for row in seen.rows} == {"a", "b"}
    assert seen.version == max(row.version for row in seen.rows)
    assert store.rows(seen.version).rows == []
    write(other, "b", "2")
    newest = write(other, "b", "3")
    news = store.rows(seen.version)
    assert news.rows == [newest]
    assert news.version == newest.version
    assert store.rows(news.version).rows == []


def test_a_row_is_forgotten_only_in_the_version_that_was_seen(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    seen = {name: write(store, name, "old").version for name in ("a", "b", "c")}
    write(other, "b", "new")
    store.forget({"a": seen["a"], "b": seen["b"], "nobody": 1})
    assert texts(other) == {"b": "new", "c": "old"}
    store.forget({})
    assert texts(store) == {"b": "new", "c": "old"}


def test_a_forgotten_row_is_none_and_comes_back_with_a_higher_version(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    old = write(store, "a", "old")
    store.forget({"a": old.version})
    seen: list[dict[str, str]] = []
    assert other.update("a", (), lambda rows, _: seen.append(dict(rows))).row == Row("a", 0, "")
    assert seen == [{}]
    new = write(other, "a", "new")
    assert new.version > old.version
    assert store.rows(old.version).rows == [new]
    store.forget({"a": old.version})
    assert texts(store) == {"a": "new"}


def test_no_update_of_several_connections_is_lost(make_store: MakeStore) -> None:
    def work(store: Store) -> list[int]:
        return [int(store.update("n", (), one_more("n")).row.state) for _ in range(40)]

    stores = [make_store() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, stores))
    assert sorted(number for result in results for number in result) == list(range(1, 161))
    assert texts(stores[0]) == {"n": "160"}


@pytest.mark.parametrize("name", ["n", "beside"])
def test_a_change_that_comes_between_is_not_lost(make_store: MakeStore, name: str) -> None:
    # A store with locks has the other wait; one without calls the step again.
    store, other = make_store(), make_store()
    write(store, "beside", "0")
    rival = threading.Thread(target=other.update, args=(name, (), one_more(name)))
    seen: list[str] = []

    def step(rows: Mapping[str, str], _now: float) -> str:
        seen.append(rows.get(name, "0"))
        if not rival.ident:
            rival.start()
            rival.join(0.1)
        return str(int(rows.get("n", "0")) + 1)

    result = store.update("n", ("beside",), step)
    came_between = not rival.is_alive()
    rival.join(PATIENCE_S)
    assert not rival.is_alive()
    assert seen == (["0", "1"] if came_between else ["0"])
    if name == "n":
        assert texts(store)["n"] == "2"
    else:
        assert (result.row.state, texts(store)) == ("1", {"n": "1", "beside": "1"})


def test_a_step_that_raises_leaves_everything_as_it_was(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    write(store, "a", "1")
    before = other.rows()

    def step(_rows: Mapping[str, str], _now: float) -> str:
        raise ZeroDivisionError("as it happens")

    with pytest.raises(ZeroDivisionError, match="as it happens"):
        store.update("a", ("b",), step)
    after = other.rows()
    assert (after.rows, after.version) == (before.rows, before.version)
    assert write(other, "a", "2").state == "2"  # nobody holds a lock
    assert write(store, "a", "3").state == "3"


def test_names_and_texts_may_hold_anything(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    expected = {name: f"state of {name}" for name in HOSTILE}
    versions = {name: write(store, name, text).version for name, text in expected.items()}
    assert texts(other) == expected
    seen: list[dict[str, str]] = []
    other.update("another", HOSTILE, lambda rows, _: seen.append(dict(rows)))
    assert seen == [expected]
    other.forget(versions)
    assert texts(store) == {}


def test_a_long_text_stays_whole(store: Store) -> None:
    text = "0123456789" * 50_000
    assert write(store, "a", text).state == text
    assert texts(store) == {"a": text}


# Opening and closing


def test_what_is_stored_outlives_a_connection(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    row = write(store, "a", "1")
    store.append([record(1)])
    incarnation = store.rows().incarnation
    store.close()
    other.close()
    assert store.open() == []
    assert store.rows().rows == [row]
    assert [each.record for each in store.read()] == [record(1)]
    assert {each.rows().incarnation for each in (store, make_store())} == {incarnation}


def test_opening_an_open_store_begins_anew(store: Store) -> None:
    row = write(store, "a", "1")
    assert store.open() == []
    assert store.rows().rows == [row]


def test_closing_what_is_not_open_does_nothing(store: Store) -> None:
    store.close()
    store.close()


def test_a_store_has_a_name_and_says_how_often_to_ask(store: Store) -> None:
    assert store.name
    assert 0 < store.poll_s <= 5


# News of others


@pytest.mark.parametrize("act", ["update", "append", "forget"])
def test_a_connection_notices_what_others_write(make_store: MakeStore, act: str) -> None:
    store, other = make_store(), make_store()
    row = write(other, "a", "1")
    assert soon(lambda: not store.changed())
    if act == "update":
        write(other, "b", "2")
    elif act == "append":
        other.append([record(1)])
    else:
        other.forget({"a": row.version})
    descriptor = store.hint()
    if descriptor is not None and act != "append":  # the journal wakes nobody
        assert select.select([descriptor], [], [], PATIENCE_S)[0] == [descriptor]
    assert soon(store.changed)
    assert soon(lambda: not store.changed())


def test_what_was_written_before_opening_is_no_news(make_store: MakeStore) -> None:
    write(make_store(), "a", "1")
    store = make_store()
    store.rows()
    assert soon(lambda: not store.changed())
