"""How long a bench is: its level, how that rises and falls, and what the provider asked for."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.stay import HIGHEST_LEVEL, Benched, Sentence, Terms, Transition
from tests.engine.benching import Scene, sentence


@pytest.fixture
def scene() -> Scene:
    return Scene()


def _fail_trial(scene: Scene, **facts: Any) -> list[Transition]:
    """The model's trial, taken the moment it is due, fails."""
    scene.at(scene.block().stay.end)
    return scene.bench.failed(scene.take(), sentence(**facts))


def _benched_times(scene: Scene, times: int, **facts: Any) -> None:
    scene.fail("p/m", **facts)
    for _ in range(times - 1):
        _fail_trial(scene, **facts)


# Up


def test_each_further_bench_is_longer_up_to_the_longest(scene: Scene) -> None:
    scene.fail()
    lengths = [scene.length_s()]
    for _ in range(5):
        _fail_trial(scene)
        lengths.append(scene.length_s())
    assert lengths == [60.0, 120.0, 240.0, 480.0, 600.0, 600.0]


def test_the_level_rises_on_when_the_bench_is_the_longest_already(scene: Scene) -> None:
    _benched_times(scene, 20)
    assert (scene.length_s(), scene.block().level) == (600.0, 20)


def test_without_growth_the_level_rises_to_the_highest_and_no_further(scene: Scene) -> None:
    _benched_times(scene, HIGHEST_LEVEL + 5, terms=Terms(60.0, growth=1.0, longest_s=600.0))
    assert (scene.length_s(), scene.block().level) == (60.0, HIGHEST_LEVEL)


@pytest.mark.parametrize("growth", [1e200, 1e308])
def test_a_huge_growth_ends_at_the_longest_bench(scene: Scene, growth: float) -> None:
    _benched_times(scene, 6, terms=Terms(60.0, growth=growth, longest_s=600.0))
    assert (scene.length_s(), scene.block().level) == (600.0, 6)
    assert Terms(60.0, growth, 600.0).length_s(HIGHEST_LEVEL) == 600.0


@given(
    cooldown=st.floats(1e-3, 1e6),
    growth=st.floats(1.0, 1e200),
    longest=st.floats(1e-3, 1e6),
    level=st.integers(1, HIGHEST_LEVEL),
)
def test_a_higher_level_is_never_shorter_and_none_exceeds_the_longest(
    cooldown: float, growth: float, longest: float, level: int
) -> None:
    terms = Terms(cooldown, growth, longest)
    assert min(cooldown, longest) <= terms.length_s(level) <= terms.length_s(level + 1) <= longest


def test_the_level_rises_once_per_time_in_play(scene: Scene) -> None:
    first, *others = [scene.bench.ticket("p/m") for _ in range(10)]
    scene.bench.failed(first, sentence())
    while_benched = [scene.bench.ticket("p/m") for _ in range(10)]
    for ticket in (*others, *while_benched):
        assert scene.bench.failed(ticket, sentence()) == []
    assert (scene.block().level, scene.block().failures, scene.length_s()) == (1, 1, 60.0)


def test_a_bench_is_as_long_as_the_request_that_caused_it_says(scene: Scene) -> None:
    scene.fail(terms=Terms(10.0, growth=3.0, longest_s=600.0))
    assert scene.length_s() == 10.0
    _fail_trial(scene, terms=Terms(7.0, growth=5.0, longest_s=600.0))
    assert scene.length_s() == 35.0


# Down


def test_one_lucky_success_does_not_reset_the_level(scene: Scene) -> None:
    _benched_times(scene, 3)
    scene.succeed()
    assert (scene.bench.failures("p/m"), scene.bench.level("p/m")) == (0, 3)
    scene.fail()
    assert (scene.block().level, scene.length_s()) == (4, 480.0)


def test_the_level_falls_by_one_for_each_healthy_cooldown(scene: Scene) -> None:
    _benched_times(scene, 3)
    scene.succeed()
    back = scene.clock.now
    levels = []
    for healthy_s in (59.9, 60.0, 119.9, 120.0, 179.9, 180.0, 10_000.0):
        scene.clock.now = back + healthy_s
        levels.append(scene.bench.level("p/m"))
    assert levels == [3, 2, 2, 1, 1, 0, 0]
    scene.fail()
    assert (scene.block().level, scene.length_s()) == (1, 60.0)


