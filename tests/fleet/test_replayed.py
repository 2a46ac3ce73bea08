"""What was done while the store was away is done again there, step by step, each as of its time."""

from __future__ import annotations

from engine.entry import Entry, Lease
from engine.stay import Sentence, Stay, Terms, Ticket
from engine.steps import Cleared, Expired, Failed, Held, Late, Replayed, Succeeded, TrialTaken, take

NAME = "p/a"
TERMS = Terms(cooldown_s=10.0)


def benched(since: float, **facts: object) -> Entry:
    stay = Stay(since, 10.0, "bad", terms=TERMS)
    entry = Entry(NAME, generation=1, auto=stay, failures=1, top_level=1)
    for name, value in facts.items():
        setattr(entry, name, value)
    return entry


def replayed(there: Entry | None, *late: Late, ours: Entry | None = None) -> Entry:
    entry, transitions = take(Replayed(NAME, late, ours), [there] if there else [], now=1000.0)
    assert transitions == []  # they were told of when they were taken
    assert entry is not None
    return entry


def test_a_success_lifts_the_bench_that_the_store_still_has() -> None:
    there = benched(0.0, lease=Lease(7, "request", 500.0), is_told_due=True)
    entry = replayed(there, Late(Succeeded(Ticket(NAME, 1, 7)), 20.0))
    assert (entry.auto, entry.lease, entry.generation) == (None, None, 2)


def test_a_trial_taken_meanwhile_goes_on_and_is_the_only_one() -> None:
    late = Late(Expired(NAME), 10.0), Late(TrialTaken(NAME, "request", 60.0, 7), 20.0)
    entry = replayed(benched(0.0), *late)
    assert entry.lease == Lease(7, "request", 80.0)
    assert entry.is_told_due
    assert entry.generation == 1  # the attempt under way is still heard


def test_an_automatic_bench_outlives_a_short_hold_of_somebody_who_did_not_know_of_it() -> None:
    entry = replayed(benched(0.0), Late(Held(NAME, 1.0, "look", "op"), 2.0))
    assert entry.auto is not None
    assert entry.hold == Stay(2.0, 1.0, "look", "op")


def test_an_order_given_later_through_the_store_counts() -> None:
    hold = Stay(5.0, None, "do not use", "other")
    entry = replayed(Entry(NAME, generation=3, hold=hold), Late(Cleared(NAME, "op"), 2.0))
    assert entry.hold == hold
    entry = replayed(Entry(NAME, generation=3, hold=hold), Late(Held(NAME, 1.0, "mine", "op"), 2.0))
    assert entry.hold == hold


def test_an_order_given_later_here_counts() -> None:
    entry = replayed(Entry(NAME, hold=Stay(1.0, None, "old", "other")), Late(Cleared(NAME, "op"), 2.0))
    assert entry.hold is None
    entry = replayed(benched(0.0), Late(Held(NAME, None, "", "op"), 2.0), Late(Cleared(NAME, "op"), 3.0))
    assert (entry.hold, entry.auto) == (None, None)


def test_a_failure_is_not_heard_where_somebody_else_benched_it_meanwhile() -> None:
    entry = replayed(benched(5.0), Late(Failed(Ticket(NAME, 0), Sentence("mine", TERMS)), 6.0))
    assert entry.auto is not None
    assert entry.auto.reason == "bad"
    assert entry.top_level == 1


def test_a_store_that_has_lost_the_name_gets_what_came_of_it() -> None:
    ours = benched(3.0)
    failure = Late(Failed(Ticket(NAME, 0), Sentence("bad", TERMS)), 3.0)
    assert replayed(None, failure, ours=ours) is ours
