"""A Redis server that is frozen, gone, full, or none: one clear error each, soon, and well again after it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial

import pytest

from engine.store.base import StoreError
from engine.store.redis import RedisStore
from tests.store import redis_server
from tests.store.patience import soon
from tests.store.redis_server import Server
from tests.store.redis_stage import (
    METHODS,
    WHAT,
    WHO,
    Impostor,
    Line,
    listening,
    opened,
    patient,
    put,
    trouble,
)


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server.running() as server:
        yield server


def test_no_method_waits_long_for_a_frozen_server_or_asks_it_twice(server: Server) -> None:
    with listening(Line(server.port)) as line, closing(RedisStore(f"redis://127.0.0.1:{line.port}")) as store:
        for name, method in METHODS.items():
            assert soon(lambda: store.open() == [] and store.hint() is not None)
            server.freeze()
            before, began = line.taken, time.monotonic()
            error = trouble(partial(method, store))
            took_s = time.monotonic() - began
            assert "no answer within 0.25 s" in str(error), name
            # A quarter of a second by itself; redis-py's own retries would take many times this.
            assert took_s < 2.0, name
            # After a timeout nothing can be asked again but on a new connection.
            expected = before + (name == "open")
            assert soon(partial(line.has_taken, expected))
            assert line.taken == expected, name
            server.thaw()


def test_after_an_error_there_is_no_connection_until_it_is_opened_again(server: Server) -> None:
    with closing(RedisStore(server.url)) as store:
        assert soon(lambda: store.open() == [] and put(store, "a/b", "kept"))
        server.freeze()
        trouble(store.rows)
        server.thaw()
        assert "not open" in str(trouble(store.rows))
        assert store.hint() is None
        assert soon(lambda: store.open() == [] and store.rows().rows[0].state == "kept")


def test_a_server_that_is_not_there_is_told_and_used_when_it_comes(server: Server) -> None:
    server.stop()
    store = patient(server.url)
    assert "nothing listens there" in str(trouble(store.open))
    server.start()
    store.open()
    put(store, "a/b", "text")
    store.close()


def test_a_server_that_was_started_anew_without_its_data_is_another_incarnation(server: Server) -> None:
    with opened(server.url) as store:
        put(store, "a/b", "text")
        before = store.rows()
        server.restart()
        trouble(store.changed)
        store.open()
        after = store.rows()
        assert after.rows == []
        assert after.incarnation != before.incarnation


def test_a_server_that_keeps_its_data_is_the_same_after_its_restart() -> None:
    with redis_server.running(appendonly="yes", appendfsync="always") as server, opened(server.url) as store:
        put(store, "a/b", "text")
        store.append([WHAT])
        before = store.rows()
        server.restart()
        trouble(store.changed)
        store.open()
        after = store.rows()
        assert after[:3] == before[:3]
        assert [one.record for one in store.read()] == [WHAT]


def test_a_flushed_server_is_another_incarnation_and_its_versions_go_on(server: Server) -> None:
    with opened(server.url) as store:
        seen = put(store, "a/b", "lost").row.version
        before = store.rows()
        server.ask("FLUSHALL")
        assert store.changed()
        put(store, "a/c", "new")
        # Even who asks for what came after the old version gets all there is.
        after = store.rows(seen)
        assert [row.state for row in after.rows] == ["new"]
        assert after.incarnation not in {before.incarnation, ""}
        assert after.version > before.version


def test_a_change_that_was_looked_up_before_a_flush_begins_again(server: Server) -> None:
    with opened(server.url) as store, opened(server.url) as other:
        put(store, "a/b", "lost")
        seen: list[dict[str, str]] = []

        def step(texts: Mapping[str, str], _now: float) -> str:
            seen.append(dict(texts))
            if len(seen) == 1:
                server.ask("FLUSHALL")
                put(other, "a/b", "new")
            return "mine"

        store.update("a/b", (), step)
        assert seen == [{"a/b": "lost"}, {"a/b": "new"}]


def test_flushed_scripts_do_no_harm(server: Server) -> None:
    with opened(server.url) as store:
        for name, method in METHODS.items():
            server.ask("SCRIPT", "FLUSH")
            if name != "open":
                method(store)
        put(store, "a/b", "text")
        server.ask("SCRIPT", "FLUSH")
        assert put(store, "a/b", "again").row.state == "again"


def test_a_full_server_takes_nothing_and_half_of_nothing(server: Server) -> None:
    with opened(server.url) as store:
        put(store, "a/b", "kept")
        before = store.rows()
        server.ask("CONFIG", "SET", "maxmemory", "1")
        for act in (
            lambda: put(store, "a/b", "more"),
            lambda: put(store, "a/c", "more"),
            lambda: store.append([WHAT, WHAT]),
            lambda: store.beat(WHO),
        ):
            assert "memory is full" in str(trouble(act))
            store.open()
        assert store.rows()[:3] == before[:3]
        server.ask("CONFIG", "SET", "maxmemory", "0")
        assert store.end() == ""
        assert store.engines()[0] == []
        assert put(store, "a/b", "more").row.state == "more"


def test_a_replica_is_told_from_a_primary(server: Server) -> None:
    with opened(server.url) as store:
        put(store, "a/b", "kept")
        server.ask("REPLICAOF", "127.0.0.1", "1")
        assert "give the address of the primary" in str(trouble(lambda: put(store, "a/b", "more")))


@pytest.mark.parametrize("what", ["bench", "journal", "engines"])
def test_a_key_of_somebody_else_is_left_alone(server: Server, what: str) -> None:
    server.ask("SET", f"standby:{what}", "theirs")
    store = patient(server.url)

    def use_all() -> None:
        store.open()
        store.append([WHAT])
        store.beat(WHO)

    assert "somebody else's: remove that key" in str(trouble(use_all))
    assert server.ask("GET", f"standby:{what}") == b"theirs"
    store.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"-NOAUTH Authentication required.\r\n", "user or the password"),
        (b"-WRONGPASS invalid username-password pair or user is disabled.\r\n", "user or the password"),
        (b"-NOPERM this user has no permissions to run the 'evalsha' command\r\n", "its user may not"),
        (b"-ERR max number of clients reached\r\n", "takes no more connections"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "still loading"),
        (b"-MISCONF Redis is configured to save RDB snapshots, but it's unable to\r\n", "its disk"),
        (b"-MOVED 3999 10.0.0.1:6381\r\n", "one node of a cluster"),
        (b"-CLUSTERDOWN The cluster is down\r\n", "is down"),
        (b"-BUSY Redis is busy running a script.\r\n", "busy with somebody's script"),
        (b"-ERR unknown command 'EVALSHA', with args beginning with: 'x'\r\n", "too old"),
        (b"-ERR something \x1b[2J\xc2\x9b new\r\n", "something �[2J� new"),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "does not speak as Redis does"),
        (b"+OK\r\n", "does not speak as Redis does"),
        (b":1\r\n", "does not speak as Redis does"),
        (b"*0\r\n", "does not speak as Redis does"),
        (b"$-1\r\n", "does not speak as Redis does"),
        (b"*3\r\n*2\r\n$1\r\nx\r\n$1\r\ny\r\n*0\r\n*0\r\n", "does not speak as Redis does"),
    ],
)
def test_what_a_server_says_is_told_in_words(answer: bytes, words: str) -> None:
    with listening(Impostor(answer, hangs_up=False)) as server:
        error = trouble(patient(f"redis://127.0.0.1:{server.port}").open)
        assert words in str(error)
        assert str(error).startswith(f"redis://127.0.0.1:{server.port}: ")


@pytest.mark.parametrize("answer", [b"", b"-ER", b"*2\r\n$5\r\nab"])
def test_a_server_that_hangs_up_is_told(answer: bytes) -> None:
    with listening(Impostor(answer, hangs_up=True)) as server:
        assert "closed the connection" in str(trouble(patient(f"redis://127.0.0.1:{server.port}").open))


def test_a_server_that_wants_tls_is_told() -> None:
    alert = b"\x15\x03\x01\x00\x02\x02\x50"
    with listening(Impostor(alert, hangs_up=True)) as server:
        assert "rediss://" in str(trouble(patient(f"redis://127.0.0.1:{server.port}").open))


def test_a_write_whose_answer_is_lost_is_an_error_and_is_not_made_twice(server: Server) -> None:
    for left in (0, 1, 7):
        with listening(Line(server.port)) as line, opened(f"redis://127.0.0.1:{line.port}") as store:
            store.append([WHAT])
            line.left = left
            trouble(partial(store.append, [WHAT]))
    with opened(server.url) as store:
        assert len(store.read()) == 6


def test_a_look_that_is_cut_changes_nothing(server: Server) -> None:
    with listening(Line(server.port)) as line, opened(f"redis://127.0.0.1:{line.port}") as store:
        put(store, "a/b", "kept")
        line.left = 9
        trouble(lambda: put(store, "a/b", "more"))
        line.left = None
        store.open()
        assert [row.state for row in store.rows().rows] == ["kept"]


def test_a_fault_of_the_step_is_the_callers_and_harms_nothing(server: Server) -> None:
    def step(_texts: object, _now: float) -> str:
        raise ZeroDivisionError

    with opened(server.url) as store:
        with pytest.raises(ZeroDivisionError):
            store.update("a/b", (), step)
        assert store.rows().rows == []


def test_closing_never_fails(server: Server) -> None:
    store = patient(server.url)
    store.close()
    store.open()
    server.freeze()
    store.close()
    store.close()
    with pytest.raises(StoreError, match="not open"):
        store.rows()
    server.thaw()
