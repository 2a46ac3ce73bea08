"""How long Redis keeps what: a bench as long as it has a row, everything else not forever."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from engine.store.base import Presence, StoreRefused
from engine.store.redis import RedisStore
from tests.store import redis_server
from tests.store.patience import PATIENCE_S
from tests.store.redis_server import Server
from tests.store.redis_stage import WHAT, WHO, opened, patient, put, trouble

DAY_S = 86_400


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server.running() as server:
        yield server


def expiry_s(server: Server, what: str) -> int:
    """Seconds; -1 for never, -2 if it is not there."""
    return int(server.ask("TTL", f"standby:{what}")[1:])


def test_a_bench_has_no_expiry_while_it_has_a_row(server: Server) -> None:
    with opened(server.url) as store:
        assert 29 * DAY_S < expiry_s(server, "bench") <= 30 * DAY_S
        first, second = put(store, "a/b", "1").row, put(store, "a/c", "1").row
        assert expiry_s(server, "bench") == -1
        store.forget({"a/b": first.version})
        assert expiry_s(server, "bench") == -1
        store.forget({"a/c": second.version})
        assert 29 * DAY_S < expiry_s(server, "bench") <= 30 * DAY_S
        put(store, "a/b", "1")
        assert expiry_s(server, "bench") == -1
        store.rows()
        assert expiry_s(server, "bench") == -1


def test_who_looks_at_an_empty_bench_keeps_it(server: Server) -> None:
    with opened(server.url) as store:
        server.ask("EXPIRE", "standby:bench", "5")
        store.rows()
        assert expiry_s(server, "bench") > 29 * DAY_S


def test_the_journal_and_the_engines_go_long_after_the_last_sign(server: Server) -> None:
    with opened(server.url) as store:
        store.append([WHAT])
        store.beat(WHO)
        assert expiry_s(server, "journal") > 399 * DAY_S
        assert DAY_S < expiry_s(server, "engines") <= 2 * DAY_S


def test_an_engine_that_was_silent_for_a_day_is_gone(server: Server) -> None:
    with opened(server.url) as store:
        now = time.time()
        for run, silent_s in (("old", DAY_S + 60), ("young", DAY_S - 60)):
            value = f'{now - silent_s} {now - silent_s} ["{run}", "host", 1]'
            server.ask("HSET", "standby:engines", run, value)
        assert [one.run for one in store.engines()[0]] == ["young"]
        store.beat(Presence("new", "new", "host", 1))
        assert server.ask("HEXISTS", "standby:engines", "old") == b":0\r\n"
        assert [one.run for one in store.engines()[0]] == ["new", "young"]


def test_a_record_of_a_clock_that_is_ahead_goes_by_the_time_of_its_arrival(server: Server) -> None:
    with opened(server.url) as store:
        for place, at in (("1000-0", "9000000000"), ("2000-0", "9000000000"), ("9000-0", "9000000000")):
            server.ask("XADD", "standby:journal", place, "at", at, "engine", "e", "run", "r", "data", "{}")
        assert store.prune(time.time() - 5, 100) == 2
        assert [one.place for one in store.read()] == ["9000-0"]


def test_a_journal_is_pruned_in_many_small_steps(server: Server) -> None:
    with opened(server.url) as store:
        store.append([WHAT] * 950)
        assert store.prune(DAY_S, 1000, limit=450) == 450
        assert store.prune(1e12, 100) == 400
        assert len(store.read()) == 100
        assert store.prune(DAY_S, 1000) == 100
        assert store.prune(DAY_S, 1000) == 0


def test_long_histories_are_read_to_their_end(server: Server) -> None:
    with opened(server.url) as store:
        store.append([WHAT._replace(at=1000.0 * number) for number in range(2500)])
        back_s = time.time() - 2500
        assert [one.record.at / 1000 for one in store.read(since_s=back_s, limit=5000)] == [*range(3, 2500)]
        assert len(store.read(limit=1500)) == 1500
        assert len(store.read(since_s=DAY_S, limit=1500)) == 0


def test_the_last_number_of_a_run_is_kept_for_days_and_by_its_own_key(server: Server) -> None:
    with opened(server.url) as store:
        store.append([WHAT._replace(number=3), WHAT._replace(number=7, run="other")])
        for run, last in (("run-1", b"3"), ("other", b"7")):
            key = f"written:{{standby:journal}}:{run}"
            assert server.ask("HGET", f"standby:{key}", "last") == last
            assert DAY_S < expiry_s(server, key) <= 2 * DAY_S


def test_what_is_no_record_is_handed_on_as_a_damaged_one(server: Server) -> None:
    with opened(server.url) as store:
        store.append([WHAT])
        server.ask("XADD", "standby:journal", "*", "theirs", "\x9b")
        server.ask("XADD", "standby:journal", "*", "at", "noon", "data", "{", "run", "r")
        store.append([WHAT])
        assert [one.record.data for one in store.read()] == ["{}", "", "{", "{}"]
        assert all(abs(one.record.at - time.time()) < DAY_S for one in store.read()[1:3])
        assert store.prune(1e12, 2) == 2


def test_what_a_newer_version_wrote_is_left_alone(server: Server) -> None:
    with opened(server.url) as store:
        put(store, "a/b", "text")
    server.ask("HSET", "standby:bench", "!format", "2")
    store = patient(server.url)
    error = trouble(store.open)
    assert isinstance(error, StoreRefused)
    assert "newer version" in str(error)
    assert "not open" in str(trouble(store.rows))


def test_a_row_that_is_no_row_counts_as_none(server: Server) -> None:
    with opened(server.url) as store:
        server.ask("HSET", "standby:bench", "=a/b", "nonsense")
        assert store.update("a/b", (), lambda texts, _now: repr(dict(texts))).row.state == "{}"


def test_each_prefix_and_each_database_is_a_store_of_its_own(server: Server) -> None:
    with opened(server.url) as store, opened(server.url[:-1] + "3") as other:
        put(store, "a/b", "text")
        assert other.rows().rows == []
        third = RedisStore(server.url, prefix="elsewhere", answer_within_s=PATIENCE_S)
        third.open()
        assert third.rows().rows == []
        third.close()
