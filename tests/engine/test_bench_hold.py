"""Holds: what an operator takes out of play by hand, one name or a whole provider."""

from __future__ import annotations

import math

import pytest

from engine.stay import Benched, Transition, Trial, Unbenched
from tests.engine.benching import Scene, sentence


@pytest.fixture
def scene() -> Scene:
    return Scene()


def _names(transitions: list[Transition]) -> list[str]:
    return [transition.name for transition in transitions]


def test_no_success_lifts_a_hold(scene: Scene) -> None:
    scene.bench.hold("p/m", None, "cost", "alice")
    assert scene.succeed() == []
    block = scene.block()
    assert (block.manual, block.state, block.stay.by, block.stay.until) == (True, "held", "alice", None)
    assert block.ends == math.inf


def test_a_hold_tells_what_counts_beneath_it(scene: Scene) -> None:
    scene.fail()
    (transition,) = scene.bench.hold("p/m", None, "cost", "alice")
    assert isinstance(transition, Benched)
    assert (transition.level, transition.failures) == (1, 1)


def test_no_failure_shortens_a_hold_and_it_counts_beneath(scene: Scene) -> None:
    scene.bench.hold("p/m", 500.0, "cost", "alice")
    (transition,) = scene.fail()
    assert isinstance(transition, Benched)
    assert not transition.manual
    assert (scene.state(), scene.block().ends) == ("held", 600.0)


def test_a_hold_is_not_to_be_tried(scene: Scene) -> None:
    scene.bench.hold("p/m", 60.0, "", "alice")
    block = scene.block()
    assert not block.may_be_tried
    assert not block.is_open


def test_a_hold_lies_over_an_automatic_bench_and_leaves_it_there(scene: Scene) -> None:
    scene.fail(exact_s=600.0)
    scene.bench.hold("p/m", 60.0, "cost", "alice")
    assert scene.state() == "held"
    assert scene.at(160.0) == [Unbenched("p/m", manual=True, why="expired")]
    assert (scene.state(), scene.block().ends) == ("benched", 700.0)


def test_a_hold_over_what_falls_due_meanwhile_leaves_it_due(scene: Scene) -> None:
    scene.fail()
    scene.bench.hold("p/m", 100.0, "", "alice")
    scene.at(160.0)
    assert scene.state() == "held"
    with pytest.raises(ValueError, match="not due"):
        scene.take()
    scene.at(200.0)
    assert scene.state() == "due"


def test_a_hold_over_a_trial_leaves_the_trial_to_settle(scene: Scene) -> None:
    scene.fail()
    scene.at(160.0)
    trial = scene.take(lease_s=500.0)
    scene.bench.hold("p/m", 100.0, "", "alice")
    assert scene.state() == "held"
    assert scene.bench.succeeded(trial) == [
        Trial("p/m", "request", "success"),
        Unbenched("p/m", manual=False, why="success"),
    ]
    assert scene.state() == "held"
    assert scene.at(260.0) == [Unbenched("p/m", manual=True, why="expired")]
    assert scene.state() == "live"


def test_a_trial_that_fails_beneath_a_hold_benches_beneath_it(scene: Scene) -> None:
    scene.fail()
    scene.at(160.0)
    trial = scene.take()
    scene.bench.hold("p/m", 20.0, "", "alice")
    scene.bench.failed(trial, sentence())
    scene.at(180.0)
    assert (scene.state(), scene.block().level, scene.block().ends) == ("benched", 2, 280.0)


def test_a_trial_lapses_beneath_a_hold(scene: Scene) -> None:
    scene.fail()
    scene.at(160.0)
    scene.take(lease_s=30.0)
    scene.bench.hold("p/m", None, "", "alice")
    assert scene.at(190.0) == [Trial("p/m", "request", "lapsed")]


def test_a_hold_that_stands_is_replaced_even_by_a_shorter_one(scene: Scene) -> None:
    scene.bench.hold("p/m", None, "cost", "alice")
    (transition,) = scene.bench.hold("p/m", 30.0, "maintenance", "bob")
    assert isinstance(transition, Benched)
    assert transition.manual
    assert (scene.block().stay.reason, scene.block().stay.by) == ("maintenance", "bob")
    assert scene.at(130.0) == [Unbenched("p/m", manual=True, why="expired")]
    assert scene.state() == "live"


# Whole providers


def test_a_provider_hold_covers_models_nobody_has_named_yet(scene: Scene) -> None:
    scene.bench.hold("p/*", None, "maintenance", "alice")
    assert (scene.block("p/never-seen").name, scene.state("p/*")) == ("p/*", "held")
    assert scene.state("q/m") == "live"
    assert scene.state("p#k") == "live"


def test_a_models_own_hold_is_shown_before_its_providers(scene: Scene) -> None:
    scene.bench.hold("p/*", None, "", "alice")
    scene.bench.hold("p/m", None, "", "alice")
    assert scene.block().name == "p/m"


def test_a_provider_hold_covers_a_models_trial(scene: Scene) -> None:
    scene.fail()
    scene.at(160.0)
    scene.bench.hold("p/*", None, "", "alice")
    assert scene.state() == "held"
    with pytest.raises(ValueError, match="not due"):
        scene.take()


def test_one_model_can_be_taken_out_of_a_provider_hold(scene: Scene) -> None:
    scene.bench.hold("p/*", None, "", "alice")
    for model in ("p/m", "p/vendor/m"):
        spared = [Unbenched(model, manual=True, why="operator", by="bob")]
        assert scene.bench.unbench(model, "bob") == spared
        assert scene.bench.unbench(model, "bob") == []
    states = [scene.state(model) for model in ("p/m", "p/vendor/m", "p/other", "p/other/m")]
    assert states == ["live", "live", "held", "held"]


def test_a_model_comes_back_once_whatever_kept_it_out(scene: Scene) -> None:
    scene.fail()
    scene.at(160.0)
    scene.take()
    scene.bench.hold("p/m", None, "", "alice")
    scene.bench.hold("p/*", None, "", "alice")
    assert scene.bench.unbench("p/m", "bob") == [
        Trial("p/m", "request", "given_back"),
        Unbenched("p/m", manual=True, why="operator", by="bob"),
    ]
    assert scene.state() == "live"


def test_a_spared_models_own_bench_runs_as_ever(scene: Scene) -> None:
    scene.bench.hold("p/*", None, "", "alice")
    scene.bench.unbench("p/m", "bob")
    scene.fail()
    scene.fail("p/other")
    assert (scene.state(), scene.state("p/other")) == ("benched", "held")
    assert _names(scene.at(160.0)) == ["p/m", "p/other"]
    assert scene.state() == "due"
    scene.bench.succeeded(scene.take())
    assert scene.state() == "live"


def test_a_new_provider_hold_covers_the_spared_again(scene: Scene) -> None:
    scene.bench.hold("p/*", None, "", "alice")
    scene.bench.unbench("p/m", "bob")
    scene.bench.hold("p/*", 60.0, "", "alice")
    assert scene.state() == "held"


def test_a_provider_hold_that_is_over_spares_nobody_from_the_next(scene: Scene) -> None:
    scene.bench.hold("p/*", 60.0, "", "alice")
    scene.bench.unbench("p/m", "bob")
    assert scene.at(160.0) == [Unbenched("p/*", manual=True, why="expired")]
    assert scene.state() == "live"
    assert scene.bench.unbench("p/other", "bob") == []
    scene.bench.hold("p/*", None, "", "alice")
    assert scene.state() == "held"
