"""Events into lines, figures and facts, without a screen."""

from __future__ import annotations

from engine import (
    AttemptCancelled,
    AttemptFirstToken,
    ConfigRejected,
    ConfigReloaded,
    FeedDropped,
    Figures,
    ModelSkipped,
    ModelUnbenched,
    RequestCancelled,
    RequestFailed,
    RequestSucceeded,
    StreamBroken,
)
from tests.tui.stage import answered, begun, benched, failed, told
from tui.feed import Feed
from tui.ring import Line


def feed(**sizes: int) -> Feed:
    return Feed(Figures(clock=lambda: 1000.0), **sizes)


def only(made: Feed) -> Line:
    (line,) = made.ring
    return line


def test_an_attempt_is_one_line_that_changes_in_place_when_it_ends() -> None:
    made = feed()
    made.push(begun("r1"))
    made.drain(10.0)
    assert only(made).outcome == "running"
    assert only(made).since == 10.0
    made.push(begun("r2", "q/small"))
    made.push(failed("r1", next_model="p/mini", message="busy"))
    made.drain(11.0)
    first, second = made.ring
    assert (first.model, first.outcome, first.reason, first.status) == (
        "p/large",
        "failed",
        "overloaded",
        503,
    )
    assert first.next_model == "p/mini"
    assert second.outcome == "running"


def test_each_try_is_a_line_of_its_own() -> None:
    made = feed()
    for event in (begun("r"), failed("r", retry_in_s=0.2), begun("r", attempt=2), answered("r", attempt=2)):
        made.push(event)
    made.drain(0.0)
    assert [(line.attempt, line.outcome) for line in made.ring] == [(1, "failed"), (2, "succeeded")]


def test_a_running_line_learns_of_its_first_token() -> None:
    made = feed()
    made.push(begun("r"))
    made.push(told(AttemptFirstToken, request="r", model="p/large", after_s=0.3))
    made.drain(0.0)
    assert only(made).first_token_s == 0.3
    assert only(made).outcome == "running"


def test_a_cancelled_attempt_says_by_whom() -> None:
    made = feed()
    made.push(begun("r"))
    made.push(told(AttemptCancelled, request="r", model="p/large", why="deadline"))
    made.drain(0.0)
    assert (only(made).outcome, only(made).reason) == ("cancelled", "deadline")


def test_benches_and_their_ends_are_lines() -> None:
    made = feed()
    made.push(benched("p/large", for_s=60.0, reason="rate_limited"))
    made.push(told(ModelUnbenched, model="p/large", why="operator", by="alice"))
    drained = made.drain(0.0)
    out, back = made.ring
    assert (out.outcome, out.model, out.for_s) == ("benched", "p/large", 60.0)
    assert (back.outcome, back.reason, back.by) == ("unbenched", "operator", "alice")
    assert drained.states


def test_the_time_of_a_bench_is_known_until_it_is_over() -> None:
    made = feed()
    made.push(benched("p/large", at="2026-03-01T03:04:05.000Z"))
    made.push(benched("q/*", at="2026-03-01T04:00:00.000Z"))
    made.drain(0.0)
    assert made.benched_since("p/large") == "2026-03-01T03:04:05.000Z"
    assert made.benched_since("q/any") == "2026-03-01T04:00:00.000Z"
    made.push(told(ModelUnbenched, model="p/large", why="expired"))
    made.drain(0.0)
    assert made.benched_since("p/large") == ""


def test_a_request_that_gave_up_and_a_stream_that_broke_are_lines() -> None:
    made = feed()
    made.push(told(StreamBroken, request="r", model="p/large", delivered_chars=120, mode="raise"))
    made.push(told(RequestFailed, request="r", error="ChainExhausted", message="no model answered"))
    made.drain(0.0)
    broken, gave_up = made.ring
    assert (broken.outcome, broken.reason) == ("broken", "after 120 chars")
    assert (gave_up.outcome, gave_up.reason) == ("request_failed", "ChainExhausted")


