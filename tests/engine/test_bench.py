"""The bench: failures, successes, unbenching, ends, and room, on a clock that the tests move."""

from __future__ import annotations

import math

import pytest

from engine.stay import Benched, Due, Transition, Unbenched
from tests.engine.benching import Scene, sentence


@pytest.fixture
def scene() -> Scene:
    return Scene()


def _names(transitions: list[Transition]) -> list[str]:
    return [transition.name for transition in transitions]


def test_a_failure_benches_for_exactly_its_length(scene: Scene) -> None:
    (transition,) = scene.fail()
    assert isinstance(transition, Benched)
    assert (transition.stay.since, transition.stay.until) == (100.0, 160.0)
    assert (transition.manual, transition.level, transition.failures) == (False, 1, 1)
    scene.clock.now = 159.999
    assert scene.state() == "benched"
    scene.clock.now = 160.0
    assert scene.state() == "due"


def test_the_bench_waits_for_enough_failures_in_a_row(scene: Scene) -> None:
    assert scene.fail(after=3) == []
    assert scene.fail(after=3) == []
    assert scene.state() == "live"
    (transition,) = scene.fail(after=3)
    assert isinstance(transition, Benched)
    assert transition.failures == 3


def test_nothing_counts_against_a_name_nobody_has_heard_of(scene: Scene) -> None:
    assert (scene.bench.failures("p/m"), scene.bench.level("p/m")) == (0, 0)


def test_a_name_is_known_while_anything_is_remembered_of_it_or_keeps_it_out(scene: Scene) -> None:
    scene.fail("p/vendor/m", after=2)
    scene.fail("q#k/m")
    scene.bench.hold("r/*", None, "", "alice")
    known = ["p/vendor/m", "p/*", "q#k/m", "q/*", "r/*", "r/any"]
    unknown = ["p/other", "q#k", "q/m", "s/*", "pp/*"]
    assert [name for name in (*known, *unknown) if scene.bench.knows(name)] == known


def test_a_success_begins_the_count_anew(scene: Scene) -> None:
    scene.fail(after=2)
    scene.succeed()
    assert scene.fail(after=2) == []


def test_a_failure_under_way_when_the_bench_began_changes_nothing(scene: Scene) -> None:
    late = scene.bench.ticket("p/m")
    scene.fail()
    scene.at(110.0)
    assert scene.bench.failed(late, sentence(exact_s=500.0)) == []
    block = scene.block()
    assert (block.stay.until, block.level, block.failures) == (160.0, 1, 1)


def test_a_failure_made_while_benched_changes_nothing(scene: Scene) -> None:
    scene.fail()
    scene.at(110.0)
    assert scene.fail(exact_s=500.0) == []
    block = scene.block()
    assert (block.stay.until, block.level, block.failures) == (160.0, 1, 1)


def test_a_failure_of_an_attempt_made_while_benched_changes_nothing_once_the_model_is_due(
    scene: Scene,
) -> None:
    scene.fail()
    tried_anyway = scene.bench.ticket("p/m")
    scene.at(160.0)
    assert scene.bench.failed(tried_anyway, sentence()) == []
    assert (scene.state(), scene.block().level) == ("due", 1)


def test_a_success_made_while_benched_lifts_the_bench(scene: Scene) -> None:
    scene.fail()
    assert scene.succeed() == [Unbenched("p/m", manual=False, why="success")]
    assert scene.state() == "live"
    assert scene.bench.failures("p/m") == 0


def test_a_success_that_began_before_the_bench_does_not_lift_it(scene: Scene) -> None:
    early = scene.bench.ticket("p/m")
    scene.fail()
    assert scene.bench.succeeded(early) == []
    assert scene.state() == "benched"


@pytest.mark.parametrize("way", ["success", "unbench"])
def test_a_failure_from_before_the_bench_is_not_heard_once_the_model_is_back(scene: Scene, way: str) -> None:
    early = scene.bench.ticket("p/m")
    scene.fail()
    if way == "success":
        scene.succeed()
    else:
        scene.bench.unbench("p/m", "alice")
    assert scene.bench.failed(early, sentence()) == []
    assert scene.state() == "live"


def test_a_success_that_began_before_the_unbench_does_not_clear_what_came_after(scene: Scene) -> None:
    early = scene.bench.ticket("p/m")
    scene.bench.unbench("p/m", "alice")
    scene.fail(after=2)
    assert scene.bench.succeeded(early) == []
    assert scene.bench.failures("p/m") == 1


@pytest.mark.parametrize("benched_before", [True, False])
@pytest.mark.parametrize("what", ["p/m", "p/*"])
def test_an_unbench_is_not_undone_by_a_failure_that_was_in_flight(
    scene: Scene, what: str, benched_before: bool
) -> None:
    if benched_before:
        scene.fail()
    in_flight = scene.bench.ticket("p/m")
    scene.bench.unbench(what, "alice")
    assert scene.bench.failed(in_flight, sentence()) == []
    assert scene.state() == "live"
    assert scene.bench.failures("p/m") == 0


@pytest.mark.parametrize("name", ["p/m", "p/vendor/m", "p#k", "p#k/m"])
def test_an_unbench_of_a_provider_fences_off_what_is_in_flight_for_good(scene: Scene, name: str) -> None:
    in_flight = scene.bench.ticket(name)
    scene.bench.unbench("p/*", "alice")
    assert scene.fail(name, after=3) == []
    assert scene.bench.failed(in_flight, sentence()) == []
    assert scene.bench.failures(name) == 1


