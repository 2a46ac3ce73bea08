from __future__ import annotations

from engine import Engine
from tests.tui.stage import CHAINS, Clock, config
from tui.health import Health, Place


def health() -> tuple[Health, Engine, Clock]:
    clock = Clock()
    engine = Engine(config(), clock=clock, watch=False)
    made = Health(engine)
    made.refresh(clock())
    return made, engine, clock


def place(made: Health, chain: str, model: str) -> Place:
    return next(place for place in made.chains[chain] if place.model == model)


def test_places_stand_in_fallback_order() -> None:
    made, _, _ = health()
    assert {chain: tuple(place.model for place in places) for chain, places in made.chains.items()} == CHAINS


def test_the_first_model_that_may_play_serves_and_is_said_to_stand_in_if_it_is_not_the_first() -> None:
    made, engine, clock = health()
    assert place(made, "support", "p/large").mark == "serves"
    engine.bench("p/large")
    engine.bench("p/mini")
    made.refresh(clock())
    assert place(made, "support", "p/large").mark == ""
    assert (place(made, "support", "q/small").mark, place(made, "support", "q/small").instead_of) == (
        "stands_in",
        "p/large",
    )
    assert place(made, "drafts", "q/small").mark == "serves"


def test_nothing_changes_while_time_passes() -> None:
    made, engine, clock = health()
    engine.bench("p/large", for_=300.0)
    assert made.refresh(clock())
    for step in range(20):
        clock.pass_(1.7)
        late = 0.003 * (step % 3)  # between the engine's reckoning and ours
        assert not made.refresh(clock() + late)
    assert made.version == 2


def test_the_engine_is_asked_once_a_second_unless_it_told_of_a_change() -> None:
    made, engine, clock = health()
    engine.bench("p/large")
    assert not made.refresh(clock(), changed=False)
    assert made.refresh(clock(), changed=True)
    engine.unbench("p/large")
    clock.pass_(1.0)
    assert made.refresh(clock(), changed=False)


def test_a_bench_that_ends_is_noticed_when_it_ends() -> None:
    made, engine, clock = health()
    engine.bench("p/large", for_=0.4)
    made.refresh(clock())
    clock.pass_(0.3)
    assert not made.refresh(clock(), changed=False)
    clock.pass_(0.11)
    assert made.refresh(clock(), changed=False)
    assert place(made, "support", "p/large").state == "live"


def test_a_hold_that_is_replaced_by_a_longer_one_has_the_new_end() -> None:
    made, engine, clock = health()
    engine.bench("p/large", for_=60.0)
    made.refresh(clock())
    engine.bench("p/large", for_=90.0)
    made.refresh(clock())
    assert place(made, "support", "p/large").ends == clock() + 90.0


def test_what_is_out_is_listed_once_the_soonest_first_and_no_end_last() -> None:
    made, engine, clock = health()
    engine.bench("p/large")
    engine.bench("q/small", for_=90.0)
    engine.bench("p/mini", for_=60.0)
    made.refresh(clock())
    assert [place.model for place in made.out] == ["p/mini", "q/small", "p/large"]


def test_states_are_counted_by_model_not_by_place() -> None:
    made, engine, clock = health()
    engine.bench("q/small")
    made.refresh(clock())
    assert made.counts() == {"live": 2, "held": 1}