def test_an_end_whose_beginning_was_lost_gets_a_line() -> None:
    made = feed()
    made.push(failed("r"))
    made.drain(0.0)
    assert only(made).outcome == "failed"
    assert only(made).elapsed_s == 0.5


def test_an_end_whose_line_has_left_the_ring_gets_a_new_one() -> None:
    made = feed(lines=1)
    for event in (begun("r1"), begun("r2"), answered("r1")):
        made.push(event)
    made.drain(0.0)
    assert (only(made).request, only(made).outcome) == ("r1", "succeeded")


def test_nothing_runs_for_ever_when_its_end_was_lost() -> None:
    for ending in (
        told(RequestSucceeded, request="r", model="p/large"),
        told(RequestCancelled, request="r"),
        told(RequestFailed, request="r", error="DeadlineExceeded"),
    ):
        made = feed()
        made.push(begun("r"))
        made.push(ending)
        made.drain(0.0)
        assert next(iter(made.ring)).outcome != "running"


def test_what_ran_when_events_were_lost_is_no_longer_said_to_run() -> None:
    made = feed()
    made.push(begun("r"))
    made.drain(0.0)
    made.push(told(FeedDropped, count=7))
    made.drain(0.0)
    assert only(made).outcome == "lost"
    assert made.dropped == 7
    made.push(answered("r"))
    made.drain(0.0)
    assert only(made).outcome == "succeeded"


def test_an_overflow_drops_the_oldest_and_counts_them() -> None:
    made = feed(size=10)
    for number in range(25):
        made.push(begun(f"r{number}"))
    made.drain(0.0)
    assert made.dropped == 15
    assert made.seen == 10
    assert [line.request for line in made.ring] == [f"r{number}" for number in range(15, 25)]


def test_a_backlog_is_worked_off_in_several_drains() -> None:
    made = feed()
    for number in range(30_000):
        made.push(begun(f"r{number}"))
    drains = 0
    while made.waiting:
        made.drain(0.0)
        drains += 1
    assert drains > 1
    assert made.seen == 30_000
    assert made.dropped == 0


def test_a_watched_request_has_a_ring_of_its_own_with_the_models_it_skipped() -> None:
    made = feed()
    ring = made.watch("mine")
    for event in (
        told(ModelSkipped, request="mine", model="p/large", why="benched"),
        begun("mine", "p/mini"),
        begun("other"),
        answered("mine", "p/mini"),
    ):
        made.push(event)
    made.drain(0.0)
    assert [(line.model, line.outcome) for line in ring] == [("p/large", "skipped"), ("p/mini", "succeeded")]
    assert [line.model for line in made.ring] == ["p/mini", "p/large"]
    made.unwatch("mine")
    made.push(begun("mine", "q/small"))
    made.drain(0.0)
    assert len(ring) == 2


def test_figures_hear_of_every_event() -> None:
    made = feed()
    for event in (begun("r"), failed("r"), begun("r"), answered("r")):
        made.push(event)
    made.drain(0.0)
    figures = made.figures.of("p/large", 1000.0)
    assert figures.success == 0.5
    assert figures.last_reason == "overloaded"


def test_a_refused_edit_is_remembered_until_a_good_one() -> None:
    made = feed()
    made.push(told(ConfigRejected, path="c.yaml", faults=("c.yaml:3:1: wrong", "c.yaml:4:1: too")))
    drained = made.drain(0.0)
    assert made.rejected == ("c.yaml:3:1: wrong", "c.yaml:4:1: too")
    assert len(drained.reloads) == 1
    made.push(told(ConfigReloaded, path="c.yaml"))
    made.drain(0.0)
    assert not made.rejected
    assert made.reloads == 1


def test_the_age_of_the_data_counts_from_the_last_drain_that_brought_something() -> None:
    made = feed()
    assert made.last_at is None
    made.push(begun("r"))
    made.drain(5.0)
    made.drain(9.0)
    assert made.last_at == 5.0
