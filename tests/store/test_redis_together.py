"""Several processes at one Redis server: no change is lost, and everybody soon hears of it."""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from engine.store.base import Row
from engine.store.redis import RedisStore
from tests.store import redis_server
from tests.store.patience import PATIENCE_S, soon
from tests.store.redis_server import Server
from tests.store.redis_stage import WHAT, opened, put


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server.running() as server:
        yield server


def is_hinted(store: RedisStore, within_s: float) -> bool:
    hint = store.hint()
    assert hint is not None
    return bool(select.select([hint], [], [], within_s)[0])


# Changes at the same time

_COUNTS = """
import sys
from engine.store.redis import RedisStore

store = RedisStore(sys.argv[1], answer_within_s=20.0)
store.open()
print("ready", flush=True)
sys.stdin.readline()
for _ in range(100):
    store.update("a/b", (), lambda texts, now: str(int(texts.get("a/b", "0")) + 1))
store.close()
"""


def test_eight_processes_lose_none_of_their_changes(server: Server) -> None:
    counters = [
        subprocess.Popen(
            [sys.executable, "-c", _COUNTS, server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    try:
        for counter in counters:
            assert counter.stdout is not None
            assert counter.stdout.readline() == "ready\n"
        for counter in counters:
            counter.communicate("go\n", timeout=PATIENCE_S)
        assert [counter.returncode for counter in counters] == [0] * 8
    finally:
        for counter in counters:
            counter.kill()
            counter.communicate()
    with opened(server.url) as store:
        assert [row.state for row in store.rows().rows] == ["800"]


@pytest.mark.parametrize("changed", ["a/b", "a/*"])
def test_a_step_is_taken_again_if_anything_it_saw_has_changed(server: Server, changed: str) -> None:
    with opened(server.url) as store, opened(server.url) as other:
        put(other, "a/b", "1")
        put(other, "a/*", "1")
        put(other, "a/c", "1")
        seen: list[Mapping[str, str]] = []

        def step(texts: Mapping[str, str], _now: float) -> str:
            seen.append(dict(texts))
            put(other, "a/c", "beside the point")
            if len(seen) == 1:
                put(other, changed, "2")
            return "mine"

        written = store.update("a/b", ("a/*", "a/none"), step)
        first = {"a/b": "1", "a/*": "1"}
        assert seen == [first, first | {changed: "2"}]
        assert written.row == next(row for row in store.rows().rows if row.name == "a/b")
        assert written.row.state == "mine"


def test_a_step_is_taken_again_if_a_row_it_saw_is_gone(server: Server) -> None:
    with opened(server.url) as store, opened(server.url) as other:
        version = put(other, "a/b", "1").row.version
        seen: list[Mapping[str, str]] = []

        def step(texts: Mapping[str, str], _now: float) -> str | None:
            seen.append(dict(texts))
            other.forget({"a/b": version})
            return "mine" if texts else None

        assert store.update("a/b", (), step).row == Row("a/b", 0, "")
        assert seen == [{"a/b": "1"}, {}]


def test_a_step_whose_process_stood_still_is_taken_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []
    with opened(server.url) as store:
        real = store._look

        def look(*args: Any) -> tuple[list[Row], float]:
            rows, now = real(*args)
            return rows, now if times else now - 2.0

        monkeypatch.setattr(store, "_look", look)

        def step(_texts: Mapping[str, str], now: float) -> str:
            times.append(now)
            return str(len(times))

        written = store.update("a/b", (), step)
        assert written.row.state == "2"
        assert abs(written.now - times[1]) < abs(written.now - times[0])


def test_a_row_that_never_stands_still_is_given_up(server: Server) -> None:
    with opened(server.url) as store, opened(server.url) as other:
        steps = 0

        def step(_texts: Mapping[str, str], _now: float) -> str:
            nonlocal steps
            steps += 1
            put(other, "a/b", str(steps))
            return "mine"

        with pytest.raises(Exception, match="a/b changes so fast"):
            store.update("a/b", (), step)
        assert steps == 50
        assert store.rows().rows[0].state == "50"


_FORKS = """
import os, sys
from engine.store.base import StoreError
from engine.store.redis import RedisStore

store = RedisStore(sys.argv[1], answer_within_s=20.0)
store.open()
version = store.rows().version
child = os.fork()
if not child:
    assert store.hint() is None
    try:
        store.rows()
    except StoreError as error:
        assert "not open in this process" in str(error), error
        store.open()
        store.update("a/b", (), lambda texts, now: "of the child")
        store.close()
        os._exit(7)
    os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert store.changed()
assert store.hint() is not None
assert [row.state for row in store.rows(version).rows] == ["of the child"]
store.close()
"""


def test_a_forked_process_opens_a_connection_of_its_own(server: Server) -> None:
    subprocess.run([sys.executable, "-c", _FORKS, server.url], check=True, timeout=PATIENCE_S)


# Hints


def test_a_change_is_hinted_to_others_at_once(server: Server) -> None:
    with opened(server.url) as store, opened(server.url) as other:
        assert not is_hinted(store, 0)
        # A busy machine may miss the limit now and then; a hint that came late by itself would each time.
        assert any(takes_notice(store, lambda: put(other, "a/b", "text")) for _ in range(5))
        gone = other.rows().rows[0]
        takes_notice(store, lambda: other.forget({gone.name: gone.version}))


def test_the_journal_wakes_nobody_and_is_seen_by_looking(server: Server) -> None:
    with opened(server.url) as store, opened(server.url) as other:
        other.append([WHAT])
        put(other, "a/b", "text")  # whose hint would come after one of the journal
        assert is_hinted(store, PATIENCE_S)
        assert store._ear is not None
        line = store._ear._line()
        assert line is not None
        assert line.recv(65_536).count(b"message") == 1
        assert store.changed()
        other.append([WHAT])
        assert store.changed()
        assert not is_hinted(store, 0)


def takes_notice(store: RedisStore, act: Callable[[], object]) -> bool:
    act()
    hinted = is_hinted(store, 0.25)
    assert is_hinted(store, PATIENCE_S)
    assert store.changed()
    return hinted


def test_a_hint_is_taken_in_by_looking(server: Server) -> None:
    with opened(server.url) as store, opened(server.url) as other:
        for number in range(300):
            put(other, "a/b", str(number))
        assert is_hinted(store, PATIENCE_S)
        assert store.changed()
        # The last of them may still be on its way: it hints at nothing new, and is taken in too.
        assert soon(lambda: not store.changed() and not is_hinted(store, 0))


def test_nobody_takes_its_own_changes_for_those_of_others(server: Server) -> None:
    with opened(server.url) as store, opened(server.url) as other:
        version = put(store, "a/b", "text").row.version
        store.append([WHAT, WHAT._replace(number=1), WHAT._replace(number=1)])
        store.append([WHAT._replace(number=1)])
        store.prune(1e12, 1)
        store.forget({"a/b": version})
        assert not store.changed()
        put(other, "a/c", "text")
        put(store, "a/b", "text")
        assert store.changed()
        for rows in (9, 2):  # the latter leaves as many as there were before
            other.append([WHAT])
            other.prune(1e12, rows)
            store.append([WHAT])
            assert store.changed()
            assert not store.changed()


def test_without_hints_changes_are_seen_all_the_same(server: Server) -> None:
    with opened(server.url) as store, opened(server.url) as other:
        assert 0.8 <= store.poll_s <= 1.0
        server.ask("CLIENT", "KILL", "TYPE", "pubsub")
        assert is_hinted(store, PATIENCE_S)
        assert not store.changed()
        assert store.hint() is None
        assert store.poll_s == 0.2
        put(other, "a/b", "text")
        assert store.changed()
        store.open()
        put(other, "a/b", "more")
        assert is_hinted(store, PATIENCE_S)
        assert store.poll_s >= 0.8


def test_a_user_who_may_not_publish_or_subscribe_does_without_hints(server: Server) -> None:
    server.ask("ACL", "SETUSER", "app", "on", ">secret", "resetchannels", "~standby:*", "+@all")
    with opened(server.url) as other, opened(server.url.replace("//", "//app:secret@")) as store:
        assert store.hint() is None
        assert store.poll_s == 0.2
        put(store, "a/b", "text")
        store.append([WHAT])
        assert other.changed()
        assert [row.state for row in other.rows().rows] == ["text"]
        assert len(other.read()) == 1
