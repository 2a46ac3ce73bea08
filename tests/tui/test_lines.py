"""The lines around a view: honest, and never wider than the screen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from engine import ConfigRejected, ConfigReloaded, FeedDropped, ProviderConfig
from tests.tui.stage import begun, config, dashboard, told
from tui.cells import width_of
from tui.widgets.facts import Fact, fitted
from tui.widgets.key_line import KeyLine

facts = st.lists(st.builds(Fact, st.text(max_size=30), st.just("muted"), st.text(max_size=8)), max_size=8)


@given(facts, st.integers(0, 120))
def test_facts_never_take_more_than_they_are_given(some: list[Fact], width: int) -> None:
    assert sum(width_of(text) for text, _ in fitted(some, width, " · ")) <= width


def test_the_least_important_fact_is_shortened_first_and_left_out_last() -> None:
    some = [Fact("important", "bad", "imp"), Fact("less so", "muted", "less"), Fact("least", "muted", "l")]
    texts = {
        width: "".join(text for text, _ in fitted(some, width, " "))
        for width in (23, 20, 17, 15, 12, 10, 6, 3, 2)
    }
    assert texts == {
        23: "important less so least",
        20: "important less so l",
        17: "important less l",
        15: "imp less l",
        12: "imp less l",
        10: "imp less l",
        6: "imp",
        3: "imp",
        2: "",
    }


def test_a_minor_fact_goes_before_one_of_weight_is_shortened() -> None:
    some = [Fact("important", "bad", "imp"), Fact("by the way", "faint", "btw", minor=True)]
    texts = ["".join(text for text, _ in fitted(some, width, " ")) for width in (20, 13, 9, 8)]
    assert texts == ["important by the way", "important btw", "important", "imp"]


async def test_simulated_providers_are_said_to_be() -> None:
    simulated = replace(
        config({"main": ["sim/a"]}), providers={"sim": ProviderConfig("sim", kind="simulated")}
    )
    async with dashboard(simulated) as stage:
        assert "all of this is simulated" in stage.lines[-2]
    some = config()
    mixed = replace(some, providers={**some.providers, "sim": ProviderConfig("sim", kind="simulated")})
    async with dashboard(mixed) as stage:
        assert "simulated: sim" in stage.lines[-2]
    async with dashboard() as stage:
        assert "simulated" not in stage.screen


async def test_the_age_of_the_data_is_told() -> None:
    async with dashboard() as stage:
        assert "no events yet" in stage.lines[-2]
        await stage.tell(begun("r"))
        assert "last event just now" in stage.lines[-2]
        for passed, words in ((14.0, "14s"), (100.0, "1m"), (8000.0, "2h")):
            stage.clock.pass_(passed)
            await stage.beat()
            assert f"last event {words} ago" in stage.lines[-2]


async def test_dropped_events_are_told() -> None:
    async with dashboard() as stage:
        await stage.tell(told(FeedDropped, count=120))
        assert "120 events dropped" in stage.lines[-2]


async def test_a_refused_edit_is_told_with_its_first_fault_until_a_good_one() -> None:
    async with dashboard() as stage:
        faults = ("c.yaml:3:1: providers.x: no [bold such kind", "c.yaml:9:1: y: z")
        await stage.tell(told(ConfigRejected, path="c.yaml", faults=faults))
        assert "config rejected, 2 faults: c.yaml:3:1: providers.x" in stage.lines[-2]
        await stage.tell(told(ConfigReloaded, path="c.yaml"))
        assert "rejected" not in stage.screen
        assert "config reloaded" in stage.lines[-2]


async def test_benches_are_said_to_be_of_this_process() -> None:
    async with dashboard() as stage:
        assert "benches are of this process only" in stage.lines[-2]


@pytest.mark.parametrize("width", [1, 2, 10, 20, 39, 40, 41, 60, 80, 81, 120, 200, 300])
async def test_no_line_is_wider_than_the_screen_and_keys_are_whole_or_absent(width: int) -> None:
    async with dashboard(size=(width, 24)) as stage:
        stage.engine.bench("p/large", reason="x" * 50)
        await stage.tell(
            told(ConfigRejected, path="c", faults=("f" * 200,)), told(FeedDropped, count=10), begun("r")
        )
        await stage.press("space")
        assert all(strip.cell_length == width for strip in stage.strips)
        keys = stage.app.screen.query_one(KeyLine).keys()
        line = stage.lines[-1]
        whole = [f"{key} {label}" for key, label in keys]
        fitting = [text for text in whole if text in line]
        assert fitting == whole[: len(fitting)]
        assert line.split() == " ".join(fitting).split()


async def test_what_matters_most_is_on_the_line_of_keys_however_narrow() -> None:
    async with dashboard(size=(40, 12)) as stage:
        assert stage.lines[-1].strip().startswith("q Quit   b Bench   u Unbench")


async def test_the_first_line_names_what_is_out_at_40_columns() -> None:
    async with dashboard(size=(40, 12)) as stage:
        stage.engine.bench("p/large", for_=42.0)
        stage.engine.bench("q/small")
        await stage.beat()
        assert "■ large 00:42" in stage.lines[0]
        assert "■ small no end" in stage.lines[0]


async def test_what_has_no_room_on_the_first_line_is_counted() -> None:
    many = config({"main": [f"p/model-number-{number}" for number in range(12)]})
    async with dashboard(many, size=(40, 12)) as stage:
        for number in range(12):
            stage.engine.bench(f"p/model-number-{number}", for_=60.0 + number)
        await stage.beat()
        assert re.search(r"and 11 more|\+1[01]", stage.lines[0])
        assert "01:00" in stage.lines[0]
