"""Large records in Redis: whoever writes them keeps nobody else away, and they are read and pruned as any."""

from __future__ import annotations

import itertools
import re
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from engine.store.base import Record
from engine.store.redis import RedisStore
from engine.store.sendable import LONGEST
from tests.store import redis_server
from tests.store.patience import PATIENCE_S, soon
from tests.store.redis_server import Server
from tests.store.redis_stage import METHODS, WHAT, opened

LARGE = "x" * LONGEST
DAY_S = 86_400
STEP_S = 1000
"""Longer than any of these tests takes."""
PORTION = 256_000 + LONGEST
"""More than any script looks at."""


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server.running() as server:
        yield server


def large(server: Server, count: int, data: str = LARGE) -> None:
    """Has the server hold large records that happened now."""
    fill = "for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'at', ARGV[2], 'data', ARGV[3]) end"
    server.ask("EVAL", fill, "1", "standby:journal", str(count), str(time.time()), data)


def arrived(server: Server, *times: int, data: str = "{}") -> None:
    """Has the server hold a record for each time, in `STEP_S` since the epoch, by its clock."""
    for each in times:
        server.ask("XADD", "standby:journal", place(each), "at", str(each * STEP_S), "data", data)


def place(arrival: int) -> str:
    return f"{arrival * STEP_S}000-0"


def back(steps: float) -> float:
    """How many seconds ago that time was."""
    return time.time() - steps * STEP_S


def scripts(server: Server, act: Callable[[], object]) -> int:
    """How many scripts the server runs for something."""
    server.ask("CONFIG", "RESETSTAT")
    act()
    found = re.search(rb"cmdstat_evalsha:calls=(\d+)", server.ask("INFO", "commandstats"))
    return int(found[1]) if found else 0


def commands(server: Server, act: Callable[[], object]) -> list[str]:
    """What the server is asked meanwhile, by clients and by scripts, one line a command."""
    with (
        socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as line,
        line.makefile("r", encoding="utf-8", errors="replace") as lines,
    ):
        line.sendall(b"MONITOR\r\n")
        assert lines.readline() == "+OK\n"
        act()
        server.ask("ECHO", "that is all")
        return list(itertools.takewhile(lambda one: '"ECHO" "that is all"' not in one, lines))


def test_a_journal_of_large_records_keeps_nobody_away(server: Server) -> None:
    large(server, 60, LARGE * 10)  # larger than any that standby writes
    store = RedisStore(server.url)  # as impatient as an engine's

    def answers() -> bool:
        store.open()
        for act in (store.changed, store.rows, store.end, store.engines):
            act()
        store.prune(DAY_S, 1000)
        return len(store.read()) == 60

    try:
        assert soon(answers)
    finally:
        store.close()


@pytest.mark.parametrize("method", METHODS)
def test_nobody_has_the_server_look_at_many_records_at_once(server: Server, method: str) -> None:
    with opened(server.url) as store:
        store.append([WHAT] * 300)
        asked = commands(server, lambda: METHODS[method](store))
    looks = [one for one in asked if re.search(r'"X(REV)?RANGE"', one)]
    assert [one for one in looks if '"COUNT" "1"' not in one] == []
    assert bool(looks) == (method in ("end", "read", "prune"))


def test_no_answer_is_larger_than_a_portion(server: Server) -> None:
    large(server, 20)
    with opened(server.url) as store:
        assert scripts(server, store.read) >= 20 * LONGEST / PORTION
        store.append([WHAT._replace(at=time.time())] * 1000)
        start = store.read(limit=20)[-1].place
        assert scripts(server, lambda: store.read(after=start)) == 1


def test_large_and_small_records_are_read_whole_and_in_order_in_full_pages(server: Server) -> None:
    sizes = (0, 180_000, 10, 3000, 400)
    with opened(server.url) as store:
        for number in range(120):
            data = f'{{"n": {number}, "x": "{"x" * sizes[number % 5]}"}}'
            store.append([Record(float(STEP_S * number), "e", "r", data, number + 1)])
        whole = store.read()
        assert [one.record.at for one in whole] == [float(STEP_S * number) for number in range(120)]
        assert [len(one.record.data) - sizes[at % 5] for at, one in enumerate(whole)] == [
            len(f'{{"n": {number}, "x": ""}}') for number in range(120)
        ]
        pages = [store.read(limit=50)]
        while len(pages[-1]) == 50:
            pages.append(store.read(after=pages[-1][-1].place, limit=50))
        assert [len(page) for page in pages] == [50, 50, 20]
        assert [one for page in pages for one in page] == whole
        assert store.read(since_s=back(99.5)) == whole[100:]
        assert store.read(since_s=back(49.5), limit=30) == whole[50:80]


@pytest.mark.parametrize("data", ["{}", "x" * 6000], ids=["small", "large"])
def test_what_came_long_ago_is_pruned_to_the_record(server: Server, data: str) -> None:
    with opened(server.url) as store:
        arrived(server, *range(1, 251), data=data)
        keep_s = back(130.5)
        assert store.prune(keep_s, 1000, limit=7) == 7
        assert store.prune(keep_s, 1000, limit=7) == 7
        assert store.prune(keep_s, 1000) == 116
        assert [one.place for one in store.read()] == [place(each) for each in range(131, 251)]
        assert store.prune(keep_s, 1000) == 0


def test_what_came_long_ago_goes_without_a_look_at_it(server: Server) -> None:
    with opened(server.url) as store:
        arrived(server, *range(1, 61), data=LARGE)
        assert scripts(server, lambda: store.prune(DAY_S, 1000)) == 2  # the second finds nothing
        assert store.read() == []


def test_of_what_happened_long_ago_a_portion_is_looked_at_at_once(server: Server) -> None:
    with opened(server.url) as store:
        for _ in range(20):
            store.append([WHAT._replace(data=LARGE)])
        store.append([WHAT._replace(at=time.time())])
        assert scripts(server, lambda: store.prune(DAY_S, 1000)) >= 20 * LONGEST / PORTION
        assert [one.record.data for one in store.read()] == ["{}"]


def test_too_many_large_records_are_pruned_to_the_record_without_a_look_at_them(server: Server) -> None:
    with opened(server.url) as store:
        large(server, 60)
        places = [one.place for one in store.read()]
        assert store.prune(DAY_S, 40, limit=15) == 15
        assert scripts(server, lambda: store.prune(DAY_S, 40)) == 2
        assert [one.place for one in store.read()] == places[20:]


def test_what_is_old_and_what_is_too_much_are_counted_once(server: Server) -> None:
    with opened(server.url) as store:
        arrived(server, *range(1, 11))
        assert store.prune(back(4.5), 8) == 4
        assert len(store.read()) == 6
        assert store.prune(back(6.5), 3) == 3
        assert [one.place for one in store.read()] == [place(8), place(9), place(10)]
