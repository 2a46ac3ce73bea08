"""Waits are drawn evenly, so that callers who failed together do not come back together."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Final

import pytest

from engine.policy import Backoff, Policy

DRAWS: Final = 10_000

# The Kolmogorov-Smirnov distance that even draws exceed once in a thousand samples of this size.
CRITICAL: Final = math.sqrt(-math.log(0.001 / 2) / 2) / math.sqrt(DRAWS)


def distance(draws: Sequence[float], bound: float) -> float:
    """How far the draws are from uniform in [0, bound] (Kolmogorov-Smirnov)."""
    places = [draw / bound for draw in sorted(draws)]
    return max(
        max((rank + 1) / len(places) - place, place - rank / len(places)) for rank, place in enumerate(places)
    )


def waits(policy: Policy, attempt: int) -> list[float]:
    rng = random.Random(f"jitter {attempt}")
    return [policy.wait_after(attempt, rng) for _ in range(DRAWS)]


def test_the_distance_tells_even_draws_from_uneven_ones() -> None:
    even = [(place + 0.5) / DRAWS for place in range(DRAWS)]
    assert distance(even, 1.0) < 1 / DRAWS
    for uneven in (
        [draw**1.1 for draw in even],
        [min(draw, 0.95) for draw in even],
        [max(draw, 0.03) for draw in even],
        [0.5 + draw / 2 for draw in even],
    ):
        assert distance(uneven, 1.0) > CRITICAL


@pytest.mark.parametrize(
    ("attempt", "bound"), [(1, 0.2), (2, 0.4), (3, 0.8), (6, 6.4), (7, 10.0), (64, 10.0), (5000, 10.0)]
)
def test_a_backoff_is_even_up_to_its_bound(attempt: int, bound: float) -> None:
    drawn = waits(Policy(), attempt)
    assert 0 <= min(drawn) < max(drawn) <= bound
    assert distance(drawn, bound) < CRITICAL


@pytest.mark.parametrize("attempt", [1, 4, 9])
def test_a_backoff_is_even_up_to_its_cap(attempt: int) -> None:
    policy = Policy(backoff=Backoff(base=3.0, cap=2.0))
    assert distance(waits(policy, attempt), 2.0) < CRITICAL


@pytest.mark.parametrize("attempt", [1, 4, 9])
def test_the_longest_wait_bounds_the_draw_and_does_not_gather_what_exceeds_it(attempt: int) -> None:
    policy = Policy(backoff=Backoff(base=4.0, cap=60.0), max_wait=1.5)
    drawn = waits(policy, attempt)
    assert max(drawn) <= 1.5
    assert distance(drawn, 1.5) < CRITICAL


def test_no_base_is_no_wait() -> None:
    assert set(waits(Policy(backoff=Backoff(base=0.0)), 5)) == {0.0}


def test_a_backoff_of_ones_own_is_taken_as_it_is_within_the_longest_wait() -> None:
    policy = Policy(backoff=lambda attempt: attempt * 10.0 - 10.0, max_wait=25.0)
    rng = random.Random(1)
    assert [policy.wait_after(attempt, rng) for attempt in (1, 2, 3, 4)] == [0.0, 10.0, 20.0, 25.0]
    assert Policy(backoff=lambda _: -1.0).wait_after(1, rng) == 0.0
