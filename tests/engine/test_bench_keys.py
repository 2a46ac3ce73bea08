"""Keys on the bench: they have no trial, their end brings them back."""

from __future__ import annotations

import pytest

from engine.stay import Benched, Trial, Unbenched
from tests.engine.benching import Scene, sentence

KEYS = ["p#k", "p#k/m", "p#k/vendor/m", "alice:mine#k", "alice:mine#k/m"]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("key", KEYS)
def test_a_key_comes_back_by_itself_and_is_told_once(scene: Scene, key: str) -> None:
    scene.fail(key)
    scene.clock.now = 160.0
    assert scene.state(key) == "live"
    assert scene.bench.expire() == [Unbenched(key, manual=False, why="expired")]
    assert scene.bench.expire() == []


def test_a_model_whose_name_has_the_keys_sign_is_no_key(scene: Scene) -> None:
    scene.fail("p/m#2")
    scene.at(160.0)
    assert scene.state("p/m#2") == "due"


def test_nobody_tries_a_key(scene: Scene) -> None:
    scene.fail("p#k")
    scene.at(160.0)
    with pytest.raises(ValueError, match="not due"):
        scene.take("p#k")


def test_no_probe_is_sent_for_a_key(scene: Scene) -> None:
    scene.fail("p#k", terms=sentence().terms._replace(probe=True))
    assert scene.at(160.0) == [Unbenched("p#k", manual=False, why="expired")]
    assert not any(isinstance(each, Trial) for each in scene.at(1_000.0))


def test_a_keys_level_counts_all_the_same(scene: Scene) -> None:
    scene.fail("p#k")
    scene.at(160.0)
    (transition,) = scene.fail("p#k")
    assert isinstance(transition, Benched)
    assert (transition.level, transition.stay.length_s) == (2, 120.0)
    scene.at(280.0)
    assert scene.bench.level("p#k") == 2
    scene.at(280.0 + 60.0)
    assert scene.bench.level("p#k") == 1


def test_a_failure_of_a_key_from_before_its_end_changes_nothing(scene: Scene) -> None:
    scene.fail("p#k")
    tried_anyway = scene.bench.ticket("p#k")
    scene.at(160.0)
    assert scene.bench.failed(tried_anyway, sentence()) == []
    assert scene.state("p#k") == "live"


def test_a_success_clears_a_keys_bench(scene: Scene) -> None:
    scene.fail("p#k")
    assert scene.succeed("p#k") == [Unbenched("p#k", manual=False, why="success")]


def test_a_dead_key_is_not_to_be_tried(scene: Scene) -> None:
    scene.fail("p#k", dead=True)
    assert not scene.block("p#k").may_be_tried


def test_a_key_is_held_by_hand_until_its_end(scene: Scene) -> None:
    scene.bench.hold("p#k", 60.0, "rotated", "alice")
    assert scene.state("p#k") == "held"
    assert scene.at(160.0) == [Unbenched("p#k", manual=True, why="expired")]


def test_a_key_benched_on_one_model_serves_the_others(scene: Scene) -> None:
    scene.fail("p#k/m")
    assert (scene.state("p#k/m"), scene.state("p#k"), scene.state("p/m")) == ("benched", "live", "live")


def test_there_is_no_hold_of_a_key_on_all_models_but_that_of_the_key(scene: Scene) -> None:
    scene.bench.hold("p#k/*", None, "", "alice")
    assert scene.state("p#k/m") == "live"
    assert scene.bench.unbench("p#k/m", "bob") == []


def test_a_provider_hold_is_not_a_hold_of_its_keys(scene: Scene) -> None:
    scene.bench.hold("p/*", None, "", "alice")
    assert scene.bench.unbench("p#k", "bob") == []
    assert (scene.state("p#k/m"), scene.state("p/m")) == ("live", "held")
