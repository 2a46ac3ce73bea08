"""A provider's keys by name and state, and by nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import KeySource, ProviderConfig
from tests.scripted import Scripted
from tests.tui.incidents import MAIN, SECOND, SPARE, VALUES, fail, three_keys
from tests.tui.stage import Stage, config, dashboard
from tui.screens.bench_dialog import BenchDialog
from tui.widgets.provider_keys import ProviderKeys


@pytest.fixture(autouse=True)
def _values(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(SPARE, raising=False)


def panel(stage: Stage) -> ProviderKeys:
    """The panel of keys, which is shown."""
    shown = stage.view.keys
    assert shown is not None
    assert shown.display
    return shown


def keys(stage: Stage) -> list[str]:
    """The panel's lines, its title first."""
    region = panel(stage).region
    return stage.lines[region.y : region.bottom]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_each_key_is_listed_by_name_with_tier_state_countdown_and_why(size: tuple[int, int]) -> None:
    async with dashboard(three_keys(), size=size) as stage:
        fail(stage, "p#second", 90.0, "rate_limited")
        await stage.press("K")
        title, main, second, spare = (line[panel(stage).region.x :] for line in keys(stage))
        assert "keys of p" in title
        assert "1 of 3 usable" in title
        assert main.split() == ["●", "usable", "p#main", "tier", "1"]
        assert second.split() == ["✖", "benched", "p#second", "tier", "1", "01:30", "rate", "limited"]
        assert spare.split()[:5] == ["∅", "unset", "p#spare", "tier", "2"]
        assert f"{SPARE} is not set" in spare


async def test_no_value_of_a_key_is_ever_on_the_screen() -> None:
    async with dashboard(three_keys()) as stage:
        fail(stage, "p#main", 90.0)
        await stage.press("K", "tab", "b")
        assert not any(value in stage.screen for value in VALUES.values())
        await stage.press("escape", "u")
        assert not any(value in stage.screen for value in VALUES.values())


async def test_a_bench_on_one_model_stands_below_its_key() -> None:
    async with dashboard(three_keys()) as stage:
        fail(stage, "p#main/large", 30.0, "forbidden")
        await stage.press("K")
        _, main, on_model, *_ = keys(stage)
        assert "● usable   p#main " in main
        assert "✖ benched    p#main/large" in on_model
        assert "00:30 forbidden" in on_model
        assert "tier" not in on_model
        assert "2 of 3 usable" in keys(stage)[0]


async def test_a_countdown_runs_and_the_end_of_a_bench_is_seen_at_once() -> None:
    async with dashboard(three_keys()) as stage:
        fail(stage, "p#main", 10.0)
        await stage.press("K")
        assert "00:10" in keys(stage)[1]
        stage.clock.pass_(7.0)
        await stage.beat()
        assert "00:03" in keys(stage)[1]
        stage.clock.pass_(3.1)
        await stage.beat()
        assert "● usable" in keys(stage)[1]


async def test_they_follow_the_models_provider_and_say_where_no_key_is_taken() -> None:
    async with dashboard(three_keys()) as stage:
        await stage.press("K", "j", "j")
        assert stage.view.board.current is not None
        assert stage.view.board.current.model == "q/small"
        assert "keys of q" in keys(stage)[0]
        assert "q takes no key." in keys(stage)[1]


async def test_the_same_key_shows_and_hides_them_and_gives_the_focus_back() -> None:
    async with dashboard(three_keys()) as stage:
        assert "keys of" not in stage.screen
        await stage.press("K", "tab")
        assert panel(stage).has_focus
        await stage.press("K")
        assert "keys of" not in stage.screen
        assert stage.view.board.has_focus


async def test_a_key_is_benched_by_its_name_through_the_dialog() -> None:
    async with dashboard(three_keys()) as stage:
        await stage.press("K", "tab", "j", "b")
        assert isinstance(stage.app.screen, BenchDialog)
        assert "Bench p#second" in stage.screen
        assert "p: 1 other key stays usable, p#main first" in stage.screen
        await stage.press("tab", "enter")
        (out,) = stage.engine.benched()
        assert (out.name, out.manual) == ("p#second", True)
        await stage.beat()
        assert "■ held" in keys(stage)[2]
        assert "no reason given by" in keys(stage)[2]


