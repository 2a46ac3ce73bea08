"""Which rows of the bench say nothing any more, and go."""

from __future__ import annotations

import math
from typing import Any

import pytest

from engine.bench import Bench
from engine.entry import Entry, Lease
from engine.stay import Stay
from engine.store.rows import is_forgettable, write_entry

DAY_S = 86_400.0
WRITTEN = 1e9


def benched(length_s: float | None = 300.0, **facts: Any) -> Entry:
    known = {"generation": 1, "failures": 1, "top_level": 1, "healthy_since": WRITTEN, "decay_s": 300.0}
    return Entry("p/a", auto=Stay(WRITTEN, length_s, "server_error"), **(known | facts))


HELD = Stay(WRITTEN, 60.0, "mine", by="me")

KEPT = [
    ("a bench counts for a day after its end", benched(), 300 + DAY_S),
    ("or for as long as its level does", benched(top_level=5, decay_s=DAY_S), 300 + 5 * DAY_S),
    ("one without an end for ever", benched(None), math.inf),
    ("a level that does not decay for ever", benched(decay_s=math.inf), math.inf),
    ("a hold for ever, until it is lifted", benched(hold=HELD), math.inf),
    ("a trial too", benched(lease=Lease(1, "request", WRITTEN + 60)), math.inf),
    ("failures for a day", Entry("p/a", failures=2, healthy_since=WRITTEN), DAY_S),
    (
        "the level of one that came back until it is gone",
        Entry("p/a", top_level=3, healthy_since=WRITTEN, decay_s=DAY_S),
        3 * DAY_S,
    ),
    ("one that says nothing for a day, for attempts that are under way", Entry("p/a", generation=3), DAY_S),
]


@pytest.mark.parametrize(("entry", "kept_s"), [case[1:] for case in KEPT], ids=[case[0] for case in KEPT])
def test_a_row_is_kept_as_long_as_it_counts(entry: Entry, kept_s: float) -> None:
    text = write_entry(entry, WRITTEN)
    kept_s = min(kept_s, 4000 * DAY_S)
    assert not is_forgettable("p/a", text, WRITTEN + kept_s - 1)
    assert is_forgettable("p/a", text, WRITTEN + kept_s + 1) == (kept_s < 4000 * DAY_S)


def test_what_was_written_less_than_a_day_ago_is_kept() -> None:
    text = write_entry(benched(), WRITTEN + 10 * DAY_S)
    assert not is_forgettable("p/a", text, WRITTEN + 11 * DAY_S - 1)
    assert is_forgettable("p/a", text, WRITTEN + 11 * DAY_S + 1)


class Counted(Entry):
    """An entry that counts how often it is looked at for its end."""

    looks = 0

    def next_end(self) -> float:
        Counted.looks += 1
        return super().next_end()


def test_taking_over_one_entry_looks_at_no_other() -> None:
    now = [100.0]
    bench = Bench(lambda: now[0])
    bench.put(Counted(f"p/{number}", auto=Stay(50.0, 60.0 + number, "x")) for number in range(1000))
    assert bench.next_end() == 110.0
    Counted.looks = 0
    bench.put([Counted("p/0", auto=Stay(50.0, 900.0, "x")), Counted("p/late", auto=Stay(50.0, 5000.0, "x"))])
    assert Counted.looks <= 4
    assert bench.next_end() <= 111.0
    now[0] = 110.5
    assert bench.expire() == []
    assert bench.next_end() == 111.0
    bench.put([Counted("p/soon", auto=Stay(50.0, 60.7, "x"))])
    assert bench.next_end() == 110.7


def test_a_bench_without_entries_ends_nothing() -> None:
    bench = Bench(lambda: 100.0)
    bench.put([])
    assert bench.next_end() == math.inf
    assert bench.expire() == []
