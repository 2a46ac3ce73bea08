"""Figures: what is derived from events agrees with what one would count by hand."""

from __future__ import annotations

import statistics
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Event,
    ModelBenched,
    RequestFailed,
    RequestSucceeded,
)
from engine.figures import BUCKETS, Figures, ModelFigures


class Clock:
    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def started(model: str) -> AttemptStarted:
    return AttemptStarted(model=model, provider="p", key=None, attempt=1, attempts=3, position=1, positions=2)


def succeeded(model: str, elapsed_s: float = 1.0, first_token_s: float | None = None, **more: Any) -> Event:
    tokens = {"input_tokens": None, "output_tokens": None} | more
    return AttemptSucceeded(
        model=model,
        key=None,
        attempt=1,
        elapsed_s=elapsed_s,
        first_token_s=first_token_s,
        finish_reason="stop",
        **tokens,
    )


def failed(model: str, reason: str = "server_error", **more: Any) -> Event:
    return AttemptFailed(
        model=model,
        key=None,
        attempt=1,
        kind="transient",
        reason=reason,
        status=500,
        message="",
        elapsed_s=0.1,
        **more,
    )


def served(chain: str | None, model: str, *, fallback: bool = False) -> Event:
    return RequestSucceeded(
        chain=chain,
        model=model,
        attempts=1,
        fallback=fallback,
        elapsed_s=1.0,
        first_token_s=None,
        input_tokens=None,
        output_tokens=None,
    )


def gave_up(chain: str | None) -> Event:
    return RequestFailed(chain=chain, error="ChainExhausted", message="", causes=(), elapsed_s=1.0)


@dataclass(frozen=True)
class Noted:
    at: float
    event: Event


MODELS = st.sampled_from(["a/x", "b/y"])
SECONDS = st.floats(0.0, 30.0)
TOKENS = st.none() | st.integers(0, 500)
EVENTS = st.one_of(
    st.builds(started, MODELS),
    st.builds(succeeded, MODELS, SECONDS, st.none() | SECONDS, input_tokens=TOKENS, output_tokens=TOKENS),
    st.builds(failed, MODELS, st.sampled_from(["timeout", "rate_limited"]), output_tokens=TOKENS),
    st.builds(served, st.sampled_from(["support", "drafts", None]), MODELS, fallback=st.booleans()),
    st.builds(gave_up, st.sampled_from(["support", None])),
)
PAUSES = st.one_of(st.just(0.0), st.floats(0.0, 3.0), st.floats(0.0, 90.0), st.floats(0.0, 2000.0))