def test_an_unbench_of_a_provider_leaves_what_is_in_flight_elsewhere_alone(scene: Scene) -> None:
    in_flight = scene.bench.ticket("q/m")
    scene.bench.unbench("p/*", "alice")
    assert _names(scene.bench.failed(in_flight, sentence())) == ["q/m"]


def test_a_failure_that_began_after_the_unbench_counts(scene: Scene) -> None:
    scene.fail()
    scene.bench.unbench("p/*", "alice")
    assert _names(scene.fail()) == ["p/m"]


# Unbenching


def test_unbench_clears_hold_bench_failures_level_and_keys_at_once(scene: Scene) -> None:
    scene.fail()
    scene.fail("p#k")
    scene.fail("p#k/m")
    scene.bench.hold("p/m", None, "", "alice")
    assert scene.bench.unbench("p/m", "bob", also=["p#k", "p#k/m"]) == [
        Unbenched("p#k", manual=False, why="operator", by="bob"),
        Unbenched("p#k/m", manual=False, why="operator", by="bob"),
        Unbenched("p/m", manual=True, why="operator", by="bob"),
    ]
    assert (scene.bench.failures("p/m"), scene.bench.level("p/m")) == (0, 0)
    assert scene.bench.blocks() == []


def test_unbench_of_what_is_not_out_says_so(scene: Scene) -> None:
    scene.fail(after=2)
    assert scene.bench.unbench("p/m", "bob") == []
    assert scene.bench.failures("p/m") == 0


def test_unbench_of_what_is_due_brings_it_back(scene: Scene) -> None:
    scene.fail()
    assert scene.at(160.0) == [Due("p/m", awaits_probe=False)]
    assert scene.bench.unbench("p/m", "bob") == [Unbenched("p/m", manual=False, why="operator", by="bob")]
    assert scene.state() == "live"


def test_unbench_of_a_provider_brings_all_its_models_and_keys_back(scene: Scene) -> None:
    scene.bench.hold("p/*", None, "", "alice")
    for name in ("p/m", "p#k/m", "p#k", "q/m", "pp/m"):
        scene.fail(name)
    assert _names(scene.bench.unbench("p/*", "bob")) == ["p#k", "p#k/m", "p/*", "p/m"]
    assert [block.name for block in scene.bench.blocks()] == ["pp/m", "q/m"]


def test_blocks_are_in_the_order_of_the_names_and_leave_the_live_out(scene: Scene) -> None:
    scene.bench.hold("q/*", None, "", "alice")
    for name in ("p/z", "p/a", "p#k", "a/m"):
        scene.fail(name)
    scene.fail("p/live", after=2)
    assert [block.name for block in scene.bench.blocks()] == ["a/m", "p#k", "p/a", "p/z", "q/*"]


def test_the_next_end_is_the_soonest_one(scene: Scene) -> None:
    assert scene.bench.next_end() == math.inf
    scene.fail("p/a")
    scene.fail("p/b", exact_s=30.0)
    scene.bench.hold("p/c", 40.0, "", "alice")
    scene.bench.hold("p/d", None, "", "alice")
    assert scene.bench.next_end() == 130.0
    scene.at(130.0)
    assert scene.bench.next_end() == 140.0
    scene.take("p/b", lease_s=5.0)
    assert scene.bench.next_end() == 135.0
    scene.at(140.0)
    assert scene.bench.next_end() == 160.0
    scene.at(160.0)
    assert scene.bench.next_end() == math.inf


def test_what_is_over_is_told_at_once_in_one_go(scene: Scene) -> None:
    scene.fail("p/a")
    scene.fail("p#k")
    scene.bench.hold("p/a", 60.0, "", "alice")
    assert scene.at(500.0) == [
        Unbenched("p/a", manual=True, why="expired"),
        Due("p/a", awaits_probe=False),
        Unbenched("p#k", manual=False, why="expired"),
    ]
    assert scene.bench.expire() == []


# Room


def test_names_that_nobody_waits_for_make_room(scene: Scene) -> None:
    scene.bench.hold("p/held", None, "", "alice")
    scene.fail("p/benched", exact_s=500.0)
    early = scene.bench.ticket("p/0")
    for n in range(9_998):
        scene.bench.unbench(f"p/{n}", "alice")
    assert len(scene.bench._entries) == 10_000
    scene.fail("p/one-more")
    assert len(scene.bench._entries) == 5_001
    assert [block.name for block in scene.bench.blocks()] == ["p/benched", "p/held", "p/one-more"]
    assert scene.bench.failed(early, sentence()) == []


def test_a_name_that_made_room_does_not_hear_its_old_tickets(scene: Scene) -> None:
    scene.fail("p/0")
    scene.at(160.0)
    old = scene.bench.ticket("p/0")
    for n in range(1, 10_001):
        scene.bench.unbench(f"p/{n}", "alice")
    assert scene.state("p/0") == "live"
    assert scene.bench.failed(old, sentence()) == []
    assert scene.bench.succeeded(old) == []
    assert _names(scene.fail("p/0")) == ["p/0"]


def test_an_unbench_in_a_crowd_still_fences_its_provider(scene: Scene) -> None:
    scene.bench.unbench("p/*", "alice")
    early = scene.bench.ticket("p/m")
    for n in range(10_000):
        scene.bench.unbench(f"q/{n}", "alice")
    scene.bench.unbench("p/*", "alice")
    assert scene.bench.failed(early, sentence()) == []
