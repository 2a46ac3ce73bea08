"""Due and on trial: what ran out is tried by one, and every trial is settled once."""

from __future__ import annotations

import math

import pytest

from engine.stay import Benched, Due, Terms, Trial, Unbenched
from tests.engine.benching import TERMS, Scene, sentence

PROBED = Terms(60.0, growth=2.0, longest_s=600.0, probe=True)


@pytest.fixture
def scene() -> Scene:
    """A model that is due, at second 160; nobody has told of it yet."""
    scene = Scene()
    scene.fail()
    scene.clock.now = 160.0
    return scene


@pytest.fixture
def probed() -> Scene:
    """A model that is due and waits for a probe, at second 160."""
    scene = Scene()
    scene.fail(terms=PROBED)
    scene.clock.now = 160.0
    return scene


def test_a_bench_that_ran_out_makes_the_model_due_and_is_told_once(scene: Scene) -> None:
    assert scene.bench.expire() == [Due("p/m", awaits_probe=False)]
    assert scene.at(100_000.0) == []
    block = scene.block()
    assert (block.state, block.is_open, block.may_be_tried, block.level) == ("due", True, True, 1)
    assert block.ends == math.inf


def test_a_due_that_nobody_told_is_told_with_the_trial(scene: Scene) -> None:
    _, transitions = scene.bench.take_trial("p/m", "request", 30.0)
    assert transitions == [Due("p/m", awaits_probe=False), Trial("p/m", "request")]
    assert scene.bench.expire() == []


def test_a_trial_that_is_taken_is_told_and_shown_until_its_lease_ends(scene: Scene) -> None:
    scene.bench.expire()
    ticket, transitions = scene.bench.take_trial("p/m", "request", 30.0)
    assert ticket.trial
    assert transitions == [Trial("p/m", "request")]
    block = scene.block()
    assert (block.state, block.ends, block.is_open) == ("on_trial", 190.0, False)


def test_only_what_is_due_can_be_tried_and_by_one_at_a_time(scene: Scene) -> None:
    scene.take()
    for _ in range(3):
        with pytest.raises(ValueError, match="p/m is not due"):
            scene.take()
    scene.fail("p/benched")
    for name in ("p/benched", "p/live"):
        with pytest.raises(ValueError, match="is not due"):
            scene.take(name)


def test_a_trial_that_succeeds_brings_the_model_back(scene: Scene) -> None:
    assert scene.bench.succeeded(scene.take()) == [
        Trial("p/m", "request", "success"),
        Unbenched("p/m", manual=False, why="success"),
    ]
    assert scene.state() == "live"
    assert (scene.bench.failures("p/m"), scene.bench.level("p/m")) == (0, 1)


def test_a_trial_that_fails_benches_a_level_up_whatever_the_threshold(scene: Scene) -> None:
    settled, benched = scene.bench.failed(scene.take(), sentence(after=5))
    assert settled == Trial("p/m", "request", "failure")
    assert isinstance(benched, Benched)
    assert (benched.stay.since, benched.stay.length_s) == (160.0, 120.0)
    assert (benched.level, benched.failures) == (2, 2)
    assert scene.at(280.0) == [Due("p/m", awaits_probe=False)]


def test_a_trial_that_told_nothing_is_given_back_and_free_again(scene: Scene) -> None:
    ticket = scene.take()
    assert scene.bench.give_back(ticket) == [Trial("p/m", "request", "given_back")]
    assert (scene.state(), scene.block().level) == ("due", 1)
    assert scene.bench.expire() == []
    assert scene.take() != ticket


def test_a_trial_is_given_back_once(scene: Scene) -> None:
    ticket = scene.take()
    scene.bench.give_back(ticket)
    assert scene.bench.give_back(ticket) == []
    scene.take()
    assert scene.bench.give_back(ticket) == []
    assert scene.state() == "on_trial"


def test_an_attempt_that_is_no_trial_gives_nothing_back(scene: Scene) -> None:
    plain = scene.bench.ticket("p/m")
    scene.take()
    assert scene.bench.give_back(plain) == []
    assert scene.bench.give_back(scene.bench.ticket("p/unheard-of")) == []
    assert scene.state() == "on_trial"


def test_a_trial_that_nobody_settles_lapses(scene: Scene) -> None:
    scene.take(lease_s=30.0)
    assert scene.at(189.0) == []
    assert scene.at(190.0) == [Trial("p/m", "request", "lapsed")]
    assert scene.at(191.0) == []
    assert (scene.state(), scene.block().level) == ("due", 1)


def test_a_trial_that_is_given_more_time_lapses_that_much_later(scene: Scene) -> None:
    trial = scene.take(lease_s=30.0)
    scene.bench.extend(trial, 20.0)
    assert scene.block().ends == 210.0
    assert scene.at(209.0) == []
    assert scene.at(210.0) == [Trial("p/m", "request", "lapsed")]


def test_no_other_ticket_gives_a_trial_more_time(scene: Scene) -> None:
    plain = scene.bench.ticket("p/m")
    for ticket in (plain, scene.bench.ticket("p/unheard-of")):
        scene.bench.extend(ticket, 20.0)
    lapsed = scene.take(lease_s=30.0)
    scene.at(190.0)
    scene.take(lease_s=30.0)
    for ticket in (plain, lapsed):
        scene.bench.extend(ticket, 20.0)
    assert scene.block().ends == 220.0


def test_a_lapse_that_nobody_told_is_told_by_whoever_takes_the_next_trial(scene: Scene) -> None:
    scene.take(lease_s=30.0)
    scene.clock.now = 190.0
    assert scene.state() == "due"
    _, transitions = scene.bench.take_trial("p/m", "probe", 30.0)
    assert transitions[-2:] == [Trial("p/m", "request", "lapsed"), Trial("p/m", "probe")]