def test_time_on_the_bench_due_or_on_trial_is_not_healthy(scene: Scene) -> None:
    _benched_times(scene, 3)
    scene.at(5_000.0)
    assert (scene.state(), scene.block().level) == ("due", 3)
    ticket = scene.take(lease_s=9_000.0)
    scene.at(10_000.0)
    assert scene.block().level == 3
    scene.bench.failed(ticket, sentence())
    assert scene.block().level == 4


def test_a_counted_failure_begins_the_healthy_time_anew(scene: Scene) -> None:
    _benched_times(scene, 3)
    scene.succeed()
    back = scene.clock.now
    scene.clock.now = back + 59.0
    assert scene.fail(after=2) == []
    scene.clock.now = back + 61.0
    assert scene.bench.level("p/m") == 3
    scene.clock.now = back + 59.0 + 60.0
    assert scene.bench.level("p/m") == 2


def test_a_failure_that_is_not_heard_leaves_the_healthy_time_alone(scene: Scene) -> None:
    early = scene.bench.ticket("p/m")
    _benched_times(scene, 3)
    scene.succeed()
    back = scene.clock.now
    scene.clock.now = back + 59.0
    scene.bench.failed(early, sentence())
    scene.clock.now = back + 60.0
    assert scene.bench.level("p/m") == 2


def test_the_level_falls_at_the_pace_of_the_bench_that_gave_it(scene: Scene) -> None:
    scene.fail()
    _fail_trial(scene, terms=Terms(10.0, growth=2.0, longest_s=600.0))
    scene.succeed()
    scene.clock.now += 10.0
    assert scene.bench.level("p/m") == 1


def test_a_cooldown_of_nothing_benches_for_nothing_and_leaves_no_level(scene: Scene) -> None:
    scene.fail(terms=Terms(0.0))
    assert (scene.state(), scene.length_s()) == ("due", 0.0)
    scene.bench.succeeded(scene.take())
    assert scene.bench.level("p/m") == 0
    scene.fail()
    assert scene.block().level == 1


def test_a_level_falls_after_any_time_however_long(scene: Scene) -> None:
    scene.fail(terms=Terms(5e-324, longest_s=600.0))
    scene.bench.succeeded(scene.take())
    scene.clock.now = 1e9
    assert scene.bench.level("p/m") == 0


def test_unbench_forgets_the_level(scene: Scene) -> None:
    _benched_times(scene, 3)
    scene.bench.unbench("p/m", "alice")
    assert scene.bench.level("p/m") == 0
    scene.fail()
    assert scene.length_s() == 60.0


# What the provider asked for


@pytest.mark.parametrize(("asked_s", "length_s"), [(7.0, 7.0), (300.0, 300.0), (9_999.0, 600.0)])
def test_what_the_provider_asks_for_is_the_length_whatever_the_level(
    scene: Scene, asked_s: float, length_s: float
) -> None:
    _benched_times(scene, 3)
    _fail_trial(scene, exact_s=asked_s, floor_s=asked_s)
    assert (scene.length_s(), scene.block().level) == (length_s, 4)


@pytest.mark.parametrize(("asked_s", "length_s"), [(7.0, 60.0), (300.0, 300.0), (9_999.0, 600.0)])
def test_what_was_asked_before_the_attempts_ran_out_only_lengthens_the_bench(
    scene: Scene, asked_s: float, length_s: float
) -> None:
    scene.fail(floor_s=asked_s)
    assert scene.length_s() == length_s


def test_a_shorter_wait_asked_for_later_does_not_shorten_the_bench(scene: Scene) -> None:
    second = scene.bench.ticket("p/m")
    scene.fail(exact_s=300.0)
    scene.bench.failed(second, sentence(exact_s=5.0))
    scene.fail(exact_s=5.0)
    assert scene.block().ends == 400.0


def test_after_a_long_wait_a_short_one_is_kept_as_exactly(scene: Scene) -> None:
    scene.fail(exact_s=300.0)
    (_, benched) = _fail_trial(scene, exact_s=5.0)
    assert isinstance(benched, Benched)
    assert (benched.stay.since, benched.stay.until) == (400.0, 405.0)


def test_a_cooldown_longer_than_the_longest_bench_is_cut_to_it() -> None:
    assert Sentence("x", Terms(900.0, longest_s=600.0)).length_s(1) == 600.0
    assert Terms(900.0, growth=2.0).length_s(HIGHEST_LEVEL) < math.inf