async def test_the_dialog_warns_of_the_last_usable_key_and_says_what_is_out_already() -> None:
    async with dashboard(three_keys()) as stage:
        fail(stage, "p#second", 90.0)
        await stage.press("K", "tab", "b")
        assert "▲ p: this is its last usable key, so it can't be asked" in stage.screen
        await stage.press("escape", "j", "b")
        assert "It is out already: ✖ benched, 01:30 left. A hold is laid over that." in stage.screen
        assert "p: 1 other key stays usable, p#main first" in stage.screen


async def test_the_dialog_for_a_key_on_one_model_counts_the_keys_for_that_model() -> None:
    async with dashboard(three_keys()) as stage:
        fail(stage, "p#main/large", 30.0)
        fail(stage, "p#second/large", 30.0)
        await stage.press("K", "tab", "j", "b")
        assert "Bench p#main/large" in stage.screen
        assert "p/large: no key of it is usable" in stage.screen


async def test_a_key_is_unbenched_by_its_name() -> None:
    async with dashboard(three_keys()) as stage:
        fail(stage, "p#second", 90.0, "rate_limited")
        await stage.press("K", "tab", "j", "u")
        assert not stage.engine.is_benched("p#second")
        wanted = "p#second is back. It was benched (rate limited)."
        await stage.until(lambda: wanted in " ".join(stage.screen.split()))


async def test_the_cursor_stays_with_its_key_when_benches_on_models_come_and_go() -> None:
    async with dashboard(three_keys()) as stage:
        await stage.press("K", "tab", "j")
        assert panel(stage).cursor == "p#second"
        fail(stage, "p#main/large", 30.0)
        await stage.beat()
        assert panel(stage).cursor == "p#second"
        assert "▌" in keys(stage)[3]
        await stage.press("k")
        assert panel(stage).cursor == "p#main/large"
        stage.clock.pass_(30.1)
        await stage.beat()
        assert panel(stage).cursor == "p#second"  # what it was on is gone: it goes to the next one


async def test_more_keys_than_lines_are_reached() -> None:
    sources = tuple(KeySource(f"k{number:02}", env=MAIN) for number in range(40))
    many = ProviderConfig("p", keys=sources, adapter=Scripted({}))
    shown = config()
    async with dashboard(replace(shown, providers={**shown.providers, "p": many}), (80, 24)) as stage:
        await stage.press("K", "tab")
        assert "of 40" in keys(stage)[0]
        await stage.press("G")
        assert "p#k39" in keys(stage)[-1]
        await stage.press("g")
        assert "p#k00" in keys(stage)[1]


async def test_at_40_by_12_names_states_and_countdowns_are_there() -> None:
    async with dashboard(three_keys(), size=(40, 12)) as stage:
        fail(stage, "p#second", 90.0)
        await stage.press("K")
        assert keys(stage)[2].split() == ["✖", "benched", "p#second", "01:30"]
        assert "p/large" in stage.screen


async def test_a_paused_view_holds_them_still() -> None:
    async with dashboard(three_keys()) as stage:
        await stage.press("K", "space")
        fail(stage, "p#main", 90.0)
        await stage.beat()
        assert "● usable" in keys(stage)[1]
        await stage.press("space")
        assert "✖ benched" in keys(stage)[1]


async def test_read_only_shows_them_and_benches_nothing() -> None:
    async with dashboard(three_keys(), read_only=True) as stage:
        await stage.press("K", "tab", "b")
        assert "● usable" in keys(stage)[1]
        assert not isinstance(stage.app.screen, BenchDialog)


async def test_a_provider_whose_keys_are_all_set_and_usable_is_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPARE, VALUES[SECOND])
    async with dashboard(three_keys()) as stage:
        await stage.press("K")
        assert "3 of 3 usable" in keys(stage)[0]
