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
from tests.tui.stage import AT_S, ago, answered, begun, benched, failed, told
from tui.feed import Feed
from tui.ring import Line


def feed(**sizes: int) -> Feed:
    return Feed(Figures(clock=lambda: 1000.0, wall=lambda: AT_S), **sizes)


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
    made.drain(1000.0)
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


def test_events_of_several_engines_come_in_the_order_of_their_times() -> None:
    made = feed()
    for engine, seconds in (("a", 9.0), ("a", 5.0), ("b", 8.0), ("b", 6.0), ("c", -60.0)):
        made.push(begun(f"{engine}{seconds}", engine=engine, at=ago(seconds)))
    made.drain(1000.0)
    assert [line.request for line in made.ring] == ["a9.0", "b8.0", "b6.0", "a5.0", "c-60.0"]
    assert [round(line.since) for line in made.ring] == [991, 992, 994, 995, 1000]


def test_an_engine_whose_clock_was_set_back_is_still_heard_in_its_own_order() -> None:
    made = feed()
    made.push(begun("r", engine="a", at=ago(5.0)))
    made.push(begun("other", engine="b", at=ago(7.0)))
    made.push(answered("r", engine="a", at=ago(60.0)))
    made.drain(1000.0)
    assert [(line.request, line.outcome) for line in made.ring] == [("other", "running"), ("r", "succeeded")]


def test_an_old_event_does_not_make_the_data_young() -> None:
    made = feed()
    made.push(begun("r1", at=ago(40.0)))
    made.drain(1000.0)
    assert made.last_at == 960.0
    made.push(begun("r2", at=ago(300.0)))
    made.drain(1000.0)
    assert made.last_at == 960.0


def test_what_each_line_tells_of_an_engine_is_which() -> None:
    made = feed()
    events = (
        begun("r1", engine="a"),
        failed("r2", engine="b"),
        benched(engine="c"),
        told(ModelUnbenched, model="p/large", why="expired", engine="d"),
        told(StreamBroken, request="r1", model="p/large", mode="raise", engine="e"),
        told(RequestFailed, request="r1", error="ChainExhausted", engine="f"),
    )
    for event in events:
        made.push(event)
        made.drain(1000.0)
    assert [line.engine for line in made.ring] == list("abcdef")
    assert list(made.engines) == list("abcdef")


def test_engines_without_number_are_forgotten_oldest_first() -> None:
    made = feed(size=2000)
    for number in range(1500):
        made.push(begun(f"r{number}", engine=f"e{number}"))
    made.drain(1000.0)
    assert len(made.engines) == 1000
    assert "e0" not in made.engines
    assert "e1499" in made.engines


def test_what_a_silent_engine_runs_is_not_seen_until_it_ends_or_speaks() -> None:
    made = feed()
    for request, engine in (("r1", "a"), ("r2", "b")):
        made.push(begun(request, engine=engine))
    made.drain(1000.0)
    made.silence({"a"})
    assert [line.outcome for line in made.ring] == ["lost", "running"]
    made.silence(())
    assert [line.outcome for line in made.ring] == ["running", "running"]
    made.silence({"a", "b"})
    made.push(answered("r1", engine="a"))
    made.drain(1000.0)
    made.silence(())
    assert [line.outcome for line in made.ring] == ["succeeded", "running"]


def test_what_was_lost_on_the_way_does_not_run_again_because_its_engine_is_there() -> None:
    made = feed()
    made.push(begun("r1", engine="a"))
    made.drain(1000.0)
    made.silence({"a"})
    made.push(told(FeedDropped, count=1))
    made.drain(1000.0)
    made.silence(())
    assert only(made).outcome == "lost"


def test_states_may_have_changed_for_a_second_after_each_event_that_says_so() -> None:
    made = feed()
    made.push(benched())
    assert [made.drain(at).states for at in (1000.0, 1000.5, 1000.9, 1001.1)] == [True, True, True, False]
