"""The bench's state machine on a clock that the tests move."""

from __future__ import annotations

import pytest

from engine.bench import Bench, Benched, Unbenched


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bench(clock: Clock) -> Bench:
    return Bench(clock)


def _fail(bench: Bench, name: str = "p/m", length: float = 60.0, after: int = 1) -> list[object]:
    return list(bench.failed(bench.ticket(name), length, "overloaded", after=after))


def test_a_failure_benches_for_exactly_its_length(bench: Bench, clock: Clock) -> None:
    (transition,) = _fail(bench)
    assert isinstance(transition, Benched)
    assert (transition.stay.since, transition.stay.until) == (100.0, 160.0)
    clock.now = 159.999
    assert bench.block("p/m") is not None
    clock.now = 160.0
    assert bench.block("p/m") is None


def test_an_expired_bench_is_told_of_once(bench: Bench, clock: Clock) -> None:
    _fail(bench)
    clock.now = 160.0
    assert bench.expire() == [Unbenched("p/m", manual=False, why="expired")]
    assert bench.expire() == []


def test_the_bench_waits_for_enough_failures_in_a_row(bench: Bench) -> None:
    assert _fail(bench, after=3) == []
    assert _fail(bench, after=3) == []
    (transition,) = _fail(bench, after=3)
    assert isinstance(transition, Benched)
    assert transition.failures == 3


def test_a_success_begins_the_count_anew(bench: Bench) -> None:
    _fail(bench, after=2)
    bench.succeeded(bench.ticket("p/m"))
    assert _fail(bench, after=2) == []


def test_a_failure_under_way_when_the_bench_began_changes_nothing(bench: Bench, clock: Clock) -> None:
    late = bench.ticket("p/m")
    _fail(bench, length=60)
    clock.now = 110.0
    assert bench.failed(late, 600, "overloaded") == []
    block = bench.block("p/m")
    assert block is not None
    assert (block.stay.until, block.level, block.failures) == (160.0, 1, 1)


def test_a_failure_made_while_benched_changes_nothing(bench: Bench) -> None:
    _fail(bench, length=60)
    assert _fail(bench, length=600) == []
    block = bench.block("p/m")
    assert block is not None
    assert block.stay.until == 160.0


def test_a_success_made_while_benched_lifts_the_bench(bench: Bench) -> None:
    _fail(bench)
    assert bench.succeeded(bench.ticket("p/m")) == [Unbenched("p/m", manual=False, why="success")]
    assert bench.block("p/m") is None


def test_a_success_that_began_before_the_bench_does_not_lift_it(bench: Bench) -> None:
    early = bench.ticket("p/m")
    _fail(bench)
    assert bench.succeeded(early) == []
    assert bench.block("p/m") is not None


def test_an_unbench_is_not_undone_by_a_failure_that_was_in_flight(bench: Bench) -> None:
    _fail(bench)
    in_flight = bench.ticket("p/m")
    bench.unbench("p/m", "alice")
    assert bench.failed(in_flight, 60, "overloaded") == []
    assert bench.block("p/m") is None


def test_no_success_lifts_a_hold(bench: Bench) -> None:
    bench.hold("p/m", None, "cost", "alice")
    bench.succeeded(bench.ticket("p/m"))
    block = bench.block("p/m")
    assert block is not None
    assert (block.manual, block.stay.by, block.stay.until) == (True, "alice", None)


def test_a_hold_lies_over_an_automatic_bench_and_leaves_it_there(bench: Bench, clock: Clock) -> None:
    _fail(bench, length=600)
    bench.hold("p/m", 60, "cost", "alice")
    block = bench.block("p/m")
    assert block is not None
    assert block.manual
    clock.now = 160.0
    assert bench.expire() == [Unbenched("p/m", manual=True, why="expired")]
    block = bench.block("p/m")
    assert block is not None
    assert not block.manual


def test_unbench_clears_hold_bench_failures_and_keys_at_once(bench: Bench) -> None:
    _fail(bench)
    _fail(bench, "p#k")
    bench.hold("p/m", None, "", "alice")
    gone = bench.unbench("p/m", "bob", also=["p#k", "p#k/m"])
    assert gone == [
        Unbenched("p#k", manual=False, why="operator", by="bob"),
        Unbenched("p/m", manual=True, why="operator", by="bob"),
    ]
    assert bench.failures("p/m") == 0
    assert bench.blocks() == []


def test_unbench_of_what_is_not_out_says_so(bench: Bench) -> None:
    assert bench.unbench("p/m", "bob") == []


def test_a_provider_hold_covers_models_nobody_has_named_yet(bench: Bench) -> None:
    bench.hold("p/*", None, "maintenance", "alice")
    block = bench.block("p/never-seen")
    assert block is not None
    assert block.name == "p/*"
    assert bench.block("q/m") is None


def test_one_model_can_be_taken_out_of_a_provider_hold(bench: Bench) -> None:
    bench.hold("p/*", None, "", "alice")
    assert bench.unbench("p/m", "bob") == [Unbenched("p/m", manual=True, why="operator", by="bob")]
    assert bench.block("p/m") is None
    assert bench.block("p/other") is not None


def test_unbench_of_a_provider_brings_all_its_models_and_keys_back(bench: Bench) -> None:
    bench.hold("p/*", None, "", "alice")
    _fail(bench, "p/m")
    _fail(bench, "p#k/m")
    _fail(bench, "q/m")
    bench.unbench("p/*", "bob")
    assert [block.name for block in bench.blocks()] == ["q/m"]


def test_the_next_end_is_the_soonest_one(bench: Bench, clock: Clock) -> None:
    assert bench.next_end() is None
    _fail(bench, "p/a", 60)
    _fail(bench, "p/b", 30)
    assert bench.next_end() == 130.0
    clock.now = 130.0
    bench.expire()
    assert bench.next_end() == 160.0


def test_a_dead_key_is_not_to_be_tried_again(bench: Bench) -> None:
    bench.failed(bench.ticket("p#k"), 60, "invalid_key", dead=True)
    block = bench.block("p#k")
    assert block is not None
    assert not block.may_be_tried
