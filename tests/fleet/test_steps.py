"""What a step does in a store that knows more, or less, than the engine that took it."""

from __future__ import annotations

import pytest

from engine.bench import Bench
from engine.entry import Entry
from engine.stay import Sentence, Terms, Ticket
from engine.steps import Failed, Succeeded, TrialTaken, take
from engine.store.rows import read_entry, write_entry
from engine.store.shift import Shift

SENTENCE = Sentence("bad", Terms(60.0))


def test_a_failure_of_before_its_provider_was_brought_back_counts_nowhere() -> None:
    whole = Entry("p/*", generation=1)  # another engine's operator, of whom this engine does not know yet
    entry, transitions = take(Failed(Ticket("p/a", 0), SENTENCE), [whole], 100.0)
    assert transitions == []
    assert entry is not None
    assert entry.is_blank


@pytest.mark.parametrize("generation", [0, 7])
def test_a_failure_of_which_the_store_knows_nothing_counts(generation: int) -> None:
    """An engine that made room, or a store that lost what it had: their generations differ."""
    entry, transitions = take(Failed(Ticket("p/a", generation), SENTENCE), [], 100.0)
    assert len(transitions) == 1
    assert entry is not None
    assert entry.generation == generation + 1
    bench = Bench(lambda: 100.0)
    bench.put([entry])
    assert bench.block("p/a") is not None


def test_what_the_store_does_not_know_can_neither_succeed_nor_be_tried() -> None:
    assert take(Succeeded(Ticket("p/a", 3)), [], 1.0) == (None, [])
    assert take(TrialTaken("p/a", "request", 5.0, 1), [], 1.0) == (None, [])


def test_a_row_of_nonsense_is_no_row() -> None:
    text = write_entry(Entry("p/a", generation=2, failures=1), 100.0)
    assert read_entry("p/a", text, 100.0) is not None
    for bad in (
        text.replace("100.0", "NaN"),
        text.replace("100.0", "1e999"),
        text.replace(": 2", ": Infinity"),
        text.replace("0.0", "NaN"),
        "[" * 100_000,
    ):
        assert read_entry("p/a", bad, 100.0) is None


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_many_looks_at_a_distant_clock_know_more_than_one() -> None:
    clock = Clock()
    shift = Shift(clock)  # the store's clock is 1000 seconds ahead
    clock.now = 10.0
    assert shift.seen(9.0, 1009.9) == pytest.approx(-1000.0, abs=0.5)
    clock.now = 20.0
    assert shift.seen(19.99, 1019.995) == pytest.approx(-1000.0, abs=0.006)
    clock.now = 30.0
    assert shift.seen(29.0, 1029.1) == pytest.approx(-1000.0, abs=0.006)


def test_a_clock_that_was_set_is_believed_at_once() -> None:
    clock = Clock()
    shift = Shift(clock)
    clock.now = 10.0
    assert shift.seen(10.0, 110.0) == -100.0
    for there, expected in ((86_410.0, -86_400.0), (9.0, 1.0), (9.5, 0.5)):
        assert shift.seen(10.0, there) == expected
