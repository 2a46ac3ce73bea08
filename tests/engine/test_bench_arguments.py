"""What is given with a bench by hand: refused at once where it makes no sense, and cut where it is long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from engine import BlockingEngine, Config, Engine
from tests.scripted import Heard, Scripted, chain_of


def config() -> Config:
    return chain_of(Scripted({"a": ["fine"]}), "a")


@pytest.fixture
def engine() -> Engine:
    return Engine(config())


@pytest.fixture
def heard(engine: Engine) -> Iterator[Heard]:
    heard = Heard()
    with engine.observe(heard.append):
        yield heard


WRONG = [
    ({"for_": "10m"}, r"for_ is str, not a number: give seconds, as 600\.0"),
    ({"for_": True}, "for_ is bool, not a number"),
    ({"for_": timedelta(minutes=10)}, "for_ is timedelta, not a number"),
    ({"until": "18:30"}, "until is str, not a datetime"),
    ({"until": 1_800_000_000.0}, "until is float, not a datetime"),
    ({"until": date(2030, 1, 1)}, "until is date, not a datetime"),
    ({"reason": None}, "reason is NoneType, not text"),
    ({"by": 7}, "by is int, not text"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_a_wrong_type_is_told_with_what_is_wanted(
    engine: Engine, heard: Heard, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        engine.bench("p/a", **given)
    assert (engine.benched(), heard) == ([], [])


def test_without_asyncio_a_wrong_type_is_told_the_same_way() -> None:
    wrong: Any = "10m"
    with BlockingEngine(config()) as engine:
        with pytest.raises(TypeError, match=r"give seconds, as 600\.0"):
            engine.bench("p/a", for_=wrong)
        assert engine.benched() == []


def test_a_wrong_type_does_not_lift_a_bench(engine: Engine) -> None:
    wrong: Any = 7
    engine.bench("p/a")
    with pytest.raises(TypeError, match="by is int, not text"):
        engine.unbench("p/a", by=wrong)
    assert engine.is_benched("p/a")


def test_a_long_reason_and_a_long_name_are_cut_wherever_they_are_shown(engine: Engine, heard: Heard) -> None:
    engine.bench("p/a", reason="r" * 5000, by="b" * 5000)
    (out,) = engine.benched()
    assert (out.reason, out.by) == ("r" * 200, "b" * 100)
    (event,) = heard.of("model.benched")
    assert (event.reason, event.by) == ("r" * 200, "b" * 100)
    engine.unbench("p/a", by="c" * 5000)
    (event,) = heard.of("model.unbenched")
    assert event.by == "c" * 100


@pytest.mark.parametrize("by", [None, "", "  "])
def test_whoever_gives_no_name_is_user_at_host(engine: Engine, by: str | None) -> None:
    engine.bench("p/a", by=by)
    assert "@" in (engine.benched()[0].by or "")