def recount(told: Sequence[Noted], model: str, now: float, bucket_s: float) -> ModelFigures:
    """The same figures, the slow and obvious way."""
    own = [note for note in told if getattr(note.event, "model", None) == model]
    current = now // bucket_s
    series = [[0, 0] for _ in range(BUCKETS)]
    latencies: list[float] = []
    tokens = {"input_tokens": 0, "output_tokens": 0}
    last = None
    for note in own:
        event = note.event
        bucket = int(note.at // bucket_s - current) + BUCKETS - 1
        if isinstance(event, AttemptSucceeded | AttemptFailed):
            if bucket >= 0:
                series[bucket][isinstance(event, AttemptFailed)] += 1
            for name in tokens:
                tokens[name] += getattr(event, name) or 0
        if isinstance(event, AttemptSucceeded) and bucket >= 0:
            latencies.append(event.elapsed_s if event.first_token_s is None else event.first_token_s)
        if isinstance(event, AttemptFailed):
            last = note
    servers: dict[str, RequestSucceeded | None] = {}
    for note in told:
        if isinstance(note.event, RequestSucceeded) and note.event.chain:
            servers[note.event.chain] = note.event
        if isinstance(note.event, RequestFailed) and note.event.chain:
            servers[note.event.chain] = None
    mine = {chain: event.fallback for chain, event in servers.items() if event and event.model == model}
    ok, bad = sum(pair[0] for pair in series), sum(pair[1] for pair in series)
    recent = sorted(latencies[-256:])
    return ModelFigures(
        per_minute=sum(
            isinstance(note.event, AttemptStarted) and int(note.at) > int(now) - 60 for note in own
        ),
        success=ok / (ok + bad) if ok + bad else None,
        first_token_p50_s=statistics.median_low(recent) if recent else None,
        first_token_p95_s=next((x for i, x in enumerate(recent, 1) if i * 100 >= 95 * len(recent)), None),
        last_reason=last.event.reason if last and isinstance(last.event, AttemptFailed) else None,
        last_failure_ago_s=now - last.at if last else None,
        series=tuple((ok, bad) for ok, bad in series),
        serving=frozenset(mine),
        took_over=frozenset(chain for chain, fallback in mine.items() if fallback),
        **tokens,
    )


@given(
    story=st.lists(st.tuples(PAUSES, EVENTS), max_size=60),
    start=st.floats(0.0, 1e6),
    window_s=st.sampled_from([600.0, 1200.0, 90.0]),
    pause=PAUSES,
)
def test_figures_agree_with_a_recount(
    story: list[tuple[float, Event]], start: float, window_s: float, pause: float
) -> None:
    clock = Clock(start)
    figures = Figures(window_s, clock=clock)
    told = []
    for wait, event in story:
        clock.now += wait
        figures(event)
        told.append(Noted(clock.now, event))
    clock.now += pause
    for model in ("a/x", "b/y", "c/unheard-of"):
        assert figures.of(model) == recount(told, model, clock.now, figures.bucket_s)


def test_a_model_that_nothing_was_heard_of_has_no_share_of_success() -> None:
    assert Figures(clock=Clock()).of("a/x") == ModelFigures()


def test_the_share_of_success_counts_attempts_that_ended() -> None:
    figures = Figures(clock=Clock())
    for event in (started("a/x"), started("a/x"), succeeded("a/x"), succeeded("a/x"), failed("a/x")):
        figures(event)
    assert figures.of("a/x").success == pytest.approx(2 / 3)
    assert figures.of("a/x").per_minute == 2


def test_an_attempt_leaves_the_minute_when_it_is_over() -> None:
    clock = Clock()
    figures = Figures(clock=clock)
    figures(started("a/x"))
    assert figures.of("a/x", now=59.9).per_minute == 1
    assert figures.of("a/x", now=60.0).per_minute == 0


def test_the_last_reason_outlives_the_window_and_says_how_old_it_is() -> None:
    clock = Clock()
    figures = Figures(clock=clock)
    figures(failed("a/x", "timeout"))
    clock.now = 7200.0
    seen = figures.of("a/x")
    assert (seen.last_reason, seen.last_failure_ago_s, seen.success) == ("timeout", 7200.0, None)


def test_a_plain_calls_latency_is_its_whole_time() -> None:
    figures = Figures(clock=Clock())
    figures(succeeded("a/x", elapsed_s=3.0))
    figures(succeeded("a/x", elapsed_s=9.0, first_token_s=0.5))
    assert (figures.of("a/x").first_token_p50_s, figures.of("a/x").first_token_p95_s) == (0.5, 3.0)


@pytest.mark.parametrize(
    ("samples", "p50", "p95"), [(1, 1, 1), (2, 1, 2), (19, 10, 19), (20, 10, 19), (21, 11, 20), (100, 50, 95)]
)
def test_percentiles_are_nearest_ranks(samples: int, p50: int, p95: int) -> None:
    figures = Figures(clock=Clock())
    for seconds in range(samples, 0, -1):
        figures(succeeded("a/x", first_token_s=float(seconds)))
    assert (figures.of("a/x").first_token_p50_s, figures.of("a/x").first_token_p95_s) == (p50, p95)


def test_latency_leaves_the_window_together_with_its_attempt() -> None:
    clock = Clock(10.0)
    figures = Figures(600.0, clock=clock)
    figures(succeeded("a/x", elapsed_s=3.0))
    for moment, counted in ((10.0, True), (609.9, True), (610.0, False)):
        seen = figures.of("a/x", now=moment)
        assert (seen.success is not None, seen.first_token_p50_s is not None) == (counted, counted)


def test_the_series_moves_on_while_nothing_happens() -> None:
    clock = Clock()
    figures = Figures(clock=clock)
    figures(succeeded("a/x"))
    figures(failed("a/x"))
    assert figures.of("a/x").series[-1] == (1, 1)
    clock.now = 25.0
    assert figures.of("a/x").series[-3:] == ((1, 1), (0, 0), (0, 0))


def test_a_chain_is_served_by_whoever_answered_last_and_by_nobody_after_a_failure() -> None:
    figures = Figures(clock=Clock())
    figures(served("support", "a/x"))
    figures(served("support", "b/y", fallback=True))
    assert figures.of("a/x").serving == frozenset()
    assert figures.of("b/y").serving == figures.of("b/y").took_over == {"support"}
    figures(gave_up("support"))
    assert figures.of("b/y").serving == figures.of("b/y").took_over == frozenset()


def test_a_bench_is_no_models_attempt() -> None:
    figures = Figures(clock=Clock())
    figures(ModelBenched(model="a/x", until=None, for_s=None, level=0, failures=0, manual=True, reason=""))
    assert figures.of("a/x") == ModelFigures()


def test_the_least_recently_active_models_are_forgotten_beyond_a_thousand() -> None:
    figures = Figures(clock=Clock())
    figures(started("a/kept"))
    figures(started("a/forgotten"))
    for number in range(999):
        figures(started(f"hostile/{number}"))
        figures(started("a/kept"))
    assert figures.of("a/forgotten").per_minute == 0
    assert figures.of("a/kept").per_minute == 1000
    assert len(figures._models) == 1000


def test_memory_stays_flat_however_many_events_come() -> None:
    clock = Clock()
    figures = Figures(clock=clock)

    def hour(number: int) -> int:
        for second in range(2000):
            clock.now = number * 3600 + second
            for event in events:
                figures(event)
        return tracemalloc.get_traced_memory()[0]

    events = [started("a/x"), succeeded("a/x", 0.3), failed("a/x"), served("support", "a/x")]
    tracemalloc.start()
    try:
        first, later = hour(1), hour(2)
    finally:
        tracemalloc.stop()
    assert later - first < 10_000


def test_figures_are_values_that_do_not_change() -> None:
    figures = Figures(clock=Clock())
    before = figures.of("a/x")
    figures(started("a/x"))
    assert before.per_minute == 0
    assert replace(before, per_minute=1) == figures.of("a/x")


# Events of other engines, and those of long ago


def iso(seconds: float) -> str:
    """A wall clock's time as events tell it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


WALL_S = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


@given(
    story=st.lists(st.tuples(st.integers(0, 1_500_000), EVENTS), max_size=60),
    order=st.randoms(use_true_random=False),
    pause=PAUSES,
)
def test_events_count_when_they_happened_in_whatever_order_they_are_heard_of(
    story: list[tuple[int, Event]], order: Any, pause: float
) -> None:
    now = 2000.0
    told = sorted((Noted(now - ago_ms / 1000, event) for ago_ms, event in story), key=lambda note: note.at)
    late, in_time = Figures(clock=lambda: now), Figures(clock=lambda: now)
    mixed = list(told)
    order.shuffle(mixed)
    for note in told:
        in_time.take(note.event, note.at)
    for note in mixed:
        late.take(note.event, note.at)
    for model in ("a/x", "b/y"):
        one, other = in_time.of(model, now + pause), late.of(model, now + pause)
        # Of two things in one instant either may have been the last.
        if len({note.at for note in told}) == len(told):
            assert one == other
        else:
            assert one.series == other.series
            assert one.per_minute == other.per_minute


def test_what_was_ten_minutes_ago_does_not_count_as_now() -> None:
    figures = Figures(clock=Clock(5000.0), wall=lambda: WALL_S)
    for number in range(6000):
        figures(replace(started("a/x"), at=iso(WALL_S - 600 + number / 10)))
    assert figures.of("a/x").per_minute == 590
    figures(replace(failed("a/x"), at=iso(WALL_S - 300)))
    assert figures.of("a/x").last_failure_ago_s == pytest.approx(300.0)
    assert figures.of("a/x").series[-31:-29] == ((0, 1), (0, 0))


def test_a_clock_that_is_ahead_is_taken_for_now() -> None:
    figures = Figures(clock=Clock(5000.0), wall=lambda: WALL_S)
    figures(replace(started("a/x"), at=iso(WALL_S + 3600)))
    figures(replace(failed("a/x"), at=iso(WALL_S + 3600)))
    seen, later = figures.of("a/x"), figures.of("a/x", now=5100.0)
    assert (seen.per_minute, seen.last_failure_ago_s, seen.series[-1]) == (1, 0.0, (0, 1))
    assert (later.per_minute, later.last_failure_ago_s, later.series[-1]) == (0, 100.0, (0, 0))


def test_what_is_older_than_a_series_leaves_it_as_it_is() -> None:
    figures = Figures(clock=Clock(5000.0), wall=lambda: WALL_S)
    for seconds in (0.0, 605.0, 10_000.0):
        figures(replace(failed("a/x"), at=iso(WALL_S - seconds)))
    assert sum(bad for _, bad in figures.of("a/x").series) == 1


def test_an_older_answer_heard_of_later_does_not_say_who_serves() -> None:
    figures = Figures(clock=Clock(5000.0), wall=lambda: WALL_S)
    figures(replace(served("support", "b/y", fallback=True), at=iso(WALL_S - 1)))
    figures(replace(served("support", "a/x"), at=iso(WALL_S - 5)))
    figures(replace(gave_up("support"), at=iso(WALL_S - 3)))
    assert figures.of("b/y").took_over == {"support"}
    assert figures.of("a/x").serving == frozenset()