def test_a_trial_has_lapsed_the_moment_its_lease_ends_told_or_not(scene: Scene) -> None:
    late = scene.take(lease_s=30.0)
    scene.clock.now = 190.0
    assert scene.bench.failed(late, sentence()) == []
    assert scene.bench.give_back(late) == []
    assert scene.bench.expire() == [Trial("p/m", "request", "lapsed")]


@pytest.mark.parametrize("taken_again", [True, False])
def test_a_lapsed_trials_late_failure_changes_nothing(scene: Scene, taken_again: bool) -> None:
    late = scene.take(lease_s=30.0)
    scene.at(190.0)
    if taken_again:
        scene.take()
    before = scene.block()
    assert scene.bench.failed(late, sentence()) == []
    assert scene.bench.give_back(late) == []
    assert scene.block() == before


def test_a_lapsed_trials_late_success_still_lifts_the_bench(scene: Scene) -> None:
    late = scene.take(lease_s=30.0)
    scene.at(190.0)
    assert scene.bench.succeeded(late) == [Unbenched("p/m", manual=False, why="success")]
    assert scene.state() == "live"


def test_a_late_success_gives_the_next_ones_trial_back(scene: Scene) -> None:
    late = scene.take(lease_s=30.0)
    scene.at(190.0)
    running = scene.take()
    assert scene.bench.succeeded(late) == [
        Trial("p/m", "request", "given_back"),
        Unbenched("p/m", manual=False, why="success"),
    ]
    assert scene.bench.failed(running, sentence()) == []
    assert scene.state() == "live"


def test_a_trial_whose_time_is_over_has_lapsed_even_if_its_success_tells_of_it_first(scene: Scene) -> None:
    late = scene.take(lease_s=30.0)
    scene.clock.now = 190.0
    assert scene.bench.succeeded(late)[0] == Trial("p/m", "request", "lapsed")


def test_a_trial_that_failed_is_over(scene: Scene) -> None:
    ticket = scene.take()
    scene.bench.failed(ticket, sentence())
    assert scene.bench.failed(ticket, sentence()) == []
    assert scene.bench.give_back(ticket) == []
    assert scene.bench.succeeded(ticket) == []
    assert (scene.state(), scene.block().level) == ("benched", 2)


def test_a_success_of_an_attempt_made_while_benched_gives_the_trial_back(scene: Scene) -> None:
    tried_anyway = scene.bench.ticket("p/m")
    scene.take()
    assert scene.bench.succeeded(tried_anyway)[0] == Trial("p/m", "request", "given_back")
    assert scene.state() == "live"


@pytest.mark.parametrize("what", ["p/m", "p/*"])
def test_unbench_during_a_trial_settles_it(scene: Scene, what: str) -> None:
    scene.bench.expire()
    ticket = scene.take()
    assert scene.bench.unbench(what, "bob") == [
        Trial("p/m", "request", "given_back"),
        Unbenched("p/m", manual=False, why="operator", by="bob"),
    ]
    assert scene.bench.failed(ticket, sentence()) == []
    assert scene.bench.give_back(ticket) == []
    assert scene.state() == "live"


# Probes


def test_a_model_may_wait_for_a_probe_and_no_request_may_try_it(probed: Scene) -> None:
    assert probed.bench.expire() == [Due("p/m", awaits_probe=True)]
    block = probed.block()
    assert (block.state, block.awaits_probe, block.is_open) == ("due", True, False)
    with pytest.raises(ValueError, match="not due"):
        probed.take(by="request")
    assert probed.bench.succeeded(probed.take(by="probe"))[0] == Trial("p/m", "probe", "success")


def test_a_probe_that_fails_leaves_the_next_trial_to_a_probe(probed: Scene) -> None:
    probed.bench.expire()
    probed.bench.failed(probed.take(by="probe"), sentence(terms=PROBED))
    assert probed.at(280.0) == [Due("p/m", awaits_probe=True)]


def test_a_probe_that_could_not_tell_leaves_the_trial_to_requests(probed: Scene) -> None:
    ticket = probed.take(by="probe")
    assert not probed.block().awaits_probe
    probed.bench.give_back(ticket)
    assert probed.block().is_open
    probed.bench.give_back(probed.take(by="request"))
    assert probed.block().is_open


def test_a_probe_that_lapsed_leaves_the_trial_to_requests(probed: Scene) -> None:
    probed.take(by="probe", lease_s=30.0)
    probed.at(190.0)
    assert probed.block().is_open
    probed.bench.failed(probed.take(by="request"), sentence(terms=PROBED))
    assert probed.at(310.0) == [Due("p/m", awaits_probe=True)]


def test_a_probe_may_try_what_waits_for_a_request(scene: Scene) -> None:
    scene.bench.give_back(scene.take(by="probe"))
    assert scene.block().is_open


def test_the_terms_of_the_last_failure_say_who_tries(scene: Scene) -> None:
    scene.bench.failed(scene.take(), sentence(terms=TERMS._replace(probe=True)))
    assert scene.at(280.0) == [Due("p/m", awaits_probe=True)]


# Dead


def test_what_is_dead_is_not_to_be_tried_before_its_end(scene: Scene) -> None:
    scene.fail("p/gone", dead=True)
    block = scene.block("p/gone")
    assert (block.state, block.may_be_tried) == ("benched", False)
    scene.at(220.0)
    assert scene.block("p/gone").is_open
    assert not scene.block("p/gone").may_be_tried
