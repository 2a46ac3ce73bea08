"""Other engines on the same store: their events, their benches, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import Config, Engine, EngineSeen, StoreState
from tests.tui.stage import Stage, ago, answered, begun, benched, config, dashboard, failed
from tui.screens.bench_dialog import BenchDialog
from tui.screens.engine_chooser import EngineChooser
from tui.widgets.status_line import store_name


def shared(tmp_path: Path) -> Config:
    return config(store=f"sqlite:{tmp_path / 'bench.db'}")


def seen(name: str, seen_s: float = 0.0, *, silent: bool = False, own: bool = False) -> EngineSeen:
    return EngineSeen(name, f"run of {name}", "host", 71, "2026-03-01T11:00:00.000Z", seen_s, silent, own)


def engines_are(stage: Stage, monkeypatch: pytest.MonkeyPatch, *engines: EngineSeen) -> None:
    monkeypatch.setattr(Engine, "engines", lambda _: list(engines))
    stage.clock.pass_(1.0)


def store_is(monkeypatch: pytest.MonkeyPatch, **facts: Any) -> None:
    state = StoreState(**{"store": "/home/al/standby.db", "shared": True, "ok": True, "why": "", **facts})
    monkeypatch.setattr(Engine, "store", property(lambda _: state))


def stream(stage: Stage) -> list[str]:
    """The lines of the attempts, without their head."""
    region = stage.view.attempts.region
    lines = (line[region.x :] for line in stage.lines[region.y + 1 : region.bottom])
    return [line for line in lines if line.strip()]


def head(stage: Stage) -> str:
    region = stage.view.attempts.region
    return stage.lines[region.y][region.x :]


# Together with another process's engine


async def test_what_another_engine_does_is_seen_benches_included(tmp_path: Path) -> None:
    async with (
        dashboard(shared(tmp_path)) as stage,
        Engine(shared(tmp_path), name="search:71", watch=False) as other,
    ):
        other.bench("p/large", for_=60.0, reason="cost", by="alice")
        await stage.until(lambda: "■ held" in stage.row("p/large"))
        await stage.until(lambda: any("search:71" in line and "p/large" in line for line in stream(stage)))
        assert "cost" in stage.row("p/large")
        assert "by alice" in stream(stage)[-1]
        other.unbench("p/large")
        await stage.until(lambda: "● live" in stage.row("p/large"))


async def test_what_is_done_here_reaches_the_others(tmp_path: Path) -> None:
    async with (
        dashboard(shared(tmp_path)) as stage,
        Engine(shared(tmp_path), name="search:71", watch=False) as other,
    ):
        await stage.press("b", "tab", "enter")
        await stage.until(lambda: other.is_benched("p/large"))
        await stage.press("u")
        await stage.until(lambda: not other.is_benched("p/large"))


async def test_what_happened_before_the_dashboard_opened_is_there(tmp_path: Path) -> None:
    async with Engine(shared(tmp_path), name="search:71", watch=False) as other:
        other.bench("p/large", for_=600.0, reason="cost")
        await other.flush()
        async with dashboard(shared(tmp_path)) as stage:
            await stage.until(lambda: "■ held" in stage.row("p/large"))
            await stage.until(lambda: any("search:71" in line for line in stream(stage)))


async def test_a_bench_by_another_engine_does_not_change_what_an_open_dialog_is_about(tmp_path: Path) -> None:
    async with (
        dashboard(shared(tmp_path)) as stage,
        Engine(shared(tmp_path), name="search:71", watch=False) as other,
    ):
        await stage.press("b")
        other.bench("p/large", for_=900.0)
        await stage.until(lambda: stage.engine.is_benched("p/large"))
        dialog = stage.app.screen
        assert isinstance(dialog, BenchDialog)
        assert dialog.bench_name == "p/large"
        await stage.press("tab", "enter")
        assert "It is held by " in stage.screen
        await stage.until(lambda: not dialog.query("Button.-active"))
        await stage.press("enter")
        out = {each.name: each.for_s for each in stage.engine.benched()}
        assert out == {"p/large": 300.0}


async def test_the_status_line_names_the_store_and_counts_the_engines(tmp_path: Path) -> None:
    async with dashboard(shared(tmp_path)) as stage, Engine(shared(tmp_path), watch=False):
        assert "shared: bench.db" in stage.lines[-2]

        def both() -> bool:
            stage.clock.pass_(1.0)
            return "2 engines" in stage.lines[-2]

        await stage.until(both)


# Times


async def test_ten_minutes_of_others_do_not_count_as_now() -> None:
    async with dashboard() as stage:
        told = [begun(f"r{number}", at=ago(600 - number / 10), engine="search:71") for number in range(6000)]
        await stage.tell(*told)
        stage.clock.pass_(1.0)
        await stage.beat()
        assert stage.row("p/large").split()[-1] == "580"  # ten a second, for all of the last minute they told


async def test_a_clock_that_is_ahead_counts_as_now() -> None:
    async with dashboard() as stage:
        await stage.tell(begun("r", at=ago(-300.0), engine="search:71"))
        assert "0.0s" in stream(stage)[-1]
        assert "last event just now" in stage.lines[-2]
        stage.clock.pass_(2.5)
        await stage.beat()
        assert "2.5s" in stream(stage)[-1]


async def test_an_attempt_of_another_engine_has_run_since_it_began_there() -> None:
    async with dashboard() as stage:
        await stage.tell(begun("r", at=ago(7.0), engine="search:71"))
        assert "7.0s" in stream(stage)[-1]
        assert "last event 7s ago" in stage.lines[-2]


async def test_states_are_asked_for_again_while_the_bench_lags_behind_its_event() -> None:
    async with dashboard() as stage:
        stage.clock.pass_(5.0)
        await stage.tell(benched("p/large", engine="search:71"))
        stage.engine._sideline.bench.hold("p/large", 60.0, "cost", "al")  # nobody is told
        stage.clock.pass_(0.2)
        await stage.beat()
        assert "■ held" in stage.row("p/large")


# Engines that fall silent


async def test_what_a_silent_engine_had_under_way_is_not_said_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as stage:
        await stage.tell(begun("r", engine="search:71"), begun("own", engine="standby:1"))
        engines_are(stage, monkeypatch, seen("standby:1", own=True), seen("search:71"))
        await stage.beat()
        assert all("running" in line for line in stream(stage))
        engines_are(stage, monkeypatch, seen("standby:1", own=True), seen("search:71", 40.0, silent=True))
        await stage.beat()
        await stage.beat()
        assert ["not seen" in line for line in stream(stage)] == [True, False]
        await stage.tell(failed("r", engine="search:71"))
        assert "503 overloaded" in stream(stage)[0]


async def test_an_engine_that_is_heard_again_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as stage:
        await stage.tell(begun("r", engine="search:71"))
        for silent, word in ((True, "not seen"), (False, "running"), (True, "not seen")):
            engines_are(stage, monkeypatch, seen("search:71", 40.0, silent=silent))
            await stage.beat()
            await stage.beat()
            assert word in stream(stage)[0]


async def test_an_engine_that_has_gone_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as stage:
        await stage.tell(begun("r", engine="search:71"))
        engines_are(stage, monkeypatch, seen("search:71"))
        await stage.beat()
        engines_are(stage, monkeypatch)
        await stage.beat()
        await stage.beat()
        assert "not seen" in stream(stage)[0]


async def test_one_that_never_showed_itself_has_the_time_of_an_attempt() -> None:
    async with dashboard() as stage:
        await stage.tell(begun("r", engine="standby run:9"))
        for passed, word in ((300.0, "running"), (11.0, "not seen")):
            stage.clock.pass_(passed)
            await stage.beat()
            await stage.beat()
            assert word in stream(stage)[0]


async def test_who_fell_silent_is_said_with_how_many_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    store_is(monkeypatch)
    async with dashboard() as stage:
        there = [seen("standby:1", own=True), seen("api:2")]
        engines_are(stage, monkeypatch, *there)
        await stage.beat()
        assert "shared: standby.db · 2 engines" in stage.lines[-2]
        engines_are(stage, monkeypatch, *there, seen("search:71", 40.0, silent=True))
        await stage.beat()
        assert "2 engines, search:71 silent 40s" in stage.lines[-2]
        gone = [seen("search:71", 40.0, silent=True), seen("old:3", 90.0, silent=True)]
        engines_are(stage, monkeypatch, *there, *gone, seen("yesterday:4", 40_000.0, silent=True))
        await stage.beat()
        assert "search:71 silent 40s and 1 more" in stage.lines[-2]


# The store


@pytest.mark.parametrize(
    ("store", "name"),
    [
        ("/home/al/.local/state/standby/standby.db", "standby.db"),
        ("C:\\Users\\al\\standby.db", "standby.db"),
        ("redis://127.0.0.1:6379/0", "redis 127.0.0.1:6379"),
        ("redis://127.0.0.1:6379/2", "redis 127.0.0.1:6379/2"),
        ("rediss://al:pw@bench.corp:6380/0", "rediss bench.corp:6380"),
    ],
)
def test_a_store_is_named_in_few_words(store: str, name: str) -> None:
    assert store_name(store) == name


async def test_a_redis_is_named_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    store_is(monkeypatch, store="redis://127.0.0.1:6379/0")
    async with dashboard() as stage:
        assert "redis 127.0.0.1:6379" in stage.lines[-2]


async def test_a_store_that_is_down_is_said_with_its_reason_until_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard() as stage:
        store_is(monkeypatch, ok=False, why="disk [/] full")
        await stage.beat()
        assert "▲ store degraded: disk [/] full" in stage.lines[-2]
        await stage.press("space")
        assert "▲ store degraded: disk [/] full" in stage.lines[-2]
        await stage.press("space")
        store_is(monkeypatch)
        await stage.beat()
        assert "degraded" not in stage.screen


@pytest.mark.parametrize("keys", [(), ("space",)])
async def test_at_40_columns_it_still_says_that_the_store_is_down(
    keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    store_is(monkeypatch, ok=False, why="/var/lib/standby/standby.db: database disk image is malformed")
    async with dashboard(size=(40, 12)) as stage:
        await stage.press(*keys)
        assert "▲ store down" in stage.lines[-2]


# The column


SIZES = {(200, 60): True, (120, 40): True, (80, 24): True, (60, 24): False}


@pytest.mark.parametrize(("size", "has_column"), SIZES.items())
async def test_whose_event_it_was_is_a_column_once_there_are_several(
    size: tuple[int, int], has_column: bool
) -> None:
    async with dashboard(size=size) as stage:
        await stage.tell(begun("r1", engine="standby:1"))
        assert "engine" not in head(stage)
        await stage.tell(begun("r2", engine="search:71"), benched("q/small", engine="search:71", by="al"))
        assert ("engine" in head(stage)) is has_column
        assert ("search:71" in stream(stage)[-1]) is has_column
        assert all(strip.cell_length == size[0] for strip in stage.strips)


async def test_columns_stand_below_their_names() -> None:
    async with dashboard() as stage:
        await stage.tell(begun("r1", engine="standby:1"), begun("r2", "q/small", engine="a"))
        for line, engine, model in zip(
            stream(stage), ("standby:1", "a"), ("p/large", "q/small"), strict=True
        ):
            assert line.index(engine) == head(stage).index("engine")
            assert line.index(model) == head(stage).index("model")


async def test_of_a_long_name_the_number_is_kept() -> None:
    async with dashboard() as stage:
        await stage.tell(begun("r1", engine="some-long-gateway:20417"), begun("r2", engine="x\x1b[2J" * 9))
        assert "some-…:20417" in stage.screen
        assert "\x1b[2J" not in stage.screen


# The filter


async def fill(stage: Stage, count: int = 3) -> None:
    for number in range(count):
        for engine in ("search:71", "standby:1"):
            request = f"{engine}{number}"
            await stage.tell(begun(request, engine=engine), answered(request, engine=engine))


def engines_shown(stage: Stage) -> set[str]:
    return {line.split()[1] for line in stream(stage)}


async def test_one_engine_alone_is_chosen_and_escape_shows_all_again() -> None:
    async with dashboard() as stage:
        await fill(stage)
        await stage.press("E")
        assert isinstance(stage.app.screen, EngineChooser)
        await stage.press("right", "enter")
        assert engines_shown(stage) == {"search:71"}
        assert "only search:71 — Esc shows all" in head(stage)
        assert "Esc All engines" in stage.lines[-1]
        await fill(stage)
        assert engines_shown(stage) == {"search:71"}
        assert len(stream(stage)) == 6
        await stage.press("escape")
        assert engines_shown(stage) == {"search:71", "standby:1"}
        assert len(stream(stage)) == 12
        assert "only" not in head(stage)


async def test_the_key_that_opens_the_choice_moves_on_in_it_and_leaving_changes_nothing() -> None:
    async with dashboard() as stage:
        await fill(stage)
        await stage.press("E", "E", "E", "escape")
        assert engines_shown(stage) == {"search:71", "standby:1"}
        await stage.press("E", "E", "E", "enter")
        assert engines_shown(stage) == {"standby:1"}
        await stage.press("E", "E", "enter")  # from what is chosen on, around to all
        assert engines_shown(stage) == {"search:71", "standby:1"}


async def test_the_figures_stay_those_of_all() -> None:
    async with dashboard() as stage:
        await fill(stage, 4)
        stage.clock.pass_(1.0)
        await stage.beat()
        before = stage.row("p/large")
        await stage.press("E", "right", "enter")
        assert stage.row("p/large") == before
        assert " 8 " in before


async def test_what_another_engines_event_ends_is_ended_in_the_filtered_stream_too() -> None:
    async with dashboard() as stage:
        await fill(stage, 1)
        await stage.tell(begun("slow", engine="search:71"))
        await stage.press("E", "right", "enter")
        assert "running" in stream(stage)[-1]
        await stage.tell(failed("slow", engine="search:71"))
        assert "running" not in stage.screen
        assert "failed" in stream(stage)[-1]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (56, 20), (40, 20)])
async def test_the_filter_and_what_is_new_stand_in_the_head_at_every_width(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as stage:
        await fill(stage, 30)
        await stage.press("E", "right", "enter", "tab", "k")
        await fill(stage, 2)
        assert "only search:71" in head(stage)
        assert "Esc" in head(stage)
        assert "+2 new" in head(stage)
        assert len(head(stage)) <= size[0]


async def test_a_paused_view_is_filtered_as_it_stands() -> None:
    async with dashboard() as stage:
        await fill(stage)
        await stage.press("space")
        await fill(stage)
        await stage.press("E", "right", "enter")
        assert len(stream(stage)) == 3
        await stage.press("space")
        assert len(stream(stage)) == 6


async def test_a_filter_that_leaves_nothing_says_how_to_clear_it() -> None:
    async with dashboard() as stage:
        stage.feed.ring.size = 4
        await fill(stage, 1)
        await stage.press("E", "right", "enter")
        for number in range(6):
            await stage.tell(begun(f"r{number}", engine="standby:1"))
        assert "Nothing of search:71 is kept; Esc shows all." in stage.screen


async def test_with_one_engine_there_is_nothing_to_choose() -> None:
    async with dashboard() as stage:
        await stage.tell(begun("r", engine="standby:1"))
        assert "E Engine" not in stage.lines[-1]
        await stage.press("E")
        assert not isinstance(stage.app.screen, EngineChooser)
        await stage.tell(begun("r", engine="search:71"))
        assert "E Engine" in stage.lines[-1]


async def test_escape_stops_a_probe_before_it_clears_the_filter() -> None:
    async with dashboard() as stage:
        await fill(stage)
        await stage.press("E", "right", "enter")
        stage.app.desk.probes.begin("p/large")
        stage.view.refresh_bindings()

        def check(action: str) -> object:
            return stage.view.check_action(action, ())

        assert not check("all_engines")
        stage.app.desk.probes.end("p/large")
        assert check("all_engines")
